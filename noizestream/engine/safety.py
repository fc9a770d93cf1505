"""The last thing before the ring or the file: nothing louder than -0.3 dBFS, no DC, no NaN ever leaves the engine.

    block -> gain above 0 dB -> DC blocker -> limiter -> clip at the ceiling
    NaN, Inf or a failing step -> the last good sample fades to silence, the model's state starts afresh, the music fades in again

Live and render use the same chain, so they give the same samples. Vectorised NumPy: 20 us for a stereo
block of 512 that needs no limit.
"""

import math
from itertools import pairwise

import numpy as np

from noizestream.engine.generator import Generator
from noizestream.errors import NoizestreamError

CEILING = math.floor(10 ** (-0.3 / 20) * 2**23) / 2**23
"""-0.3 dBFS rounded down to what 24-bit audio and float32 both hold exactly, so that writing a file cannot round above it."""

INPUT_LIMIT = 8.0
"""+18 dBFS: a model that runs away further is clipped there, or the DC blocker would remember it for seconds."""

DC_HZ = 5.0
FADE_S = 0.005
RELEASE_S = 0.1
HOP = 32
"""Samples between two gains of the limiter: it looks ahead inside the block and so costs no latency."""
ATTACK = 10 ** (3 / 20)
"""The limiter's gain falls by at most 3 dB a hop, where the block is long enough to see the peak coming."""


_highest, _lowest = np.maximum.reduce, np.minimum.reduce


class Safety:
    """Stateful chain over blocks `[channels, n]`, any n. It opens with a fade of 5 ms, so no stream starts with a click."""

    def __init__(self, channels: int, sample_rate: int):
        self.channels, self.sample_rate = channels, sample_rate
        self._pole = 1.0 - 2 * math.pi * DC_HZ / sample_rate
        self._release = 1.0 - math.exp(-HOP / (RELEASE_S * sample_rate))
        self._fade_frames = max(1, round(FADE_S * sample_rate))
        self._fade = 0.5 - 0.5 * np.cos(np.pi * np.arange(self._fade_frames) / self._fade_frames)  # 0 .. almost 1
        self._size(0)
        self._boost = 1.0
        self.reset()

    def reset(self) -> None:
        """As new: the next block fades in from silence."""
        self._mean = np.zeros((self.channels, 1))
        self._last = np.zeros((self.channels, 1))
        self._gain = 1.0
        self._faded = 0

    def process(self, block: np.ndarray, boost: float = 1.0, power: float | None = None) -> np.ndarray:
        """Return the safe `[channels, n]` float32 of a finite `block`, with linear gain `boost` (glides from the last one).

        `power` is `energy(block)`, where the caller has it already.
        """
        frames = block.shape[1]
        if frames != self._work.shape[1]:
            self._size(frames)
        # What has so little energy has no sample beyond the limit.
        if not (energy(block) if power is None else power) <= INPUT_LIMIT**2:
            block = np.clip(block.astype(np.float64), -INPUT_LIMIT, INPUT_LIMIT)
        if boost != self._boost:
            block = block * np.linspace(self._boost, boost, frames + 1)[1:]
            self._boost = boost
        elif boost != 1.0:
            block = np.multiply(block, boost, dtype=np.float64)
        signal = self._without_dc(block)
        if self._faded < self._fade_frames:
            ramp = self._fade[self._faded : self._faded + frames]
            signal[:, : len(ramp)] *= ramp
            self._faded += len(ramp)
        if self._limit(signal):
            np.clip(signal, -CEILING, CEILING, out=signal)
        if frames:
            self._last = signal[:, -1:]
        return signal.astype(np.float32)

    def silence(self, frames: int) -> np.ndarray:
        """Return `[channels, frames]` that fade from the last good sample to zero; what follows fades in."""
        signal = np.zeros((self.channels, frames))
        tail = 1.0 - self._fade[: min(frames, self._fade_frames)]
        signal[:, : len(tail)] = self._last * tail
        self.reset()
        return signal.astype(np.float32)

    def _size(self, frames: int) -> None:
        """Tables and temporaries for blocks of `frames`."""
        decay = self._pole ** np.arange(1, frames + 1)
        self._decay, self._weights = decay, (1.0 - self._pole) / decay
        self._work = np.empty((self.channels, frames))

    def _without_dc(self, signal: np.ndarray) -> np.ndarray:
        """A new float64 array: `signal` less its running mean m[t] = p m[t-1] + (1 - p) x[t].

        The mean is a sum of x[k] p^-k scaled by p^t, which needs no loop.
        """
        mean = self._work
        np.multiply(signal, self._weights, out=mean)
        np.add.accumulate(mean, axis=1, out=mean)
        mean += self._mean
        mean *= self._decay
        if signal.shape[1]:
            self._mean = mean[:, -1:].copy()
        return np.subtract(signal, mean)

    def _limit(self, signal: np.ndarray) -> bool:
        """Scale all channels alike by a piecewise linear gain that keeps every hop under the ceiling.

        Each hop needs a gain; the gain at the border of two hops is the smaller one, so the line between two borders satisfies the
        hop below it. Only the first hop of a block starts from the past; what it leaves over is clipped.
        Returns whether there was anything to do.
        """
        frames = signal.shape[1]
        if frames == 0 or (self._gain > 0.9999 and _highest(signal, None) <= CEILING and _lowest(signal, None) >= -CEILING):
            self._gain = 1.0
            return False
        loudest = np.abs(signal).max(axis=0) if self.channels > 1 else np.abs(signal[0])
        peaks = np.maximum.reduceat(loudest, np.arange(0, frames, HOP))
        needed = (CEILING / np.maximum(peaks, CEILING)).tolist()
        needed.append(needed[-1])
        gains = [min(a, b) for a, b in pairwise(needed)]  # at borders 1..S
        for i in range(len(gains) - 2, -1, -1):
            gains[i] = min(gains[i], gains[i + 1] * ATTACK)
        gain = self._gain
        for i, limit in enumerate(gains):
            gain = min(limit, gain + (1.0 - gain) * self._release)
            gains[i] = gain
        borders = np.minimum(np.arange(0, frames + HOP, HOP)[: len(gains) + 1], frames)
        signal *= np.interp(np.arange(1, frames + 1), borders, [self._gain, *gains])
        self._gain = gain
        return True


def energy(block: np.ndarray) -> float:
    """The sum of the squares of a block; NaN or infinite if a sample is (or so large that its square is)."""
    flat = block.reshape(-1)
    return float(np.vdot(flat, flat))


class SafeStream:
    """A generator behind its safety: `step` never raises and never returns anything that could harm ears or speakers."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self.safety = Safety(generator.metadata.channels, generator.metadata.sample_rate)
        self.resets = 0

    def step(self, boost: float = 1.0) -> np.ndarray:
        """Return the next safe `[channels, block_frames]`; `resets` counts the blocks that the model spoilt."""
        try:
            block = self.generator.step()
            power = energy(block)
            # Exact only where it matters: a finite block whose energy overflows is looked at sample by sample.
            good = math.isfinite(power) or bool(np.isfinite(block).all())
        except NoizestreamError:
            good = False
        if not good:
            self.resets += 1
            self.generator.clear_state()
            return self.safety.silence(self.generator.metadata.block_frames)
        return self.safety.process(block, boost, power)
