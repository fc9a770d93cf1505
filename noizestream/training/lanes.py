"""Batches for both loops, from memory-mapped arrays. Genres are drawn evenly, however unevenly the library fills them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from noizestream.training.prepared import Piece


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
        genre = self._genres[self.rng.integers(len(self._genres))]
        return int(self.rng.choice(self._of[genre], p=self._share[genre]))


def windows(draw: Draw, arrays: list[np.ndarray], batch: int, frames: int) -> np.ndarray:
    """Random stretches: float32 [batch, frames, ...] out of `arrays`, one per piece of `draw`. Short pieces repeat their end."""
    rows = []
    for _ in range(batch):
        array = arrays[draw.piece()]
        start = int(draw.rng.integers(max(1, len(array) - frames + 1)))
        row = np.asarray(array[start : start + frames], np.float32)
        rows.append(row if len(row) == frames else np.pad(row, ((0, frames - len(row)), (0, 0)), mode="edge"))
    return np.stack(rows)


@dataclass
class Chunk:
    """`z` [B, T, latent] with `previous` one frame earlier; `genre` [B, G]; `beat` [B, T]; `notes` [B, T, voices].

    `mood` [B, T, M]; `fresh` [B]: starts anew here; `lane_piece` [B] are indices of pieces.
    """

    z: np.ndarray
    previous: np.ndarray
    genre: np.ndarray
    beat: np.ndarray
    notes: np.ndarray
    mood: np.ndarray
    fresh: np.ndarray
    lane_piece: np.ndarray


class Lanes:
    """`batch` readers, each going through one piece in order for some chunks and then starting at a random place elsewhere.

    Order matters: the LSTM's state is carried from chunk to chunk (truncated back-propagation through time).
    """

    def __init__(
        self,
        draw: Draw,
        latents: list[np.ndarray],
        beats: list[np.ndarray],
        notes: list[np.ndarray],
        moods: list[np.ndarray],
        hop: int,
        genres: int,
        batch: int,
        frames: int,
        chunks: int,
    ):
        self.draw, self.latents, self.beats, self.notes = draw, latents, beats, notes
        self.moods, self.hop = moods, hop  # a mood [hops, M] for every `hop` frames
        self.genres, self.batch, self.frames, self.chunks = genres, batch, frames, chunks
        self.piece = [0] * batch
        self.at = [0] * batch
        # Lanes start at different points of their course, so that they do not all jump in the same step.
        self.left = [0] * batch
        self._first = True

    def next(self) -> Chunk:
        rng, t = self.draw.rng, self.frames
        fresh = np.zeros(self.batch, bool)
        z, previous, beat, notes, mood = [], [], [], [], []
        genre = np.zeros((self.batch, self.genres), np.float32)
        for lane in range(self.batch):
            if self.left[lane] == 0 or self.at[lane] + t > len(self.latents[self.piece[lane]]):
                self.piece[lane] = self._long_enough()
                length = len(self.latents[self.piece[lane]])
                # One course in eight begins where the music does: that is what the model will do when it is played.
                self.at[lane] = 0 if rng.random() < 0.125 else int(rng.integers(max(1, length - t)))
                self.left[lane] = int(rng.integers(1, self.chunks + 1)) if self._first else self.chunks
                fresh[lane] = True
            source, start = self.latents[self.piece[lane]], self.at[lane]
            rows = np.array(source[max(start - 1, 0) : start + t], np.float32)
            if start == 0:
                rows = np.concatenate([np.zeros_like(rows[:1]), rows])
            if fresh[lane]:
                rows[0] = 0.0
            z.append(rows[1:])
            previous.append(rows[:-1])
            beat.append(np.asarray(self.beats[self.piece[lane]][start : start + t], np.float64))
            notes.append(np.asarray(self.notes[self.piece[lane]][start : start + t], np.int64))
            mood.append(self.moods[self.piece[lane]][np.arange(start, start + t) // self.hop])
            genre[lane, self.draw.pieces[self.piece[lane]].genre] = 1.0
            self.at[lane] += t
            self.left[lane] -= 1
        self._first = False
        stacked = (np.stack(beat), np.stack(notes), np.stack(mood))
        return Chunk(np.stack(z), np.stack(previous), genre, *stacked, fresh, np.array(self.piece))

    def _long_enough(self) -> int:
        for _ in range(1000):
            piece = self.draw.piece()
            if len(self.latents[piece]) > self.frames:
                return piece
        raise ValueError(f"no piece is longer than {self.frames} frames")

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs to go on with exactly the chunks that would have come."""
        return {
            "piece": self.piece,
            "at": self.at,
            "left": self.left,
            "first": self._first,
            "rng": self.draw.rng.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.piece, self.at, self.left, self._first = list(state["piece"]), list(state["at"]), list(state["left"]), state["first"]
        self.draw.rng.bit_generator.state = state["rng"]
