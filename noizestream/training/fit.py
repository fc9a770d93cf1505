"""All loops in a row on a prepared set, with checkpoints. Needs only torch and numpy, so that it can run on another machine."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noizestream.errors import NoizestreamError
from noizestream.nn.codec import Codec
from noizestream.nn.moods import MOODS, Moods
from noizestream.nn.notes import Notes
from noizestream.nn.plan import Plan
from noizestream.nn.player import Player
from noizestream.nn.predictor import Predictor
from noizestream.nn.spectral import SpectralFront
from noizestream.training import weights
from noizestream.training.budget import Budget, Milestones
from noizestream.training.checkpoint import Checkpoints
from noizestream.training.codec_loop import CodecLoop, Report
from noizestream.training.config import Config
from noizestream.training.plan_loop import Coded, Codes, PlanLoop, codes_for, fit_notes, note_all
from noizestream.training.prepared import Piece, Prepared
from noizestream.training.sequence_loop import Rows, SequenceLoop, encode_all
from noizestream.training.sketch import TRAINED_S, sketch

STAGES = ("plan", "codec", "predictor")
"""The networks in the order in which they are trained."""
PREVIEWS_EVERY = 0.25
"""Share of the sequence model's training after which it is heard."""
FIRST_SPREAD = 0.7
"""What is sampled with before calibration."""


@dataclass
class Fitted:
    """Trained networks on the CPU and what the loops measured."""

    front: SpectralFront
    codec: Codec
    plan: Plan
    predictor: Predictor
    figures: dict[str, Any] = field(default_factory=dict)


