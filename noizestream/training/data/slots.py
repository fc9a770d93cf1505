"""Slots: quarters of a beat, of which a piece is a row. What of a piece can be played, where its slots begin, their harmony."""

from dataclasses import dataclass

import numpy as np

from noizestream.analysis import chords
from noizestream.training.data.dataset import Piece, Prepared

PER_BEAT = 4
BAR = 16
"""Slots of a bar of four beats."""
QUIET = 3.5
"""Nepers under a piece's loud parts (30 dB): a beginning or an end as quiet as that is none to play from."""
FEWEST = 16
"""Slots: a piece with less is none to learn from."""
FEWEST_HELD = 4
"""Slots: so many are enough to judge by. Of a short clip little is held out."""


@dataclass(frozen=True)
class Slots:
    """Slots of one piece: `first` [S] frames (of the piece) where they begin and the frame `last` where the last one ends.

    `number` [S] counts quarters of a beat, a bar at every multiple of 16; `fit` [S, 24] says how well each triad fits,
    `chord` [S] is the chord of its beat, 24 for none (analysis/chords.py). `late` [S] is how far the first frame lies behind the
    beginning of its slot, in frames. `tempo` is the mean one, in BPM.
    """

    first: np.ndarray
    last: int
    number: np.ndarray
    fit: np.ndarray
    chord: np.ndarray
    late: np.ndarray
    tempo: float

    def __len__(self) -> int:
        return len(self.first)

    @property
    def edges(self) -> np.ndarray:
        """First frames and the end [S + 1]."""
        return np.append(self.first, self.last)


def slots_of(prepared: Prepared, piece: Piece, tones: int, fewest: int = FEWEST) -> Slots | None:
    """The slots of `piece` but for quiet beginnings and ends; None if less than `fewest` are left.

    The first `tones` bands are magnitudes.
    """
    position = np.asarray(prepared.beats_of(piece), np.float64) * PER_BEAT
    number = np.floor(position).astype(np.int64)
    first = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1])
    edges = np.append(first, len(number))
    loud = np.maximum.reduceat(np.asarray(prepared.bands_of(piece)[:, :tones], np.float32).max(1), first)
    sounding = np.flatnonzero(loud > np.quantile(loud, 0.8) - QUIET)
    if not len(sounding) or sounding[-1] + 1 - sounding[0] < fewest:
        return None
    kept = slice(sounding[0], sounding[-1] + 1)
    seconds = (edges + piece.first + 1.5) * prepared.block / prepared.sample_rate  # a frame's middle is two blocks after its start
    fit, chord = _harmony(np.asarray(prepared.chroma_of(piece)), prepared.sample_rate, seconds, number[first])
    seconds_of_piece = (len(number) - 1) * prepared.block / prepared.sample_rate
    tempo = 60 / PER_BEAT * (position[-1] - position[0]) / seconds_of_piece
    late = np.minimum((position[first] - number[first]) * np.diff(edges), 1.0)
    late[0] = 0.0  # where a piece begins within a slot
    return Slots(first[kept], int(edges[kept.stop]), number[first][kept], fit[kept], chord[kept], late[kept], float(tempo))


def _harmony(rows: np.ndarray, rate: int, seconds: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit [S, 24] of every slot between `seconds` [S + 1], chord [S] of the beat that it lies in."""
    fit = chords.fit(chords.between(rows, rate, seconds)).astype(np.float32)
    beat = number // PER_BEAT
    begins = np.concatenate([[0], np.flatnonzero(np.diff(beat)) + 1])
    means = chords.between(rows, rate, np.append(seconds[begins], seconds[-1]))
    labels = chords.viterbi(chords.fit(means), chords.clear(means))
    return fit, np.repeat(labels, np.diff(np.append(begins, len(number))))
