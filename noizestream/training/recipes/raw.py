"""The recipe of the baseline, `--arch raw`: the seed paper's LSTM over blocks of samples."""

import copy
import math
from collections.abc import Callable
from typing import Any

import torch

from noizestream.errors import NoizestreamError
from noizestream.nn.raw import RawPlayer, RawPredictor
from noizestream.training.loops.checkpoint import Checkpoints
from noizestream.training.loops.loop import Report
from noizestream.training.loops.raw import RawLoop, music_scale
from noizestream.training.recipes import Recipe


class RawRecipe(Recipe):
    """Nothing is set after training: the deviation of the noise is measured on held-out music."""

    def build(self, progress: Callable[[str, int, int], None]) -> None:
        """The network and its loop. NoizestreamError if a genre has no piece that is long enough."""
        prepared, config = self.prepared, self.config
        pieces = [piece for piece in prepared.of("training") if piece.frames >= config.frames]
        if {piece.genre for piece in pieces} != set(range(len(prepared.genres))):
            raise NoizestreamError(f"{prepared.folder}: a genre has no track of {config.frames} frames, add longer music")
        torch.manual_seed(config.seed)
        self.predictor = RawPredictor(prepared.block, len(prepared.genres), config.hidden, config.layers, config.dropout)
        self.predictor.scale.fill_(music_scale(prepared, pieces))
        self.predictor.to(self.device)
        self.loop = RawLoop(self.predictor, prepared, config, pieces, self.device)
        self.checkpoints = Checkpoints(self.folder)

    def describe(self) -> str:
        """One line on the size."""
        count = sum(p.numel() for p in self.predictor.parameters()) / 1e6
        config = self.config
        return f"preset {config.preset}, raw blocks: LSTM {count:.2f} M parameters, {config.loss} by {config.optimiser}"

    def player(self) -> RawPlayer:
        """The generator of the network as it is now, with the deviation measured."""
        return RawPlayer(copy.deepcopy(self.predictor).cpu(), self.prepared.sample_rate, self.loop.deviation()).eval()

    def fit(
        self,
        left: Callable[[], float],
        report: Report,
        stop: Callable[[], bool],
        preview: Callable[[str], None] = lambda name: None,
        first_s: float = math.inf,
    ) -> dict[str, Any]:
        """Train; see `Recipe.fit`."""
        budget = self.run(self.loop, left, report, stop, preview, first_s)
        loop = self.loop
        self.predictor.load_state_dict(loop.best)
        self.figures = {
            "sequence_steps": budget.done,
            "sequence_seconds": budget.elapsed(),
            "train_error": loop.smooth,
            "errors": loop.validate(),
            "stopped_early": loop.worse >= self.config.patience,
            "history": loop.history,
        }
        return self.figures
