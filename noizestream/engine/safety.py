"""The last thing before the ring or the file: nothing louder than -0.3 dBFS, no DC, no NaN ever leaves the engine.

    block -> gain above 0 dB -> DC blocker -> limiter -> clip at the ceiling
    NaN, Inf or a failing step -> the last good sample fades to silence, the model's state starts afresh, the music fades in again

Live and render use the same chain, so they give the same samples. Vectorised NumPy in float32: 40 us for a stereo
block of 512 that needs no limit, in the cold caches that a step leaves.
"""

import math
import warnings
from itertools import pairwise

import numpy as np

from noizestream.engine.fades import OPENING_S
from noizestream.engine.generator import Generator
from noizestream.errors import NoizestreamError
from noizestream.system.ceiling import CEILING

INPUT_LIMIT = 8.0
"""+18 dBFS: a model that runs away further is clipped there, or the DC blocker would remember it for seconds."""

DC_HZ = 5.0
RELEASE_S = 0.1
HOP = 32
"""Samples between two gains of the limiter: it looks ahead inside the block and so costs no latency."""
ATTACK = 10 ** (3 / 20)
"""The limiter's gain falls by at most 3 dB a hop, where the block is long enough to see the peak coming."""


_highest, _lowest = np.maximum.reduce, np.minimum.reduce

# Of a block that is not finite, which is found by what becomes of it. `np.errstate` would take 3 us of every block.
warnings.filterwarnings("ignore", "(invalid value|overflow) encountered", RuntimeWarning, __name__)


