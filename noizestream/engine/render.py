"""To a file instead of a device: the same generator and the same safety as live, as fast as the machine steps."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from noizestream.engine.generator import Generator
from noizestream.engine.safety import FADE_S, SafeStream
from noizestream.errors import NoizestreamError, UsageError
from noizestream.soundfiles import sound_file


def render(generator: Generator, path: str | Path, seconds: float, progress: Callable[[int, int], None] | None = None) -> float:
    """Write `seconds` of `generator` from where it stands to `path` (.wav or .flac, 24 bit, its own rate and channels).

    Memory does not grow with the length. `progress(done, total)` is called with frames after each block. The last 5 ms fade out.
    Returns the real-time factor: seconds of audio made per second.
    """
    metadata = generator.metadata
    total = round(seconds * metadata.sample_rate)
    if total < 1:
        raise UsageError(f"--seconds: {seconds:g} gives no audio, give more than 0")
    stream = SafeStream(generator)
    started = time.perf_counter()
    done = 0
    with sound_file(path, metadata.sample_rate, metadata.channels) as file:
        while done < total:
            block = stream.step()[:, : total - done]
            file.write((block * _closing_fade(done, block.shape[1], total, metadata.sample_rate)).T)
            done += block.shape[1]
            if progress is not None:
                progress(done, total)
        if stream.resets * metadata.block_frames >= total:
            raise NoizestreamError(f"{metadata.name}: every block it made was spoilt (NaN, Inf or an error), nothing is written")
    return seconds / (time.perf_counter() - started)


def _closing_fade(start: int, frames: int, total: int, sample_rate: int) -> np.ndarray | np.float32:
    """Gain `[frames]` for the samples from `start`: 1 up to the last 5 ms of `total`, there a cosine down to 0."""
    length = min(total, max(1, round(FADE_S * sample_rate)))
    if start + frames <= total - length:
        return np.float32(1.0)
    left = np.minimum(total - 1 - np.arange(start, start + frames), length) / length
    return (0.5 - 0.5 * np.cos(np.pi * left)).astype(np.float32)
