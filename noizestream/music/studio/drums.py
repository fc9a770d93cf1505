"""Percussion as one-shots: mono float32 at 48 kHz, peak about 1, energy in the first milliseconds so that onsets are sharp."""

import numpy as np

from noizestream.music.studio.effects import passed
from noizestream.music.studio.oscillators import SAMPLE_RATE, Array, fall, frames

Rng = np.random.Generator


def _peak(sound: Array) -> Array:
    return (sound / np.abs(sound).max()).astype(np.float32)


def noise(rng: Rng, seconds: float, decay: float, band: tuple[float, float]) -> Array:
    """Noise in a band (Hz) that dies away with the time constant `decay`."""
    length = frames(seconds)
    return _peak(passed(rng.standard_normal(length), "bandpass", band) * fall(length, decay))


def kick(rng: Rng, low: float, sweep: float, decay: float, click: float = 0.5) -> Array:
    """A sine that falls from `low` + `sweep` to `low` Hz, with a click over all bands: that, not the boom, is the onset."""
    length = frames(decay * 5)
    t = np.arange(length) / SAMPLE_RATE
    frequency = low + sweep * np.exp(-t / 0.018)
    body = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE) * fall(length, decay)
    tick = noise(rng, 0.03, 0.006, (400, 13000)) * click
    body[: len(tick)] += tick
    return _peak(body)


def snare(rng: Rng, pitch: float, decay: float, bright: float = 9000.0) -> Array:
    """Two drum modes under a rattle of noise."""
    length = frames(decay * 5)
    t = np.arange(length) / SAMPLE_RATE
    modes = np.sin(2 * np.pi * pitch * t) + 0.6 * np.sin(2 * np.pi * pitch * 1.79 * t)
    rattle = passed(rng.standard_normal(length), "bandpass", (900, bright)) * fall(length, decay)
    return _peak(0.5 * modes * fall(length, 0.04) + 0.8 * rattle)


def clap(rng: Rng, decay: float) -> Array:
    """Three short bursts 9 ms apart and a tail."""
    out = noise(rng, decay * 6, decay, (900, 7000)) * 0.8
    for burst in range(3):
        part = noise(rng, 0.02, 0.004, (900, 7000))
        start = frames(0.009 * burst)
        out[start : start + len(part)] += part
    return _peak(out)


def hat(rng: Rng, decay: float, low: float = 7000.0) -> Array:
    """Noise and six inharmonic partials above `low` Hz; short is closed, long is open."""
    length = frames(min(0.6, decay * 5))
    t = np.arange(length) / SAMPLE_RATE
    metal = sum(np.sin(2 * np.pi * f * t + i) for i, f in enumerate((7411, 8237, 9133, 10453, 11887, 13099)))
    hiss = passed(rng.standard_normal(length), "bandpass", (low, 14500), 6)
    return _peak((hiss + 0.12 * metal) * fall(length, decay))


def rim(rng: Rng, pitch: float = 1700.0) -> Array:
    """A stick on the rim: two short pings and a tick."""
    length = frames(0.09)
    t = np.arange(length) / SAMPLE_RATE
    ping = np.cos(2 * np.pi * pitch * t) * fall(length, 0.012) + 0.8 * np.cos(2 * np.pi * pitch * 0.31 * t) * fall(length, 0.02)
    ping[: frames(0.008)] += 0.4 * noise(rng, 0.008, 0.002, (2000, 10000))
    return _peak(ping)


def tom(pitch: float, decay: float) -> Array:
    """A sine with a small fall in pitch."""
    length = frames(decay * 5)
    t = np.arange(length) / SAMPLE_RATE
    return _peak(np.sin(2 * np.pi * np.cumsum(pitch * (1 + 0.6 * np.exp(-t / 0.03))) / SAMPLE_RATE) * fall(length, decay))