class Safety:
    """Stateful chain over blocks `[channels, n]`, any n. It opens with a fade of 5 ms, so no stream starts with a click."""

    def __init__(self, channels: int, sample_rate: int):
        self.channels, self.sample_rate = channels, sample_rate
        self._pole = 1.0 - 2 * math.pi * DC_HZ / sample_rate
        self._release = 1.0 - math.exp(-HOP / (RELEASE_S * sample_rate))
        self._fade_frames = max(1, round(OPENING_S * sample_rate))
        self._fade = 0.5 - 0.5 * np.cos(np.pi * np.arange(self._fade_frames) / self._fade_frames)  # 0 .. almost 1
        self._size(0)
        self._boost = 1.0
        self.reset()

    def reset(self) -> None:
        """Forget all that was heard: the next block fades in from silence."""
        self._mean = np.zeros((self.channels, 1), np.float32)
        self._last = np.zeros((self.channels, 1), np.float32)
        self._gain = 1.0
        self._faded = 0

    def process(self, block: np.ndarray, boost: float = 1.0) -> np.ndarray | None:
        """Return the safe `[channels, n]` float32 of `block`, with linear gain `boost` (glides from the last one).

        None of a block with a sample that is not finite: nothing of it is remembered.
        """
        frames = block.shape[1]
        if not frames:
            return np.zeros((self.channels, 0), np.float32)
        if frames != self._work.shape[1]:
            self._size(frames)
        signal = self._without_dc(block, boost)
        loudest = _loudest(signal)
        # What is wrong with a block shows in what becomes of it: so sound blocks are looked at once.
        if not loudest <= CEILING and not _loudest(block) <= INPUT_LIMIT:
            if not np.isfinite(block).all():
                return None
            signal = self._without_dc(np.clip(block, -INPUT_LIMIT, INPUT_LIMIT), boost)
            loudest = _loudest(signal)
        self._boost = boost
        self._mean = self._work[:, -1:].copy()  # a new one: who goes back to an earlier block has kept the old one
        if self._faded < self._fade_frames:
            ramp = self._fade[self._faded : self._faded + frames]
            signal[:, : len(ramp)] *= ramp
            self._faded += len(ramp)
        if loudest > CEILING:
            self._limit(signal)
            np.clip(signal, -CEILING, CEILING, out=signal)
        elif self._gain > 0.9999:
            self._gain = 1.0
        else:
            signal *= 1.0 - (1.0 - self._gain) * self._letting_go
            self._gain = 1.0 - (1.0 - self._gain) * float(self._letting_go[-1])
        self._last = signal[:, -1:]
        return signal

    def silence(self, frames: int) -> np.ndarray:
        """Return `[channels, frames]` that fade from the last good sample to zero; what follows fades in."""
        signal = np.zeros((self.channels, frames), np.float32)
        tail = 1.0 - self._fade[: min(frames, self._fade_frames)]
        signal[:, : len(tail)] = self._last * tail
        self.reset()
        return signal

    def _size(self, frames: int) -> None:
        """Tables and temporaries for blocks of `frames`."""
        self._positions = np.arange(1, frames + 1)
        decay = self._pole**self._positions
        self._decay, self._weights = decay.astype(np.float32), ((1.0 - self._pole) / decay).astype(np.float32)
        self._work = np.empty((self.channels, frames), np.float32)
        # Where the limiter's hops begin, and the end of the block.
        self._borders = np.minimum(np.arange(0, frames + HOP, HOP)[: -(-frames // HOP) + 1], frames)
        left = (1.0 - self._release) ** np.arange(len(self._borders))  # of what the limiter takes away, from border to border
        self._letting_go = np.interp(self._positions, self._borders, left).astype(np.float32)

    def _without_dc(self, signal: np.ndarray, boost: float) -> np.ndarray:
        """A new array: `signal` with its gain, less its running mean m[t] = p m[t-1] + (1 - p) x[t], which is left in `_work`.

        The mean is a sum of x[k] p^-k scaled by p^t, which needs no loop.
        """
        if boost != self._boost:
            signal = signal * np.linspace(self._boost, boost, signal.shape[1] + 1, dtype=np.float32)[1:]
        elif boost != 1.0:
            signal = signal * np.float32(boost)
        mean = self._work
        np.multiply(signal, self._weights, out=mean)
        mean[:, :1] += self._mean
        np.add.accumulate(mean, axis=1, out=mean)
        mean *= self._decay
        return np.subtract(signal, mean)

    def _limit(self, signal: np.ndarray) -> None:
        """Scale all channels alike by a piecewise linear gain that keeps every hop under the ceiling.

        Each hop needs a gain; the gain at the border of two hops is the smaller one, so the line between two borders satisfies the
        hop below it. Only the first hop of a block starts from the past; what it leaves over is clipped.
        """
        loudest = np.abs(signal).max(axis=0) if self.channels > 1 else np.abs(signal[0])
        peaks = np.maximum.reduceat(loudest, self._borders[:-1])
        needed = (CEILING / np.maximum(peaks, CEILING)).tolist()
        needed.append(needed[-1])
        gains = [min(a, b) for a, b in pairwise(needed)]  # at borders 1..S
        for i in range(len(gains) - 2, -1, -1):
            gains[i] = min(gains[i], gains[i + 1] * ATTACK)
        gain = self._gain
        for i, limit in enumerate(gains):
            gain = min(limit, gain + (1.0 - gain) * self._release)
            gains[i] = gain
        signal *= np.interp(self._positions, self._borders, [self._gain, *gains])
        self._gain = gain


def _loudest(signal: np.ndarray) -> float:
    """Its largest absolute sample; NaN if one is."""
    return max(float(_highest(signal, None)), -float(_lowest(signal, None)))


class SafeStream:
    """A generator behind its safety: `step` never raises and never returns anything that could harm ears or speakers."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self.safety = Safety(generator.metadata.channels, generator.metadata.sample_rate)
        self.resets = 0

    def step(self, boost: float = 1.0) -> np.ndarray:
        """Return the next safe `[channels, block_frames]`; `resets` counts the blocks that the model spoilt."""
        try:
            block = self.safety.process(self.generator.step(copy=False), boost)
        except NoizestreamError:
            block = None
        if block is None:
            self.resets += 1
            self.generator.clear_state()
            return self.safety.silence(self.generator.metadata.block_frames)
        return block
