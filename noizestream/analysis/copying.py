"""Does it play back what it learned from? The distance of every four seconds to the nearest four of the training audio.

A distance is 1 minus the correlation of two log-mel pictures (40 bands, 43 ms a column) after the genre's mean spectrum is taken
off both: 0 is a copy, at any level. Without that, or in plain dB, the dullest sound would be nearest: an average is near to
everything. Music resembles itself, so it says something only beside the same for real music that was held out. Of the whole mix,
and of each layer by itself: who puts one piece's bass under another's melody copies both, and the mix does not show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noizestream.analysis.description import MELS_PER_S

LENGTH_S = 4
WHOLE = slice(0, 40)
LAYERS = {"bass": slice(0, 2), "middle": slice(2, 16), "top": slice(16, 40)}
"""The bands of the picture below about 180 Hz (to 226), to 2 kHz, and above."""
EVERY_S = 1.0
COLUMN = 4  # frames of the log-mels
COLUMNS_PER_S = MELS_PER_S / COLUMN
MOST = 1500
"""Training windows compared at once; it bounds memory, not the result."""


@dataclass(frozen=True)
class Nearest:
    """Per query window: `distance` [q], 0 to 2, and where the nearest lies: `piece` [q] and `at_s` [q] seconds into it."""

    distance: np.ndarray
    piece: np.ndarray
    at_s: np.ndarray


def columns(mels: np.ndarray) -> np.ndarray:
    """Log-mels [T, 80] (log10) -> the picture [T', 40] in dB, blurred in time before it is thinned out, so that any offset fits."""
    mels = np.asarray(mels, np.float32).reshape(len(mels), 40, 2).mean(axis=2) * 20
    blur = np.hanning(2 * COLUMN + 1)[1:-1].astype(np.float32)
    if len(mels) < len(blur):
        return np.zeros((0, 40), np.float32)
    count = (len(mels) - len(blur)) // COLUMN + 1
    return sum(weight * mels[k : k + COLUMN * count : COLUMN][:count] for k, weight in enumerate(blur / blur.sum()))


def mean_spectrum(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean [40] of all `pictures` over time, in dB."""
    return np.concatenate(pictures).mean(axis=0)


def queries(pictures: Sequence[np.ndarray], length_s: float, mean: np.ndarray) -> tuple[np.ndarray, list[tuple[int, float]]]:
    """Windows [q, length * bands] every `EVERY_S` of all `pictures` less `mean` [bands], and (picture, seconds into it) of each."""
    size, found, places = round(length_s * COLUMNS_PER_S), [], []
    for number, picture in enumerate(pictures):
        for start in np.arange(0, len(picture) - size + 1, EVERY_S * COLUMNS_PER_S).astype(int):
            found.append((picture[start : start + size] - mean).reshape(-1))
            places.append((number, float(start / COLUMNS_PER_S)))
    return _unit(np.stack(found)) if found else np.zeros((0, size * len(mean)), np.float32), places


def nearest(windows: np.ndarray, training: Sequence[np.ndarray], length_s: float, mean: np.ndarray) -> Nearest:
    """The nearest place of the `training` pictures to each of `windows` [q, D] (from `queries`); distance inf where none is."""
    size, count = round(length_s * COLUMNS_PER_S), len(windows)
    best = np.full(count, np.inf, np.float32)
    piece, start = np.zeros(count, int), np.zeros(count, int)
    for number, picture in enumerate(training):
        for first in range(0, len(picture) - size + 1, MOST):
            part = picture[first : first + MOST + size - 1] - mean
            view = np.lib.stride_tricks.sliding_window_view(part, size, axis=0)  # [n, bands, size]
            distances = 1 - windows @ _unit(view.transpose(0, 2, 1).reshape(len(view), -1)).T
            index = distances.argmin(axis=1)
            found = distances[np.arange(count), index]
            closer = found < best
            best[closer], piece[closer], start[closer] = found[closer], number, first + index[closer]
    return Nearest(np.maximum(best, 0), piece, start / COLUMNS_PER_S)


def _unit(windows: np.ndarray) -> np.ndarray:
    """Each window [D] with mean 0 and length 1; silence, which has no picture, stays 0 and is like nothing."""
    windows = windows - windows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(windows, axis=1, keepdims=True)
    return windows / np.maximum(length, 1e-3)
