"""Fits a navigator to the codes of the music, by its nats per slot."""

from typing import Any

import torch
from torch import Tensor

from noizestream.nn.navigator import Navigator
from noizestream.training.config import Config
from noizestream.training.data.batches import Batch, Batches
from noizestream.training.data.memory import Built
from noizestream.training.loops.loop import Loop, adam

HELD_OUT_PIECES = 32
NAMELESS = 0.1
"""Share of the rows whose piece is not told: music that is heard for the first time has none."""
HIDDEN = 0.4
"""Share of the slots that do not hear what was a bar and more ago: else short tracks are learned by heart."""
SHUFFLE_EVERY = 200
"""Steps after which other places propose."""


class NavigatorLoop(Loop):
    """Fits `predictor` in place. `chances` [V] are the chances to go on, running means over what was proposed in training."""

    stage = "navigator"
    predictor: Navigator
    batches: Batches

    def __init__(self, navigator: Navigator, built: Built, config: Config, device: str):
        super().__init__(navigator, config, device, adam(navigator, config))
        self.genres = built.memory.genres
        sizes = (navigator.codes, navigator.pieces, config.slots)
        self.batches = Batches(built.training, *sizes, config.seed)
        self.carried: list[Tensor] = []
        self.held_out: Batch | None = None
        if built.validation:
            self.held_out = Batches(built.validation, *sizes, config.seed, built.training).beginnings(HELD_OUT_PIECES)
        self.steps = 0
        self.chances = torch.full((navigator.layers,), float("nan"))

    def course(self) -> float:
        """Steps in which the music is read so often that more would be learning by heart."""
        slots = sum(len(one.code) for one in self.batches.coded)
        return max(400.0, self.config.epochs * slots / (self.config.batch * self.config.slots))

    def _step(self) -> float:
        self.steps += 1
        if self.steps % SHUFFLE_EVERY == 0:
            self.batches.shuffle()
        nats, chances = self._nats(self.batches.draw(self.config.batch, NAMELESS))
        here = torch.nanmean(chances.detach(), dim=(0, 1)).cpu()
        smooth = torch.where(self.chances.isnan(), here, 0.95 * self.chances + 0.05 * here)
        self.chances = torch.where(here.isnan(), self.chances, smooth)
        return self._descend(nats)

    def _nats(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean nats of a slot over all layers, and the chances to go on [B, T, V] (`Navigator.nats`)."""
        b = Batch(**{name: value.to(self.device) for name, value in vars(batch).items()})
        genre = torch.nn.functional.one_hot(b.genre, self.genres).float()
        state = self.predictor.recurrent.initial_sequence_state(len(b.genre), self.device)
        h, _ = self.predictor.sequence(b.codes, genre, b.slot, b.beaten, b.piece, state, HIDDEN)
        nats, chances = self.predictor.nats(h, b.code, b.genre, b.proposed, b.run)
        return (nats.sum(-1) * b.mask).sum() / b.mask.sum(), chances

    @torch.no_grad()
    def _judge(self) -> float:
        """Nats per slot of held-out pieces; NaN if there are none."""
        if self.held_out is None:
            return float("nan")
        self.predictor.eval()
        nats = float(self._nats(self.held_out)[0])
        self.predictor.train()
        return nats

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs to go on as if never stopped."""
        return super().state() | {"steps": self.steps, "chances": self.chances}

    def restore(self, state: dict[str, Any]) -> None:
        """Be where `state` was taken."""
        super().restore(state)
        self.steps, self.chances = state["steps"], state["chances"]
