"""Batches of slots: random stretches of pieces, every genre alike."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from noizestream.nn.navigator import AGO, REMEMBERED, WRAP
from noizestream.training.data.draw import Draw
from noizestream.training.data.memory import Coded
from noizestream.training.data.proposals import propose


@dataclass
class Batch:
    """What `Navigator.sequence` and `Navigator.nats` take, and `mask` [B, T]: 0 where a piece is over."""

    codes: Tensor
    genre: Tensor
    slot: Tensor
    beaten: Tensor
    piece: Tensor
    code: Tensor
    proposed: Tensor
    run: Tensor
    mask: Tensor


class Batches:
    """Draws from `coded`; `codes` and `pieces` are the numbers that mean nothing is known. Proposals are drawn anew by `shuffle`.

    They are places of `known`, or of `coded` itself.
    """

    def __init__(self, coded: list[Coded], codes: int, pieces: int, length: int, seed: int, known: list[Coded] | None = None):
        self.known = known
        self.coded, self.codes, self.pieces, self.length = coded, codes, pieces, length
        self.rng = np.random.default_rng([seed, 7])
        self.pick = Draw([one.genre for one in coded], [len(one.code) for one in coded], self.rng)
        self.shuffle()

    def shuffle(self) -> None:
        """Let other places propose."""
        self.proposed, self.run = propose(self.coded, self.codes, self.rng, self.known)

    def draw(self, count: int, nameless: float) -> Batch:
        """`count` stretches; in a share `nameless` of them the piece is not told."""
        rows = []
        for _ in range(count):
            piece = self.pick.piece()
            start = int(self.rng.integers(max(1, len(self.coded[piece].code) - self.length // 2)))
            rows.append(self._row(piece, start, self.rng.random() < nameless))
        return self._batch(rows)

    def beginnings(self, most: int) -> Batch:
        """The first `length` slots of up to `most` pieces, spread over all; no piece is told."""
        chosen = np.unique(np.linspace(0, len(self.coded) - 1, min(most, len(self.coded))).astype(int))
        return self._batch(
            [self._row(int(i), min(REMEMBERED, max(0, len(self.coded[i].code) - self.length)), True) for i in chosen]
        )

    def _row(self, index: int, start: int, nameless: bool) -> tuple[Any, ...]:
        one = self.coded[index]
        known = np.concatenate([np.full((REMEMBERED, one.code.shape[1]), self.codes), one.code])
        at = np.minimum(np.arange(start, start + self.length), len(one.code) - 1)
        ago = np.stack([known[at + REMEMBERED - lag] for lag in AGO], 1)
        mask = np.arange(start, start + self.length) < len(one.code)
        piece = self.pieces if nameless else one.piece
        return (
            ago,
            one.genre,
            one.number[at] % WRAP,
            one.beaten,
            piece,
            one.code[at],
            self.proposed[index][at],
            self.run[index][at],
            mask,
        )

    def _batch(self, rows: list[tuple[Any, ...]]) -> Batch:
        ago, genre, slot, beaten, piece, code, proposed, run, mask = (np.stack(values) for values in zip(*rows, strict=True))
        count, length = len(rows), self.length

        def spread(values: np.ndarray) -> Tensor:
            return torch.from_numpy(values)[:, None].expand(count, length)

        return Batch(
            torch.from_numpy(ago),
            spread(genre),
            torch.from_numpy(slot).float(),
            spread(beaten).float(),
            spread(piece),
            torch.from_numpy(code),
            torch.from_numpy(proposed),
            torch.from_numpy(run).float(),
            torch.from_numpy(mask).float(),
        )

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs to go on with the batches that would have come."""
        return {
            "rng": self.rng.bit_generator.state,
            "proposed": [torch.from_numpy(p) for p in self.proposed],
            "run": [torch.from_numpy(r) for r in self.run],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Be where `state` was taken."""
        self.rng.bit_generator.state = state["rng"]
        self.proposed, self.run = ([one.numpy() for one in state[name]] for name in ("proposed", "run"))
