"""Where the beats are: positions in beats for every frame, by librosa's tracker (Ellis 2007), straightened where tempo holds."""

from dataclasses import dataclass

import numpy as np

ANALYSIS_RATE = 22050
HOP = 256
STEADY = 0.06
"""Tracked beats within this share of a beat from an even grid (root mean square) are taken for a grid."""
FALLBACK_BPM = 100.0
BEATLESS_BPM = 120.0
"""Music without a beat is counted in quarters of a beat of 125 ms."""
BAR = 4
BASS_HZ = 150.0


@dataclass(frozen=True)
class Beats:
    """`times` [n] seconds of beats 0, 1, 2 ...; `tempo` in BPM; `steady` where they lie on an even grid."""

    times: np.ndarray
    tempo: float
    steady: bool

    def at(self, seconds: np.ndarray) -> np.ndarray:
        """Return the position in beats at `seconds` [T] as float64 [T]: between beats in proportion, outside at the tempo."""
        period = 60.0 / self.tempo
        index = np.arange(len(self.times), dtype=np.float64)
        before = self.times[0] - period * np.arange(len(seconds) and int(self.times[0] / period) + 2, 0, -1)
        after_count = int(max(0.0, (seconds[-1] if len(seconds) else 0) - self.times[-1]) / period) + 2
        after = self.times[-1] + period * np.arange(1, after_count + 1)
        times = np.concatenate([before, self.times, after])
        beats = np.concatenate([index[0] - np.arange(len(before), 0, -1), index, index[-1] + np.arange(1, after_count + 1)])
        return np.interp(seconds, times, beats)


def track_beats(audio: np.ndarray, rate: int) -> Beats:
    """Return the beats of mono float32 `audio` [n] at `rate` Hz. Music without any gets an even grid at `FALLBACK_BPM`."""
    import librosa
    import soxr

    small = soxr.resample(audio, rate, ANALYSIS_RATE) if rate != ANALYSIS_RATE else audio
    onset = librosa.onset.onset_strength(y=small, sr=ANALYSIS_RATE, hop_length=HOP, aggregate=np.median)
    _, frames = librosa.beat.beat_track(onset_envelope=onset, sr=ANALYSIS_RATE, hop_length=HOP, trim=False)
    times = np.asarray(frames, np.float64) * HOP / ANALYSIS_RATE
    if len(times) < 8:
        period = 60.0 / FALLBACK_BPM
        return Beats(np.arange(max(2, int(len(audio) / rate / period) + 1)) * period, FALLBACK_BPM, True)
    grid = _grid(times, onset)
    if grid is not None:
        start, period = grid
        # Count from the first beat at or after the start: music cut at a bar line then has its bars at multiples of 4.
        first = start - np.ceil((start + 0.25 * period) / period - 1) * period
        return Beats(first + period * np.arange(int((len(audio) / rate - first) / period) + 2), 60.0 / period, True)
    return Beats(times, float(60.0 * (len(times) - 1) / (times[-1] - times[0])), False)


def even(seconds: float) -> Beats:
    """Return the grid that music without a beat gets, for music that lasts so many `seconds`."""
    period = 60.0 / BEATLESS_BPM
    return Beats(np.arange(max(2, int(seconds / period) + 2)) * period, BEATLESS_BPM, True)


def from_downbeat(beats: Beats, chroma: np.ndarray, audio: np.ndarray, rate: int) -> Beats:
    """Return the `beats` of mono `audio` [n], counted so that bars of `BAR` beats begin at its multiples.

    A bar begins where harmony and bass change most: `chroma` [T, 12] is that of analysis/chords.py. Of the beats before the first
    such one, a bar's rest is left out.
    """
    from scipy.signal import butter, sosfilt

    from noizestream.analysis.chords import between

    if len(beats.times) < 4 * BAR or not len(chroma):
        return beats
    rows = between(chroma, rate, beats.times)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    harmony = 1 - np.sum(rows[1:] * rows[:-1], axis=1)  # from beat i to beat i + 1
    low = np.square(sosfilt(butter(2, BASS_HZ, fs=rate, output="sos"), audio))
    sums = np.concatenate([[0.0], np.cumsum(low, dtype=np.float64)])
    edges = np.clip(np.round(beats.times * rate).astype(int), 0, len(audio))
    level = np.log(np.diff(sums[edges]) / np.maximum(np.diff(edges), 1) + 1e-7)
    rise = np.maximum(np.diff(level), 0.0)
    change = harmony / max(harmony.std(), 1e-9) + rise / max(rise.std(), 1e-9)
    first = int(np.argmax([change[(start - 1) % BAR :: BAR].mean() for start in range(BAR)]))
    return Beats(beats.times[first:], beats.tempo, beats.steady)


def _grid(times: np.ndarray, onset: np.ndarray) -> tuple[float, float] | None:
    """(a beat's time, period) in seconds if the beats are even, refined on the onset envelope; else None."""
    gaps = np.diff(times)
    index = np.concatenate([[0.0], np.cumsum(np.round(gaps / np.median(gaps)))])
    keep = np.ones(len(times), bool)
    for _ in range(3):  # drop stragglers, as at the edges of a clip
        period, start = np.polyfit(index[keep], times[keep], 1)
        residual = np.abs(times - start - period * index)
        keep = residual < max(0.1 * period, 1e-3)
        if keep.sum() < 0.7 * len(times):
            return None
    if np.sqrt(np.mean(residual[keep] ** 2)) > STEADY * period:
        return None
    # The tracker's frames are 12 ms apart: slide and stretch the grid a little to where the onsets are strongest.
    steps = np.arange(int((len(onset) * HOP / ANALYSIS_RATE - start) / period))
    best, found = -1.0, (start, period)
    at = np.arange(len(onset)) * HOP / ANALYSIS_RATE
    for stretch in np.linspace(-0.004, 0.004, 33):
        for slide in np.linspace(-0.03, 0.03, 13):
            p = period * (1 + stretch)
            middle = start + period * len(steps) / 2
            score = float(np.interp(middle + slide + (steps - len(steps) / 2) * p, at, onset).sum())
            if score > best:
                best, found = score, (middle + slide - len(steps) / 2 * p, p)
    return found


def fold(tempo: float, towards: float) -> float:
    """Return the power of two that brings `tempo` within half an octave of `towards`."""
    return float(2.0 ** np.round(np.log2(towards / tempo)))
