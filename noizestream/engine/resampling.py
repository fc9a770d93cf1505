"""From the model's rate and channels to the device's, as a stream."""

import numpy as np
import soxr

LIVE, RENDER = "LQ", "HQ"
"""Quality of soxr. Between 44.1 and 48 kHz HQ lags 2.5-20.7 ms in bursts, LQ 0.5 ms at the price of -0.8 dB at 17 kHz."""


def map_channels(frames: np.ndarray, channels: int) -> np.ndarray:
    """Return `frames` `[n, C]` as `[n, channels]`: mono goes to all, all average to mono, else extra ones are dropped or silent."""
    have = frames.shape[1]
    if have == channels:
        return frames
    if have == 1:
        return np.repeat(frames, channels, axis=1)
    if channels == 1:
        return frames.mean(axis=1, keepdims=True, dtype=np.float32)
    mapped = np.zeros((len(frames), channels), frames.dtype)
    shared = min(have, channels)
    mapped[:, :shared] = frames[:, :shared]
    return mapped


class Resampler:
    """Chunks of `[n, channels]` float32 at `source` Hz in, chunks at `target` Hz out; equal rates pass through untouched."""

    def __init__(self, source: int, target: int, channels: int, quality: str = LIVE):
        self.source, self.target, self.channels = source, target, channels
        self._stream = None
        if source != target:
            self._stream = soxr.ResampleStream(source, target, channels, dtype="float32", quality=quality)

    def resample(self, frames: np.ndarray, last: bool = False) -> np.ndarray:
        """Return what is ready, `[m, channels]`; m varies and may be 0. `last` flushes the end."""
        if self._stream is None:
            return frames
        made = self._stream.resample_chunk(np.ascontiguousarray(frames, np.float32), last)
        return made.reshape(-1, self.channels)

    @property
    def delay_frames(self) -> float:
        """Frames at `target` that are inside, waiting."""
        return self._stream.delay() if self._stream is not None else 0.0

    def clear(self) -> None:
        """Forget everything heard: as new."""
        if self._stream is not None:
            self._stream.clear()

    def largest(self, frames: int) -> int:
        """The most frames that a chunk of `frames` gives in the long run, rounded up."""
        return -(-frames * self.target // self.source)
