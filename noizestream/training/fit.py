"""Both loops in a row on a prepared set, with checkpoints. Needs only torch and numpy, so that it can run on another machine."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from noizestream.errors import NoizestreamError
from noizestream.nn.codec import Codec
from noizestream.nn.player import Player
from noizestream.nn.predictor import Predictor
from noizestream.nn.spectral import SpectralFront
from noizestream.training import weights
from noizestream.training.budget import Budget, Milestones
from noizestream.training.checkpoint import Checkpoints
from noizestream.training.codec_loop import CodecLoop, Report
from noizestream.training.config import Config
from noizestream.training.prepared import Prepared
from noizestream.training.sequence_loop import SequenceLoop, encode_all
from noizestream.training.sketch import TRAINED_S, sketch

PREVIEWS_EVERY = 0.25
"""Share of the sequence model's training after which it is heard."""
FIRST_SPREAD = 0.7
"""What is sampled with before calibration."""


@dataclass
class Fitted:
    """Trained networks on the CPU and what the loops measured."""

    front: SpectralFront
    codec: Codec
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
        self.predictor = Predictor(
            self.codec.latent, len(prepared.genres), config.hidden, config.layers, config.mixtures, dropout=config.dropout
        ).to(device)
        if config.base and not self._checkpoints.resumed:
            weights.load(config.base).fill(self.codec, self.predictor, prepared.genres)
        self.figures: dict[str, Any] = {}
        self._early = math.inf  # time.monotonic() of the first preview

    def figures_of_networks(self) -> str:
        """One line on the sizes."""
        count = [sum(p.numel() for p in net.parameters()) / 1e6 for net in (self.codec, self.predictor)]
        return f"preset {self.config.preset}: codec {count[0]:.2f} M parameters, LSTM with clock and head {count[1]:.2f} M"

    def player(self) -> Player:
        """The generator of the networks as they are now: a copy on the CPU, not calibrated."""
        tempos = torch.tensor(self.prepared.tempos)
        spread, beaten = torch.full_like(tempos, FIRST_SPREAD), torch.tensor(self.prepared.beaten)
        player = Player(self.front, self.codec, self.predictor, tempos, spread, beaten)
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
        codec_seconds = seconds * self.config.codec_share
        codec_steps = max(1, self.config.steps // 2) if self.config.steps else 0
        resumed = self._checkpoints.resumed
        self.figures.update(resumed.get("figures", {}))
        if resumed.get("stage", "codec") == "codec":
            self._run_codec(Budget(codec_seconds, codec_steps), resumed, report, stop, preview)
        else:
            self.codec.load_state_dict(resumed["codec"])
        self.codec.eval()
        self._run_sequence(
            Budget(max(0.0, seconds - self.figures.get("codec_seconds", 0.0)), self.config.steps), resumed, report, stop, preview
        )
        return Fitted(self.front.cpu(), self.codec.cpu().eval(), self.predictor.cpu().eval(), self.figures)

    def _run_codec(
        self, budget: Budget, resumed: dict[str, Any], report: Report, stop: Callable[[], bool], preview: Callable[[str], None]
    ) -> None:
        loop = CodecLoop(self.codec, self.prepared, self.config, self.device)
        if "loop" in resumed:
            self._checkpoints.restore(loop, budget)
        elif self.config.base:
            loop.fit_highest()
            self.figures["pca_error"] = loop.validate()  # of the base, before it learns
        else:
            self.figures["pca_variance"] = loop.fit_pca()
            self.figures["pca_error"] = loop.validate()

        def save() -> None:
            self._save({"stage": "codec", "loop": loop.state()}, budget)
            if time.monotonic() >= self._early - TRAINED_S and budget.remaining() > TRAINED_S:
                self._early = math.inf
                begun = time.monotonic()
                self._sketch(stop, preview)
                # Of the time it took, the codec bears its share.
                budget.seconds += (1 - self.config.codec_share) * (time.monotonic() - begun)

        loop.run(budget, report, stop, save)
        self.figures |= {"codec_error": loop.validate(), "codec_steps": budget.done, "codec_seconds": budget.elapsed()}

    def _sketch(self, stop: Callable[[], bool], preview: Callable[[str], None]) -> None:
        kept = self.predictor
        made = sketch(self.codec, kept, self.prepared, self.config, self.folder, self.device, stop)
        if made is not None:
            self.predictor = made
            preview("sketch")
            self.predictor = kept

    def _run_sequence(
        self, budget: Budget, resumed: dict[str, Any], report: Report, stop: Callable[[], bool], preview: Callable[[str], None]
    ) -> None:
        train, validation = self.prepared.of("training"), self.prepared.of("validation")
        long_enough = [piece for piece in train if piece.frames > self.config.frames]
        if not long_enough:
            raise NoizestreamError(
                f"{self.prepared.folder}: every track is shorter than {self.config.frames} frames, add longer music"
            )

        def counted(done: int, total: int) -> None:
            report("encode", done, 0.0, {"of": total})

        latents = encode_all(self.codec, self.prepared, long_enough, self.folder / "latents" / "training", self.device, counted)
        held_out = encode_all(self.codec, self.prepared, validation, self.folder / "latents" / "validation", self.device, counted)
        loop = SequenceLoop(self.predictor, self.prepared, self.config, (long_enough, latents), (validation, held_out), self.device)
        if resumed.get("stage") == "sequence":
            self._checkpoints.restore(loop, budget)
        self.figures["baselines"] = loop.baselines
        milestones = Milestones(PREVIEWS_EVERY, budget.progress(), self._early)

        def save() -> None:
            self._save({"stage": "sequence", "loop": loop.state(), "codec": self.codec.state_dict()}, budget)
            if milestones.due(budget.progress()):
                self.predictor.eval()
                preview(f"step-{budget.done:06d}")
                self.predictor.train()

        loop.run(budget, report, stop, save)
        self._save({"stage": "sequence", "loop": loop.state(), "codec": self.codec.state_dict()}, budget, now=True)
        self.predictor.load_state_dict(loop.best)
        self.figures |= {
            "sequence_steps": budget.done,
            "sequence_seconds": budget.elapsed(),
            "train_nats": loop.smooth,
            "validation_nats": loop.best_value,
            "stopped_early": loop.worse >= self.config.patience,
            "history": loop.history,
        }

    def _save(self, values: dict[str, Any], budget: Budget, now: bool = False) -> None:
        self._checkpoints.save(values | {"figures": self.figures}, budget, now)
