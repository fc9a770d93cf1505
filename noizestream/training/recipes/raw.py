"""The recipe of the baseline, `--arch raw`: the seed paper's LSTM over blocks of samples."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.nn.raw import RawPlayer, RawPredictor, unpack
from noizestream.nn.recurrent import flat
from noizestream.training.config import Config
from noizestream.training.loops.budget import Budget
from noizestream.training.loops.raw import RawLoop, music_scale
from noizestream.training.recipes.recipe import Recipe


class RawRecipe(Recipe):
    """What is calibrated is the deviation of the noise: it is measured on held-out music."""

    loop: RawLoop

    @staticmethod
    def on_base(config: Config, base: str | Path) -> Config:
        """UsageError: it starts from nothing."""
        raise UsageError(f"{option('base')} and {option('arch')} raw exclude each other: the baseline is trained from nothing")

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

    def describe(self) -> str:
        """One line on the size."""
        count = sum(p.numel() for p in self.predictor.parameters()) / 1e6
        config = self.config
        return f"preset {config.preset}, raw blocks: LSTM {count:.2f} M parameters, {config.loss} by {config.optimiser}"

    def player(self) -> RawPlayer:
        """The generator of the network as it is now, with the deviation measured."""
        return RawPlayer(copy.deepcopy(self.predictor).cpu(), self.prepared.sample_rate, self.loop.deviation()).eval()

    def measured(self, budget: Budget) -> dict[str, Any]:
        """Steps, seconds, the loss in training, and the errors on held-out music (`RawLoop.validate`)."""
        return {
            "sequence_steps": budget.done,
            "sequence_seconds": budget.elapsed(),
            "train_error": self.loop.smooth,
            "errors": self.loop.validate(),
        }

    def continuous(self, player: RawPlayer, state: list[Tensor]) -> list[Tensor]:
        """All of it: the LSTM's state and the last block."""
        return state

    def choices(self, player: RawPlayer, state: list[Tensor]) -> Tensor:
        """Empty: it chooses nothing."""
        return torch.empty(0)

    def cells(self, player: RawPlayer, state: list[Tensor]) -> list[Tensor]:
        """The LSTM's state."""
        return flat(unpack(state).cells)

    def at_once(self, player: RawPlayer, genre: Tensor, states: list[list[Tensor]]) -> list[Tensor]:
        """After the streamed blocks, fed back as one sequence."""
        predictor = player.predictor
        blocks = torch.stack([unpack(state).block for state in states[:-1]])[None] / predictor.scale
        labels = genre.expand(1, blocks.shape[1], -1)
        return predictor.sequence(blocks, labels, predictor.recurrent.initial_sequence_state(1))[1]
