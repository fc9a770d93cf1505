"""The stereo image of a sound: how wide it is, where it stands and how much it moves, altogether and in bands of frequency."""

from dataclasses import dataclass

import numpy as np

EDGES_HZ = (0.0, 150.0, 600.0, 2500.0, 8000.0)
"""Where the bands begin; the last one ends at half the sample rate."""
WINDOW_S = 0.04


FROM = 1
"""`averaged` begins with this band: what lies below is nearly always in the middle."""


@dataclass(frozen=True)
class Image:
    """`width`, `pan` and `motion` have one value per band of `EDGES_HZ`.

    Width is sqrt(side power / middle power), 0 mono, 1 unrelated sides, above 1 partly out of phase. Pan is what of the middle
    stands in phase in the side, 1 left, -1 right. Motion is the deviation of the pan over time, the loud moments counting most.
    """

    width: np.ndarray
    pan: np.ndarray
    motion: np.ndarray


def correlation(audio: np.ndarray) -> float:
    """Correlation of left and right, audio [2, n]: 1 mono, 0 unrelated, -1 out of phase; 1 where a side is silent."""
    left, right = (side - side.mean() for side in np.asarray(audio, np.float64))
    power = np.sqrt((left @ left) * (right @ right))
    return float(left @ right / power) if power > 0 else 1.0


def width(audio: np.ndarray) -> float:
    """sqrt(side power / middle power) of audio [2, n], over all frequencies; 0 where there is no middle."""
    middle, side = 0.5 * (audio[0] + audio[1]), 0.5 * (audio[0] - audio[1])
    power = float(np.mean(np.square(middle, dtype=np.float64)))
    return float(np.sqrt(np.mean(np.square(side, dtype=np.float64)) / power)) if power > 0 else 0.0


def image(audio: np.ndarray, rate: int) -> Image:
    """The image of audio [2, n] at `rate` Hz; at least one window of 40 ms."""
    from scipy import signal

    size = round(WINDOW_S * rate)
    hz, _, spectra = signal.stft(audio, rate, nperseg=size)
    middle, side = 0.5 * (spectra[0] + spectra[1]), 0.5 * (spectra[0] - spectra[1])
    first = np.searchsorted(hz, EDGES_HZ)
    power, other, cross = (
        np.add.reduceat(product, first, axis=0) for product in (np.abs(middle) ** 2, np.abs(side) ** 2, (middle * side.conj()).real)
    )
    power = power + 1e-15  # silence is mono
    pan = cross.sum(1) / power.sum(1)
    moved = power * (np.clip(cross / power, -1, 1) - pan[:, None]) ** 2
    return Image(np.sqrt(other.sum(1) / power.sum(1)), pan, np.sqrt(moved.sum(1) / power.sum(1)))


def averaged(audio: np.ndarray, rate: int) -> np.ndarray:
    """Width, size of the pan, and motion [3] of audio [channels, n], means over the bands from 150 Hz; 0 unless there are two."""
    if len(audio) != 2:
        return np.zeros(3)
    found = image(audio, rate)
    return np.array([values[FROM:].mean() for values in (found.width, np.abs(found.pan), found.motion)])
