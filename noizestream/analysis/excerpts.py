"""Which parts of a library a model is asked about: stretches of bounded length, spread evenly over a genre."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from noizestream.analysis.corpus import Piece

STRETCH_S = 20.0
LEAST_S = 1.0
KNOWN, UNSEEN = "known", "unseen"


@dataclass(frozen=True)
class Excerpt:
    """The `stretches` (from, to) in seconds of the piece of `path` that begins at `start_s` and lasts `seconds`."""

    path: Path
    start_s: float
    seconds: float
    stretches: tuple[tuple[float, float], ...]

    def load(self, rate: int, channels: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """The whole piece and each stretch, float32 [channels, n] at `rate`. Raises Skip when the file is gone."""
        from noizestream.music.decode import decode
        from noizestream.music.examine import mend

        whole = fit_channels(mend(decode(self.path, rate, self.start_s, self.seconds), rate)[0], channels)
        return whole, [whole[:, round(first * rate) : round(last * rate)] for first, last in self.stretches]


def excerpts(pieces: Sequence[Piece], part: str, limit_s: float) -> list[Excerpt]:
    """Up to about `limit_s` seconds of the `part` of `pieces` that is "known" or "unseen", evenly spread, in order."""
    chosen = []
    for number, piece in enumerate(pieces):
        first, last = (0.0, piece.known_s) if part == KNOWN else (piece.unseen_s, piece.seconds)
        count = max(1, round((last - first) / STRETCH_S))
        edges = np.linspace(first, last, count + 1).tolist()
        chosen += [(number, edge, end) for edge, end in pairwise(edges) if end - edge >= LEAST_S]
    total = sum(last - first for _, first, last in chosen)
    if total > limit_s:
        keep = max(1, round(len(chosen) * limit_s / total))
        chosen = [chosen[index] for index in np.linspace(0, len(chosen) - 1, keep).round().astype(int)]
    result = []
    for number in dict.fromkeys(number for number, _, _ in chosen):
        piece = pieces[number]
        stretches = tuple((first, last) for other, first, last in chosen if other == number)
        result.append(Excerpt(piece.track.path, piece.start_s, piece.seconds, stretches))
    return result


def fit_channels(audio: np.ndarray, channels: int) -> np.ndarray:
    """`audio` [c, n] as [channels, n]: as it is, mixed to mono, or mono on every channel."""
    if len(audio) == channels:
        return audio
    return np.repeat(audio.mean(axis=0, keepdims=True), channels, axis=0)
