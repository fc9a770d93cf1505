"""Are there notes, as in the music? Figures of mono audio [n] to set beside those of real music and of its shuffled control.

Chords by `chords.py`, notes by `tracker.py`. Neither is right about everything; both are wrong alike on either side.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np

from noizestream.analysis import chords, tracker

STEP_S = 0.5
"""A chord is told for every half second."""
LONG_S = 0.4


@dataclass(frozen=True)
class NoteFigures:
    """All figures of one piece of audio; NaN where there is nothing to tell one from (no chord, no note, no pitch)."""

    chords: float
    """Changes of chord per 10 s."""
    commonest: float
    """Share of the time with a chord that the commonest one has."""
    entropy: float
    """Of the pitch classes, weighted by how long their notes last, in bits: 0 (one) to 3.58 (all twelve alike)."""
    notes: float
    """Notes per second."""
    long: float
    """Share of the notes' time that is in notes longer than `LONG_S`."""
    between: float
    """Share of clear pitches that lie between semitones; of pitch that is nowhere in particular, half does."""


NAMES = tuple(NoteFigures.__dataclass_fields__)


def hear(mono: np.ndarray, rate: int) -> NoteFigures:
    """The figures of mono float32 `mono` [n] at `rate` Hz, best of about 20 s: they depend on the length. ValueError under 1 s."""
    if len(mono) < rate:
        raise ValueError("at least one second of audio is needed")
    seconds = len(mono) / rate
    labels = chords.label(mono, rate, np.arange(int(seconds / STEP_S) + 1) * STEP_S)
    magnitudes = tracker.constant_q(mono, rate)
    peaks = tracker.find_peaks(magnitudes)
    notes = tracker.track(peaks, len(magnitudes))
    named = labels[labels != chords.NONE]
    commonest = float(np.bincount(named).max() / len(named)) if len(named) else math.nan
    total = notes.length_s.sum()
    return NoteFigures(
        chords=10 * float(np.count_nonzero(np.diff(named))) / seconds,
        commonest=commonest,
        entropy=entropy(np.bincount(notes.pitch % 12, weights=notes.length_s, minlength=12)),
        notes=len(notes.pitch) / seconds,
        long=float(notes.length_s[notes.length_s > LONG_S].sum() / total) if total else math.nan,
        between=between_semitones(peaks, notes.tuning),
    )


def entropy(weights: np.ndarray) -> float:
    """Return the entropy of a distribution with these `weights` [n] >= 0, in bits; NaN where all are 0."""
    total = weights.sum()
    if not total:
        return math.nan
    share = weights[weights > 0] / total
    return float(max(0.0, -(share * np.log2(share)).sum()))


def between_semitones(peaks: tracker.Peaks, tuning: float) -> float:
    """Share of the clear `peaks` further than `tracker.BETWEEN` from the semitones of `tuning`; NaN where there are none."""
    pitch = peaks.pitch[peaks.clear] - tuning
    return float(np.mean(np.abs(pitch - np.round(pitch)) > tracker.BETWEEN)) if len(pitch) else math.nan


def mean_figures(rows: np.ndarray) -> NoteFigures:
    """Return one `NoteFigures` for `rows` [n, 6] of them: the mean of each over the rows that have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no row has it: NaN
        values = np.nanmean(rows, axis=0)
    return NoteFigures(**dict(zip(NAMES, values.tolist(), strict=True)))
