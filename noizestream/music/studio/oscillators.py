"""Sound sources: band-limited oscillators by wavetable, envelopes, noise. Mono float32 at 48 kHz, nothing aliases.

A table holds one period, summed from exactly the harmonics below `TOP`. A moving filter is a stack of such tables, one per
cutoff, read with bilinear interpolation: the filter acts on each harmonic by its own gain, so it neither lags nor rings.
"""

from functools import lru_cache

import numpy as np

SAMPLE_RATE = 48000
TOP = 15000.0
"""Hz; no oscillator has a harmonic above it."""

_SIZE = 4096
_DRAWBARS = {"organ": (0.9, 0.8, 0.35, 0.5, 0.0, 0.25, 0.0, 0.3), "reed": (1.0, 0.35, 0.75, 0.2, 0.5, 0.12, 0.3, 0.08, 0.2)}
Array = np.ndarray


def frames(seconds: float) -> int:
    """Return the whole frames nearest to `seconds`."""
    return round(seconds * SAMPLE_RATE)


def hertz(pitch: float) -> float:
    """Return the frequency in Hz of a MIDI `pitch` (69 is 440 Hz)."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


@lru_cache(maxsize=64)
def _harmonics(shape: str, count: int) -> Array:
    """Complex amplitudes [count] of a shape: saw, triangle, pulse<percent>, steps (a 4-bit triangle), organ, reed."""
    k = np.arange(1, count + 1)
    if shape == "saw":
        return -1j / k
    if shape == "triangle":
        return np.where(k % 2 == 1, 1.0 / k**2, 0.0) + 0j
    if shape.startswith("pulse"):
        return np.sin(np.pi * k * int(shape[5:]) / 100) / k + 0j
    if shape == "steps":
        ramp = np.arange(_SIZE) * 32 // _SIZE
        period = np.where(ramp < 16, ramp, 31 - ramp) / 7.5 - 1
        return np.fft.rfft(period)[1 : count + 1] / (_SIZE / 2)
    drawbars = _DRAWBARS[shape]
    amplitudes = np.zeros(count, complex)
    amplitudes[: len(drawbars)] = np.array(drawbars[:count]) * np.exp(1j * k[: len(drawbars)] ** 2)
    return amplitudes


@lru_cache(maxsize=256)
def _tables(shape: str, frequency: float, cutoffs: tuple[float, ...], resonance: float) -> Array:
    """One period for every cutoff: float32 [levels, _SIZE + 1]; the last column repeats the first."""
    count = max(1, min(int(TOP / frequency), _SIZE // 2 - 1))
    ratio = frequency * np.arange(1, count + 1) / np.array(cutoffs)[:, None]
    gain = 1 / np.sqrt((1 - ratio**2) ** 2 + (ratio / resonance) ** 2)
    spectrum = np.zeros((len(cutoffs), _SIZE // 2 + 1), complex)
    spectrum[:, 1 : count + 1] = _harmonics(shape, count) * gain
    periods = np.fft.irfft(spectrum, axis=1) * (_SIZE / 2)
    return np.concatenate([periods, periods[:, :1]], 1).astype(np.float32)


def oscillator(
    shape: str, frequency: float | Array, length: int, cutoff: float | Array = 1e6, resonance: float = 0.7, phase: float = 0.0
) -> Array:
    """Return a tone: float32 [length]. `frequency` and `cutoff` (a second-order low-pass) in Hz may move: [length] each."""
    moving = np.ndim(cutoff) > 0
    cutoff = np.asarray(cutoff, float)
    low, high = float(np.min(cutoff)), float(np.max(cutoff))
    levels = max(2, 1 + int(np.ceil(4 * np.log2(high / low)))) if moving else 1
    grid = tuple(np.round(np.geomspace(low, max(high, low * 1.01), levels), 1)) if moving else (low,)
    tables = _tables(shape, round(float(np.max(frequency)), 2), grid, resonance)
    turns = np.cumsum(frequency) if np.ndim(frequency) else np.arange(length) * float(frequency)
    position = (turns / SAMPLE_RATE + phase) % 1.0 * _SIZE
    column = np.minimum(position.astype(np.int64), _SIZE - 1)
    between = (position - column).astype(np.float32)
    if not moving:
        row = tables[0]
        return row[column] * (1 - between) + row[column + 1] * between
    level = np.clip(np.log(cutoff / grid[0]) / np.log(grid[-1] / grid[0]) * (levels - 1), 0, levels - 1.0001)
    row_index = level.astype(np.int64)
    weight = (level - row_index).astype(np.float32)
    darker = tables[row_index, column] * (1 - between) + tables[row_index, column + 1] * between
    brighter = tables[row_index + 1, column] * (1 - between) + tables[row_index + 1, column + 1] * between
    return darker * (1 - weight) + brighter * weight


def unison(shape: str, frequency: float, length: int, cents: tuple[float, ...], cutoff: float | Array = 1e6) -> Array:
    """Return detuned oscillators, as loud as one: float32 [length]; their phases are spread so that the start is no spike."""
    total = np.zeros(length, np.float32)
    for index, detune in enumerate(cents):
        total += oscillator(shape, frequency * 2 ** (detune / 1200), length, cutoff, phase=index * 0.618)
    return total / np.sqrt(len(cents))


def bell(frequency: float, length: int, ratio: float, index: float, decay: float) -> Array:
    """Return two-operator FM with a falling index: float32 [length]; the index shrinks where its sidebands would pass `TOP`."""
    t = np.arange(length) / SAMPLE_RATE
    bound = max(0.0, (TOP / frequency - 1) / ratio - 1)
    moving = min(index, bound) * np.exp(-t / (decay * 0.4))
    tone = np.sin(2 * np.pi * frequency * t + moving * np.sin(2 * np.pi * frequency * ratio * t))
    return (tone * np.exp(-t / decay)).astype(np.float32)


def adsr(held: int, attack: float, decay: float, sustain: float, release: float) -> Array:
    """Return an envelope: float32 [held + frames(release)], 0..1, from 0 to 0; `held` in frames, the other times in seconds."""
    rise, tail = max(1, frames(attack)), max(1, frames(release))
    t = np.arange(held)
    body = np.where(t < rise, t / rise, sustain + (1 - sustain) * np.exp(-(t - rise) / max(1, frames(decay))))
    level = body[-1] if held else 0.0
    return np.concatenate([body, level * np.linspace(1, 0, tail) ** 2]).astype(np.float32)


def fall(length: int, seconds: float) -> Array:
    """Return the exponential decay from 1 with this time constant, the last tenth faded to 0: float32 [length]."""
    envelope = np.exp(-np.arange(length) / (seconds * SAMPLE_RATE))
    tail = max(1, length // 10)
    envelope[-tail:] *= np.linspace(1, 0, tail)
    return envelope.astype(np.float32)


def wander(rng: np.random.Generator, length: int, period: float, low: float, high: float) -> Array:
    """Return a slow smooth random curve between `low` and `high`, about one turn per `period` seconds: float32 [length]."""
    points = max(4, int(length / (period * SAMPLE_RATE)) + 3)
    values = rng.uniform(low, high, points)
    position = np.arange(length) / (period * SAMPLE_RATE) % (points - 1.001)
    index = position.astype(np.int64)
    smooth = (1 - np.cos(np.pi * (position - index))) / 2
    return (values[index] * (1 - smooth) + values[index + 1] * smooth).astype(np.float32)
