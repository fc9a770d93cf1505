"""Batches of raw sample blocks in their order, for the baseline."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from noizestream.training.config import Config
from noizestream.training.data.dataset import Piece, Prepared
from noizestream.training.data.draw import Draw

FROM_THE_START = 0.125
"""Share of courses that begin where the music does: that is what the model will do when it is played."""


@dataclass
class RawChunk:
    """`target` [B, T, block] with `previous` one block earlier, float32; `genre` [B, G]; `fresh` [B]: starts anew here."""

    target: np.ndarray
    previous: np.ndarray
    genre: np.ndarray
    fresh: np.ndarray


class RawBatches:
    """`batch` readers, each going through one piece in order for up to `chunks` chunks of `frames` blocks before it jumps.

    Order matters: the LSTM's state is carried from chunk to chunk (truncated back-propagation through time). A file is open only
    while it is read, however many there are.
    """

    def __init__(self, prepared: Prepared, pieces: list[Piece], config: Config):
        self.prepared, self.pieces, self.frames, self.chunks = prepared, pieces, config.frames, config.chunks
        self.rng, self.batch = np.random.default_rng([config.seed, 3]), config.batch
        self.draw = Draw([piece.genre for piece in pieces], [piece.frames for piece in pieces], self.rng)
        self.piece, self.at, self.left = ([0] * self.batch for _ in range(3))

    def next(self) -> RawChunk:
        """The next chunk of every reader."""
        fresh = np.zeros(self.batch, bool)
        genre = np.zeros((self.batch, len(self.prepared.genres)), np.float32)
        rows = []
        for row in range(self.batch):
            if self.left[row] == 0 or self.at[row] + self.frames > self.pieces[self.piece[row]].frames:
                self._jump(row)
                fresh[row] = True
            piece, start = self.pieces[self.piece[row]], self.at[row]
            samples = self.prepared.samples_of(piece)
            part = np.asarray(samples[max(start - 1, 0) : start + self.frames], np.float32)
            rows.append(part if start else np.concatenate([np.zeros_like(part[:1]), part]))
            genre[row, piece.genre] = 1.0
            self.at[row] += self.frames
            self.left[row] -= 1
        blocks = np.stack(rows)
        return RawChunk(blocks[:, 1:], blocks[:, :-1], genre, fresh)

    def _jump(self, row: int) -> None:
        piece, rng = self.draw.piece(), self.rng
        room = self.pieces[piece].frames - self.frames
        self.piece[row], self.left[row] = piece, int(rng.integers(1, self.chunks + 1))
        self.at[row] = 0 if rng.random() < FROM_THE_START else int(rng.integers(room + 1))

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs to go on with exactly the chunks that would have come."""
        return {"piece": self.piece, "at": self.at, "left": self.left, "rng": self.rng.bit_generator.state}

    def restore(self, state: dict[str, Any]) -> None:
        """Be where `state` was taken."""
        self.piece, self.at, self.left = list(state["piece"]), list(state["at"]), list(state["left"])
        self.rng.bit_generator.state = state["rng"]
