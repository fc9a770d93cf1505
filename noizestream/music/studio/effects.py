"""Effects and mastering on stereo float32 [2, n] at 48 kHz: filters, echo, reverb, ducking, limiter."""

import numpy as np
from scipy import ndimage, signal

from noizestream.music.studio.oscillators import SAMPLE_RATE, Array, frames

PEAK = 10 ** (-1 / 20)
"""Ceiling of a finished track, -1 dBFS."""

_FADE_IN, _FADE_OUT = 0.0005, 0.03


def sections(kind: str, cutoff: float | tuple[float, float], order: int = 2) -> Array:
    """Butterworth second-order sections; `kind` as in scipy (lowpass, highpass, bandpass), `cutoff` in Hz."""
    return signal.butter(order, cutoff, kind, fs=SAMPLE_RATE, output="sos")


def passed(audio: Array, kind: str, cutoff: float | tuple[float, float], order: int = 2) -> Array:
    """`audio` [..., n] through a Butterworth filter."""
    return signal.sosfilt(sections(kind, cutoff, order), audio, axis=-1).astype(np.float32)


def echo(audio: Array, seconds: float, feedback: float, band: tuple[float, float], cross: float = 0.6) -> Array:
    """The echoes of `audio` [2, n] alone: each repeat is band-passed, and `cross` of it changes sides."""
    step = frames(seconds)
    sos = sections("bandpass", band, 1)
    state = signal.sosfilt_zi(sos)[:, None, :] * np.zeros((1, 2, 1))
    swap = np.array([[1 - cross, cross], [cross, 1 - cross]], np.float32)
    out = np.zeros_like(audio)
    for start in range(step, audio.shape[1], step):
        length = min(step, audio.shape[1] - start)
        source = slice(start - step, start - step + length)
        repeat, state = signal.sosfilt(sos, audio[:, source] + feedback * (swap @ out[:, source]), axis=-1, zi=state)
        out[:, start : start + length] = repeat
    return out


def reverb(audio: Array, seconds: float, rng: np.random.Generator, damping: float = 4000.0, width: float = 0.5) -> Array:
    """The reverberation of `audio` [2, n] alone, of the input's level: noise, -60 dB after `seconds`, dull above `damping` Hz."""
    length = frames(seconds)
    t = np.arange(length) / SAMPLE_RATE
    noise = rng.standard_normal((3, length))
    sides = noise[:2] * width + noise[2] * (1 - width)
    bright = signal.sosfilt(sections("highpass", damping, 1), sides) * 10 ** (-3 * t / (0.35 * seconds))
    dark = signal.sosfilt(sections("bandpass", (120, damping), 1), sides) * 10 ** (-3 * t / seconds)
    impulse = (bright + dark) * np.minimum(1, t / 0.008)
    impulse /= np.sqrt((impulse**2).sum(1, keepdims=True))
    return signal.oaconvolve(audio, impulse, axes=1)[:, : audio.shape[1]].astype(np.float32)


def duck(length: int, starts: Array, depth: float, release: float) -> Array:
    """Gain [length] that drops to 1 - `depth` at every start (frames) and recovers in `release` s: the pump of a side chain."""
    if len(starts) == 0:
        return np.ones(length, np.float32)
    t = np.arange(length)
    last = np.searchsorted(starts, t, side="right") - 1
    since = np.where(last >= 0, t - starts[np.maximum(last, 0)], length) / (release * SAMPLE_RATE)
    gain = 1 - depth * np.clip(1 - since, 0, 1) ** 1.5
    return ndimage.uniform_filter1d(gain, 240, mode="nearest").astype(np.float32)


def ensemble(audio: Array, depth: float) -> Array:
    """`audio` [2, n] with a swaying copy of its middle 12 ms later, added left and taken away right: wide, and the same in mono."""
    middle = audio.mean(0)
    position = (
        np.arange(len(middle)) - (0.012 + 0.002 * np.sin(2 * np.pi * 0.6 * np.arange(len(middle)) / SAMPLE_RATE)) * SAMPLE_RATE
    )
    before = np.maximum(position.astype(np.int64), 0)
    share = (position - before).clip(0).astype(np.float32)
    late = middle[before] * (1 - share) + middle[np.minimum(before + 1, len(middle) - 1)] * share
    return audio + np.float32(depth) * np.stack([late, -late])


def sway(audio: Array, hertz: float, depth: float) -> Array:
    """`audio` [2, n] that leans to the left and to the right `hertz` times a second; a sound in the middle is the same in mono."""
    lean = (depth * np.sin(2 * np.pi * hertz * np.arange(audio.shape[1]) / SAMPLE_RATE)).astype(np.float32)
    return audio * np.stack([1 + lean, 1 - lean])


def centred(audio: Array, below: float = 150.0) -> Array:
    """No difference of the two sides below a frequency in Hz, as on a record."""
    middle, side = (audio[0] + audio[1]) / 2, (audio[0] - audio[1]) / 2
    side = passed(side, "highpass", below)
    return np.stack([middle + side, middle - side])


def master(audio: Array, rms_db: float) -> Array:
    """Finish a track: no DC, this RMS in dBFS, at most -1 dBFS, edges faded so that they do not click; float32 [2, n].

    The limiter looks 4 ms ahead and moves its gain smoothly, so it makes no harmonics. It lowers the RMS a little,
    so level and limit are repeated.
    """
    audio = passed(audio, "highpass", 24.0)
    audio = passed(audio, "lowpass", 17000.0, 4)
    window = frames(0.004)
    target = 10 ** (rms_db / 20)
    for _ in range(3):
        audio = audio * (target / max(1e-9, float(np.sqrt(np.mean(audio**2)))))
        needed = np.minimum(1, PEAK * 0.999 / np.maximum(np.abs(audio).max(0), 1e-9))
        gain = ndimage.uniform_filter1d(ndimage.minimum_filter1d(needed, 2 * window + 1, mode="nearest"), window, mode="nearest")
        audio = audio * gain
    rise, drop = min(frames(_FADE_IN), audio.shape[1]), min(frames(_FADE_OUT), audio.shape[1])
    audio[:, :rise] *= np.linspace(0, 1, rise)
    audio[:, audio.shape[1] - drop :] *= np.linspace(1, 0, drop)
    return np.clip(audio, -PEAK, PEAK).astype(np.float32)
