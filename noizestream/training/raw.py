"""The baseline, `--arch raw`, with the faces that run.py knows: `RawFit` beside `Fit`, `RawFinish` beside `Finish`."""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from noizestream.errors import NoizestreamError
from noizestream.nn.raw import RawPlayer, RawPredictor
from noizestream.training.budget import Budget, Milestones
from noizestream.training.checkpoint import Checkpoints
from noizestream.training.codec_loop import Report
from noizestream.training.config import Config
from noizestream.training.finish import Finish
from noizestream.training.fit import PREVIEWS_EVERY
from noizestream.training.prepared import Prepared
from noizestream.training.raw_loop import RawLoop, music_scale


class RawFit:
    """One training of the baseline; a new RawFit on the same folder goes on from its last checkpoint."""

    def __init__(self, prepared: Prepared, config: Config, folder: Path, device: str = "cpu"):
        self.prepared, self.config, self.folder, self.device = prepared, config, folder, device
        self.figures: dict[str, Any] = {}
        pieces = [piece for piece in prepared.of("training") if piece.frames >= config.frames]
        if {piece.genre for piece in pieces} != set(range(len(prepared.genres))):
            raise NoizestreamError(f"{prepared.folder}: a genre has no track of {config.frames} frames, add longer music")
        torch.manual_seed(config.seed)
        self.predictor = RawPredictor(prepared.block, len(prepared.genres), config.hidden, config.layers, config.dropout)
        self.predictor.scale.fill_(music_scale(prepared, pieces))
        self.predictor.to(device)
        self.loop = RawLoop(self.predictor, prepared, config, pieces, device)
        self._checkpoints = Checkpoints(folder)

    def figures_of_networks(self) -> str:
        """One line on the size."""
        count = sum(p.numel() for p in self.predictor.parameters()) / 1e6
        config = self.config
        return f"preset {config.preset}, raw blocks: LSTM {count:.2f} M parameters, {config.loss} by {config.optimiser}"

    def player(self) -> RawPlayer:
        """The generator of the network as it is now, a copy on the CPU with the deviation measured."""
        return RawPlayer(copy.deepcopy(self.predictor).cpu(), self.prepared.sample_rate, self.loop.deviation()).eval()

    def run(
        self,
        seconds: float,
        report: Report,
        stop: Callable[[], bool],
        preview: Callable[[str], None] = lambda name: None,
        first_s: float = math.inf,
    ) -> "RawFit":
        """Train for `seconds` in all (0: `config.steps` decides). `stop()` ends early; `preview(name)` is called now and then.

        The first time it is called after about `first_s` seconds.
        """
        early = time.monotonic() + (math.inf if self._checkpoints.resumed else first_s)
        budget, loop = Budget(seconds, self.config.steps), self.loop
        if self._checkpoints.resumed:
            self._checkpoints.restore(loop, budget)
        milestones = Milestones(PREVIEWS_EVERY, budget.progress(), early)

        def save(now: bool = False) -> None:
            self._checkpoints.save({"loop": loop.state()}, budget, now)
            if milestones.due(budget.progress()):
                preview(f"step-{budget.done:06d}")

        loop.run(budget, report, stop, save)
        save(now=True)
        self.predictor.load_state_dict(loop.best)
        self.figures = {
            "sequence_steps": budget.done,
            "sequence_seconds": budget.elapsed(),
            "train_error": loop.smooth,
            "errors": loop.validate(),
            "stopped_early": loop.worse >= self.config.patience,
            "history": loop.history,
        }
        return self


class RawFinish(Finish):
    """There is nothing to calibrate: the deviation was measured on held-out music."""

    def rendered_s(self) -> float:
        """None: there is nothing to calibrate."""
        return 0.0

    def calibrate(self, player: RawPlayer) -> dict[str, Any]:
        return {"deviation": player.deviation.mean(1).tolist()}
