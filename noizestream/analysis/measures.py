"""How alive audio is, as numbers to set beside those of real music. Pure functions on mono float32 `audio` [n] at `rate` Hz.

They are ratios or shares and mean little alone: compare rendered with real audio of the same genre and about the same length.
"""

import math
from dataclasses import dataclass

import numpy as np

from noizestream.analysis.pulse import pulse
from noizestream.music import compiled

MEASURED_S = 20.0
"""They are taken over stretches of about this length, as some depend on it."""
SILENT_DBFS = -50.0
WINDOW_S = 0.5
"""Silence and repeats are counted in windows of this length."""
LOOK_BACK = 8
"""Windows before a window in which it may have been heard already: 4 s."""
COPIED = 0.1
"""Share of a window's movement that a copy leaves unexplained: loops played again with other phases leave less, players more."""


@dataclass(frozen=True)
class Measures:
    """All measures of one piece of audio; `tempo` is in BPM, `silence` and `repeats` are shares."""

    silence: float
    repeats: float
    peakiness: float
    flux: float
    pulse: float
    tempo: float


def measure(audio: np.ndarray, rate: int) -> Measures:
    """Return every measure of mono `audio` [n]; a pulse needs four seconds at least (ValueError below one second)."""
    if len(audio) < rate:
        raise ValueError("at least one second of audio is needed")
    clarity, tempo = pulse(audio, rate)
    return Measures(
        silence(audio, rate),
        repeats(audio, rate),
        peakiness(audio, rate),
        flux(audio, rate),
        clarity,
        tempo,
    )


def stretches(mono: np.ndarray, rate: int) -> list[np.ndarray]:
    """mono [n] in parts of `MEASURED_S`, or whole if it is not much longer; the last two overlap, so that all are equally long."""
    size = round(MEASURED_S * rate)
    if len(mono) < 1.25 * size:
        return [mono]
    starts = np.linspace(0, len(mono) - size, math.ceil(len(mono) / size)).round().astype(int)
    return [mono[start : start + size] for start in starts]


def silence(audio: np.ndarray, rate: int) -> float:
    """Share of half-second windows whose RMS is below `SILENT_DBFS`."""
    power = np.mean(np.square(_windows(audio, round(WINDOW_S * rate)), dtype=np.float64), axis=1)
    return float(np.mean(power < 10 ** (SILENT_DBFS / 10)))


def repeats(audio: np.ndarray, rate: int) -> float:
    """Share of half-second windows that stick: nothing moves in them, or they copy audio at most `LOOK_BACK` windows earlier.

    Nothing moves: the log-mel spectrum changes by less than 0.01 (in log10) from frame to frame. A copy: the picture (40 mels in
    dB, 5 ms a column) of some earlier half second leaves less than `COPIED` of how the window moves around its own mean
    unexplained. Phases have no part in it, as they have hardly any in what is heard: a loop that is made again with phases of its
    own is a copy. Steady noise is none, its chance movements differ. Real music repeats itself too, so compare with real.
    """
    moves = np.abs(np.diff(log_mel(audio, rate), axis=1)).mean(axis=0)  # per frame
    picture = _picture(audio, rate)
    size = round(WINDOW_S * len(picture) / (len(audio) / rate))
    loud = np.mean(np.square(_windows(audio, round(WINDOW_S * rate)), dtype=np.float64), axis=1) >= 10 ** (SILENT_DBFS / 10)
    count = min(len(loud), len(picture) // size)
    if count < 2:
        return 0.0
    per = len(moves) * size / len(picture)
    places = np.lib.stride_tricks.sliding_window_view(picture, size, axis=0).transpose(0, 2, 1)  # [starts, size, mels]
    powers = np.convolve(np.square(picture).sum(axis=1), np.ones(size), "valid")
    stuck = 0
    for index in np.flatnonzero(loud[1:count]) + 1:  # silence is counted elsewhere
        if np.median(moves[round(index * per) : round((index + 1) * per)]) < 0.01:
            stuck += 1
            continue
        begin = index * size
        earlier = slice(max(0, begin - LOOK_BACK * size), begin - size // 2 + 1)  # not the window itself, nor a step beside it
        window = picture[begin : begin + size]
        away = powers[begin] + powers[earlier] - 2 * np.tensordot(places[earlier], window)
        stuck += bool(away.min() < COPIED * np.square(window - window.mean(axis=0)).sum())
    return stuck / count


def _picture(audio: np.ndarray, rate: int) -> np.ndarray:
    """Mels in dB [T, 40], blurred over 25 ms, so that a copy between two columns is one; 60 dB under the loudest is nothing."""
    from scipy.ndimage import convolve1d

    hop = max(1, round(rate / 187.5))
    melspectrogram = compiled.librosa().feature.melspectrogram
    mel = melspectrogram(y=np.asarray(audio, np.float32), sr=rate, n_fft=2048, hop_length=hop, n_mels=40, power=2.0)
    blur = np.hanning(11)[1:-1]
    mel = convolve1d(mel.astype(np.float64), blur / blur.sum(), axis=1)
    return 10 * np.log10(np.maximum(mel, max(1e-6 * mel.max(), 1e-12))).T


def peakiness(audio: np.ndarray, rate: int) -> float:
    """Spectral crest: the median over frames of the maximum over the mean of the magnitude from 30 Hz to 6 kHz (n_fft 4096).

    Noise is near 4, a chord several times that. Frames 40 dB below the loudest are left out. Recordings may have an offset, which
    nobody hears and the engine takes off: it is no peak, nor are the bins that the window spreads it to.
    """
    magnitudes = np.abs(compiled.librosa().stft(audio, n_fft=4096, hop_length=1024))
    magnitudes = magnitudes[math.ceil(30 / rate * 4096) : int(6000 / rate * 4096)]
    mean = magnitudes.mean(axis=0)
    heard = mean > max(0.01 * mean.max(), 1e-9)
    return float(np.median(magnitudes[:, heard].max(axis=0) / mean[heard])) if heard.any() else 0.0


def flux(audio: np.ndarray, rate: int) -> float:
    """Mean change of the log-mel spectrum (`log_mel`) from frame to frame."""
    return float(np.abs(np.diff(log_mel(audio, rate), axis=1)).mean())


def _windows(audio: np.ndarray, size: int) -> np.ndarray:
    return audio[: len(audio) // size * size].reshape(-1, size)


def log_mel(audio: np.ndarray, rate: int) -> np.ndarray:
    """Log-mel spectrum [80, frames] of mono `audio` [n]: n_fft 2048, hop 512, magnitude, log10 with floor 1e-4."""
    melspectrogram = compiled.librosa().feature.melspectrogram
    mel = melspectrogram(y=np.asarray(audio, np.float32), sr=rate, n_fft=2048, hop_length=512, n_mels=80, power=1.0)
    return np.log10(np.maximum(mel, 1e-4))
