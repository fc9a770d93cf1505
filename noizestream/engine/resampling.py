"""From the model's rate to the device's, live: a fixed lag of half a millisecond and no bursts.

soxr's streams, measured in chunks of 512 from 48 to 44.1 kHz, hand out their audio in bursts: LQ lags by 0.7 to 10 ms and HQ by 2.4
to 19, which the ring would have to hold in reserve. A polyphase FIR over a fixed window hands out every sample its input allows.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

TAPS = 48
"""Input samples that make one output sample, when not going down in rate: half of them lie ahead, 0.5 ms at 48 kHz."""
KAISER_BETA = 7.0
"""About 70 dB of stop band."""


class Resampler:
    """Chunks `[n, channels]` float32 at `source` Hz in, chunks at `target` Hz out; equal rates pass through untouched.

        input   . . . [x x x x|x x x x] . .      output m lies at m * source / target; its window of taps is centred there
                              ^ output m         and weighted with one of `target / gcd` phases of a windowed sinc

    Any chunking gives the same samples.
    """

    def __init__(self, source: int, target: int, channels: int):
        self.source, self.target, self.channels = source, target, channels
        divisor = math.gcd(source, target)
        self._phases, self._stride = target // divisor, source // divisor
        self._taps = 2 * math.ceil(TAPS / 2 * max(1.0, source / target))
        self._table = _windowed_sinc(self._phases, self._taps, min(1.0, target / source))
        self.reset()

    @property
    def latency_frames(self) -> float:
        """Frames at `target` by which the output lags: what a window needs to see ahead."""
        return 0.0 if self.source == self.target else self._taps / 2 * self.target / self.source

    def reset(self) -> None:
        """Forget everything heard: as new."""
        self._kept = np.zeros((self._taps // 2 - 1, self.channels), np.float32)  # silence before the first sample
        self._position = 0  # of the next window's first tap in `_kept`, in phases

    def process(self, frames: np.ndarray) -> np.ndarray:
        """Return all that `frames` and what came before allow, `[m, channels]`; m varies by one and may be 0."""
        if self.source == self.target:
            return frames
        heard = np.concatenate([self._kept, frames])
        ready = (len(heard) - self._taps + 1) * self._phases - self._position  # phases up to the first window that sticks out
        count = max(0, -(-ready // self._stride))
        positions = self._position + self._stride * np.arange(count)
        starts, phases = np.divmod(positions, self._phases)
        made = np.zeros((0, self.channels), np.float32)
        if count:
            weights = self._table.take(phases, axis=0)  # [m, taps]
            made = np.empty((count, self.channels), np.float32)
            for channel in range(self.channels):  # one at a time: NumPy is far quicker where both operands lie in a row
                windows = sliding_window_view(np.ascontiguousarray(heard[:, channel]), self._taps)[starts]
                made[:, channel] = np.einsum("mt,mt->m", windows, weights)
        self._position += self._stride * count
        done = min(self._position // self._phases, len(heard))
        self._kept, self._position = heard[done:].copy(), self._position - done * self._phases
        return made

    def largest(self, frames: int) -> int:
        """Return the most frames that a chunk of `frames` can give."""
        return -(-frames * self.target // self.source)


def _windowed_sinc(phases: int, taps: int, passband: float) -> np.ndarray:
    """Kaiser-windowed low-pass `[phases, taps]` float32, gain 1 at 0 Hz in every phase; `passband` 1 is the input's Nyquist."""
    width = (KAISER_BETA / 0.1102 + 0.7) / (2.285 * taps * math.pi)  # of the transition, in units of the input's Nyquist
    cutoff = passband - width / 2
    reach = taps / 2
    time = np.arange(taps)[None] - (reach - 1) - np.arange(phases)[:, None] / phases
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(0.0, 1 - (time / reach) ** 2)))
    table = np.sinc(cutoff * time) * window
    return (table / table.sum(axis=1, keepdims=True)).astype(np.float32)