class Fit:
    """One training: `run` returns the networks; a new Fit on the same folder goes on from its last checkpoint."""

    def __init__(self, prepared: Prepared, config: Config, folder: Path, device: str = "cpu"):
        self.prepared, self.config, self.folder, self.device = prepared, config, folder, device
        self._checkpoints = Checkpoints(folder)
        torch.manual_seed(config.seed)
        self.front = SpectralFront(prepared.sample_rate, prepared.block, prepared.channels)
        self.codec = Codec(self.front, config.latent, config.codec_hidden).to(device)
        genres, notes = len(prepared.genres), Notes(self.front, codes_for(prepared, config.codes))
        self.plan = Plan(notes, genres, config.plan_hidden, config.dropout).to(device)
        self.predictor = Predictor(
            self.codec.latent, genres, notes.size + MOODS, config.hidden, config.layers, config.mixtures, dropout=config.dropout
        ).to(device)
        self.moods = Moods(genres, self.codec.latent, prepared.sample_rate / prepared.block).to(device)
        if config.base and not self._checkpoints.resumed:
            weights.load(config.base).fill(self.codec, self.predictor, self.moods, prepared.genres)
        self.figures: dict[str, Any] = {}
        self._early = math.inf  # time.monotonic() of the first preview

    def figures_of_networks(self) -> str:
        """One line on the sizes."""
        count = [sum(p.numel() for p in net.parameters()) / 1e6 for net in (self.codec, self.plan, self.predictor)]
        sizes = f"codec {count[0]:.2f} M parameters, plan {count[1]:.2f} M, LSTM with clock and head {count[2]:.2f} M"
        return f"preset {self.config.preset}: {sizes}"

    def player(self) -> Player:
        """The generator of the networks as they are now: a copy on the CPU, not calibrated."""
        tempos = torch.tensor(self.prepared.tempos)
        spread, beaten = torch.full_like(tempos, FIRST_SPREAD), torch.tensor(self.prepared.beaten)
        player = Player(self.front, self.codec, self.plan, self.predictor, tempos, spread, beaten, self.moods)
        player.hiss.copy_(torch.tensor(self.prepared.hiss))
        return copy.deepcopy(player).cpu().eval()

    def run(
        self,
        seconds: float,
        report: Report,
        stop: Callable[[], bool],
        preview: Callable[[str], None] = lambda name: None,
        first_s: float = math.inf,
    ) -> Fitted:
        """Train for `seconds` in all (0: `config.steps` decides). `stop()` ends early; `preview(name)` is called now and then.

        The first time it is called after about `first_s` seconds, if need be for a sketch: when the codec then still has to learn.
        """
        self._early = time.monotonic() + (math.inf if self._checkpoints.resumed else first_s)
        self._report, self._stop, self._preview = report, stop, preview
        config, resumed = self.config, self._checkpoints.resumed
        some_steps = max(1, config.steps // 2) if config.steps else 0
        self.figures.update(resumed.get("figures", {}))
        stage = resumed.get("stage", STAGES[0])
        for network in STAGES[: STAGES.index(stage)]:
            getattr(self, network).load_state_dict(resumed[network])
        if resumed:
            self.moods.load_state_dict(resumed["moods"])
        codes = self._note(stage)
        if stage == "plan":
            self._run_plan(Budget(seconds * config.plan_share, some_steps), resumed, codes)
            resumed = {}
        self.plan.eval()
        if stage != "predictor":
            self._run_codec(Budget(seconds * config.codec_share, some_steps), resumed, codes)
            resumed = {}
        self.codec.eval()
        spent = self.figures.get("codec_seconds", 0.0) + self.figures.get("plan_seconds", 0.0)
        self._run_predictor(Budget(max(0.0, seconds - spent), config.steps), resumed, codes)
        return Fitted(self.front.cpu(), self.codec.cpu().eval(), self.plan.cpu(), self.predictor.cpu().eval(), self.figures)

    def _note(self, stage: str) -> Codes:
        """The code of every frame of all pieces; the book of notes is fitted first, unless it is known from an earlier stage."""
        train = [piece for piece in self.prepared.of("training") if piece.frames > self.config.frames]
        if not train:
            raise NoizestreamError(
                f"{self.prepared.folder}: every track is shorter than {self.config.frames} frames, add longer music"
            )
        notes, folder = self.plan.notes, self.folder / "latents"
        if stage == "plan":
            self.figures["notes_variance"] = fit_notes(notes, self.prepared, train, self.config.seed)
        validation = self.prepared.of("validation")
        return (train, note_all(notes, self.prepared, train, folder / "training")), (
            validation,
            note_all(notes, self.prepared, validation, folder / "validation"),
        )

    def _run_plan(self, budget: Budget, resumed: dict[str, Any], codes: Codes) -> None:
        loop = PlanLoop(self.plan, self.prepared, self.config, *codes, self.device)
        if resumed:
            self._checkpoints.restore(loop, budget)
        loop.run(budget, self._report, self._stop, lambda: self._save("plan", loop, budget))
        self.plan.load_state_dict(loop.best)
        self.figures |= {"plan_steps": budget.done, "plan_seconds": budget.elapsed(), "plan_nats": loop.best_value}

    def _run_codec(self, budget: Budget, resumed: dict[str, Any], codes: Codes) -> None:
        loop = CodecLoop(self.codec, self.prepared, self.config, self.device)
        if resumed:
            self._checkpoints.restore(loop, budget)
        elif self.config.base:
            loop.fit_highest()
            self.figures["pca_error"] = loop.validate()  # of the base, before it learns
        else:
            self.figures["pca_variance"] = loop.fit_pca()
            self.figures["pca_error"] = loop.validate()

        def save() -> None:
            self._save("codec", loop, budget)
            if time.monotonic() >= self._early - TRAINED_S and budget.remaining() > TRAINED_S:
                self._early = math.inf
                begun = time.monotonic()
                self._sketch(codes[0])
                # Of the time it took, the codec bears its share.
                budget.seconds += (1 - self.config.codec_share) * (time.monotonic() - begun)

        loop.run(budget, self._report, self._stop, save)
        self.figures |= {"codec_error": loop.validate(), "codec_steps": budget.done, "codec_seconds": budget.elapsed()}

    def _sketch(self, coded: Coded) -> None:
        kept, notes = self.predictor, self.plan.notes
        made = sketch(self.codec, kept, notes, self.moods, self.prepared, coded, self.config, self.folder, self.device, self._stop)
        if made is not None:
            self.predictor = made
            self._preview("sketch")
            self.predictor = kept

    def _run_predictor(self, budget: Budget, resumed: dict[str, Any], codes: Codes) -> None:
        def counted(done: int, total: int) -> None:
            self._report("encode", done, 0.0, {"of": total})

        def rows(name: str, coded: Coded) -> Rows:
            latents = encode_all(self.codec, self.prepared, coded[0], self.folder / "latents" / name, self.device, counted)
            return coded[0], latents, coded[1]

        music = rows("training", codes[0]), rows("validation", codes[1])
        self._fit_moods(*music[0][:2])
        loop = SequenceLoop(self.predictor, self.plan.notes, self.moods, self.prepared, self.config, *music, self.device)
        if resumed:
            self._checkpoints.restore(loop, budget)
        self.figures["baselines"] = loop.baselines
        milestones = Milestones(PREVIEWS_EVERY, budget.progress(), self._early)

        def save() -> None:
            self._save("predictor", loop, budget)
            if milestones.due(budget.progress()):
                self.predictor.eval()
                self._preview(f"step-{budget.done:06d}")
                self.predictor.train()

        loop.run(budget, self._report, self._stop, save)
        self._save("predictor", loop, budget, now=True)
        self.predictor.load_state_dict(loop.best)
        self.figures |= {
            "sequence_steps": budget.done,
            "sequence_seconds": budget.elapsed(),
            "train_nats": loop.smooth,
            "validation_nats": loop.best_value,
            "stopped_early": loop.worse >= self.config.patience,
            "history": loop.history,
        }

    @torch.no_grad()
    def _fit_moods(self, pieces: list[Piece], latents: list[np.ndarray]) -> None:
        """The moods of the music as recorded, from its latents. A base's directions are kept: its weights mean them."""
        own = [(piece.genre, z) for piece, z in zip(pieces, latents, strict=True) if piece.semitones == 0]
        described = [self.moods.describe(torch.from_numpy(np.asarray(z, np.float32)).to(self.device)) for _, z in own]
        self.moods.fit(described, [genre for genre, _ in own], bool(self.moods.projection.any()))

    def _save(self, stage: str, loop: Any, budget: Budget, now: bool = False) -> None:
        """What going on in the midst of `stage` needs: its loop, and the networks that are finished."""
        finished = {network: getattr(self, network).state_dict() for network in STAGES[: STAGES.index(stage)]}
        values = {"stage": stage, "loop": loop.state(), "figures": self.figures, "moods": self.moods.state_dict()}
        self._checkpoints.save(values | finished, budget, now)
