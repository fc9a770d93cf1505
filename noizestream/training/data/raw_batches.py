"""Batches of raw sample blocks in their order, for the baseline. Genres are drawn evenly, however uneven the library is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from noizestream.training.data.dataset import Piece

FROM_THE_START = 0.125
"""Share of courses that begin where the music does: that is what the model will do when it is played."""


class Draw:
    """Random pieces: first a genre, evenly, then a piece of it in proportion to its length."""

    def __init__(self, pieces: list[Piece], rng: np.random.Generator):
        self.pieces, self.rng = pieces, rng
        self._genres = sorted({piece.genre for piece in pieces})
        self._of = {g: [i for i, piece in enumerate(pieces) if piece.genre == g] for g in self._genres}
        self._share = {g: self._weights(indices) for g, indices in self._of.items()}

    def _weights(self, indices: list[int]) -> np.ndarray:
        frames = np.array([self.pieces[i].frames for i in indices], np.float64)
        return frames / frames.sum()

    def piece(self) -> int:
        """The number of the next piece."""
        genre = self._genres[self.rng.integers(len(self._genres))]
        return int(self.rng.choice(self._of[genre], p=self._share[genre]))


@dataclass
class RawChunk:
    """`target` [B, T, block] with `previous` one block earlier, float32; `genre` [B, G]; `fresh` [B]: starts anew here."""

    target: np.ndarray
    previous: np.ndarray
    genre: np.ndarray
    fresh: np.ndarray


class RawBatches:
    """`batch` readers, each going through one piece in order for up to `chunks` chunks of `frames` blocks before it jumps.

    Order matters: the LSTM's state is carried from chunk to chunk (truncated back-propagation through time). `samples` reads the
    blocks [T, block] of a piece by its number: a file is open only while it is read, however many there are.
    """

    def __init__(self, draw: Draw, samples: Callable[[int], np.ndarray], genres: int, batch: int, frames: int, chunks: int):
        self.draw, self.samples, self.genres, self.batch, self.frames, self.chunks = draw, samples, genres, batch, frames, chunks
        self.piece, self.at, self.left = [0] * batch, [0] * batch, [0] * batch

    def next(self) -> RawChunk:
        """The next chunk of every reader."""
        fresh = np.zeros(self.batch, bool)
        genre = np.zeros((self.batch, self.genres), np.float32)
        rows = []
        for row in range(self.batch):
            if self.left[row] == 0 or self.at[row] + self.frames > self._length(self.piece[row]):
                self._jump(row)
                fresh[row] = True
            samples, start = self.samples(self.piece[row]), self.at[row]
            part = np.asarray(samples[max(start - 1, 0) : start + self.frames], np.float32)
            rows.append(part if start else np.concatenate([np.zeros_like(part[:1]), part]))
            genre[row, self.draw.pieces[self.piece[row]].genre] = 1.0
            self.at[row] += self.frames
            self.left[row] -= 1
        blocks = np.stack(rows)
        return RawChunk(blocks[:, 1:], blocks[:, :-1], genre, fresh)

    def _jump(self, row: int) -> None:
        piece, rng = self.draw.piece(), self.draw.rng
        room = self._length(piece) - self.frames
        self.piece[row], self.left[row] = piece, int(rng.integers(1, self.chunks + 1))
        self.at[row] = 0 if rng.random() < FROM_THE_START else int(rng.integers(room + 1))

    def _length(self, piece: int) -> int:
        return self.draw.pieces[piece].frames

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs to go on with exactly the chunks that would have come."""
        return {"piece": self.piece, "at": self.at, "left": self.left, "rng": self.draw.rng.bit_generator.state}

    def restore(self, state: dict[str, Any]) -> None:
        """Be where `state` was taken."""
        self.piece, self.at, self.left = list(state["piece"]), list(state["at"]), list(state["left"])
        self.draw.rng.bit_generator.state = state["rng"]
