"""Which chord sounds: chroma against the 24 major and minor triads (template matching: Fujishima 1999), then Viterbi over time.

mono -> chroma [T, 12] -> means over beats or half seconds [n, 12] -> fit [n, 24] -> labels [n], 24 where no chord stands out
"""

from collections.abc import Sequence

import numpy as np

from noizestream.music import compiled

ROOTS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
NAMES = (*ROOTS, *(root + "m" for root in ROOTS), "N")
"""Of the labels: major triads 0 to 11, minor ones 12 to 23, none `NONE`."""
NONE = 24
CHROMA_HOP_S = 2048 / 48000
WINDOW_S = 8192 / 48000
HIGHEST_HZ = 6000.0
STAY = 0.9
"""The chance that a chord goes on from one row to the next."""
LEAST_FIT = 0.4
"""A row that fits no chord better than this says that there is none."""
SHARPNESS = 12.0
"""Nats per unit of fit: neighbouring triads, two notes in common, are .56 apart, so one clear row nearly pays for a change."""


def chroma(mono: np.ndarray, rate: int) -> np.ndarray:
    """How much of each pitch class sounds [T, 12], C first, in mono float32 `mono` [n] at `rate` Hz; `times` says when a row is.

    Of the spectrum below `HIGHEST_HZ` only the peaks count, by their magnitude to the power of 1.5: on pieces whose chords are
    known, more beats are right so than by magnitudes or powers of all bins. Concert pitch is taken for granted. Nothing is
    scaled: silence is 0. ValueError for no samples.
    """
    if not len(mono):
        raise ValueError("no samples")
    librosa = compiled.librosa()
    size = 2 * round(WINDOW_S * rate / 2)
    audio = np.asarray(mono, np.float32)
    audio = np.pad(audio, (0, max(0, size - len(audio))))
    magnitudes = np.abs(librosa.stft(audio, n_fft=size, hop_length=_hop(rate)))
    magnitudes = magnitudes[:, : 1 + len(mono) // _hop(rate)]
    peaks = np.zeros_like(magnitudes)
    last = min(len(magnitudes) - 1, round(HIGHEST_HZ * size / rate))
    inner = magnitudes[1:last]
    peak = (inner >= magnitudes[: last - 1]) & (inner > magnitudes[2 : last + 1])
    peaks[1:last] = np.where(peak, inner, 0) ** 1.5
    return librosa.feature.chroma_stft(S=peaks, sr=rate, n_fft=size, tuning=0.0, norm=None).T


def times(count: int, rate: int) -> np.ndarray:
    """The middle of each of `count` rows of `chroma` at `rate` Hz, in seconds [count]; about `CHROMA_HOP_S` apart."""
    return np.arange(count) * (_hop(rate) / rate)


def between(rows: np.ndarray, rate: int, edges_s: Sequence[float] | np.ndarray) -> np.ndarray:
    """Means [n, 12] of the chroma `rows` [T, 12] from each of the n + 1 rising `edges_s` to the next.

    Rows near an edge hear both sides of it: half a window, or a quarter of a short stretch, is left out at either end. A stretch
    shorter than a row takes the row nearest to its middle. ValueError for fewer than two edges or no rows.
    """
    edges = np.asarray(edges_s, np.float64)
    if len(edges) < 2 or not len(rows):
        raise ValueError("at least two edges and one row are needed")
    inset = np.minimum(WINDOW_S / 2, np.diff(edges) / 4)
    first, last = (np.searchsorted(times(len(rows), rate), at) for at in (edges[:-1] + inset, edges[1:] - inset))
    middles = np.clip(np.round((edges[:-1] + edges[1:]) / 2 / (_hop(rate) / rate)).astype(int), 0, len(rows) - 1)
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(rows, axis=0, dtype=np.float64)])
    counts = (last - first)[:, None]
    means = (sums[last] - sums[first]) / np.maximum(counts, 1)
    return np.where(counts > 0, means, rows[middles])


def fit(rows: np.ndarray) -> np.ndarray:
    """Correlation [n, 24] in -1..1 of each chroma row [n, 12] with every triad; 0 of a row without any difference."""
    rows = np.asarray(rows, np.float64)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows @ TRIADS.T / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def clear(rows: np.ndarray) -> np.ndarray:
    """Whether each chroma row [n, 12] has tones at all [n]: not noise, not drums alone, not 60 dB below the loudest row."""
    rows = np.asarray(rows, np.float64)
    if not len(rows):
        return np.zeros(0, bool)
    level = rows.mean(axis=1)
    return (rows.std(axis=1) > 0.2 * level) & (level > 1e-3 * level.max())


def viterbi(fits: np.ndarray, heard: np.ndarray | None = None, stay: float = STAY) -> np.ndarray:
    """The likeliest labels [n] int64 (see `NAMES`) of rows with these `fits` [n, 24].

    `heard` [n] (from `clear`) says in which rows a chord can be; the others speak for none, so a chord sounds on across one of
    them and not across many. `stay` in 0..1 is the chance that a row has the chord of the row before; every other is alike.
    """
    if not 0 < stay < 1:
        raise ValueError("stay is a chance between 0 and 1")
    count = len(fits)
    if not count:
        return np.zeros(0, np.int64)
    heard = np.ones(count, bool) if heard is None else np.asarray(heard, bool)
    gains = np.concatenate([np.where(heard[:, None], fits, 0.0), np.full((count, 1), LEAST_FIT)], axis=1) * SHARPNESS
    change = np.log((1 - stay) / NONE) - np.log(stay)  # beside going on
    best, back = gains[0], np.zeros((count, NONE + 1), np.int64)
    for index in range(1, count):
        # Of all that can come before, only the state itself and the best one matter.
        first = int(best.argmax())
        moved = best[first] + change > best
        back[index] = np.where(moved, first, np.arange(NONE + 1))
        best = np.where(moved, best[first] + change, best) + gains[index]
    labels = np.zeros(count, np.int64)
    labels[-1] = int(best.argmax())
    for index in range(count - 1, 0, -1):
        labels[index - 1] = back[index, labels[index]]
    return labels


def label(mono: np.ndarray, rate: int, edges_s: Sequence[float] | np.ndarray) -> np.ndarray:
    """The chord [n] (see `NAMES`) from each of the n + 1 rising `edges_s`, such as beats, to the next; all steps in one go."""
    rows = between(chroma(mono, rate), rate, edges_s)
    return viterbi(fit(rows), clear(rows))


def _hop(rate: int) -> int:
    return max(1, round(CHROMA_HOP_S * rate))


def _triads() -> np.ndarray:
    chords = np.array(
        [[(note - root) % 12 in (0, third, 7) for note in range(12)] for third in (4, 3) for root in range(12)], float
    )
    chords -= chords.mean(axis=1, keepdims=True)
    return chords / np.linalg.norm(chords, axis=1, keepdims=True)


TRIADS = _triads()
"""Major and minor triads [24, 12] over the pitch classes, each of mean 0 and length 1."""
