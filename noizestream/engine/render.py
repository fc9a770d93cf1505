"""To a file instead of a device: the same generator and the same safety as live, as fast as the machine steps."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from noizestream.engine.fades import OPENING_S
from noizestream.engine.generator import Generator
from noizestream.engine.safety import SafeStream
from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.system.soundfiles import sound_file

TOGETHER = 32
"""Blocks written at a time: every step drives what writes out of the caches, and to bring it back takes longer than to write."""


def render(
    generator: Generator,
    path: str | Path,
    seconds: float,
    progress: Callable[[int, int], None] | None = None,
    before_block: Callable[[], object] | None = None,
) -> float:
    """Write `seconds` of `generator` from where it stands to `path` (.wav or .flac, 24 bit, its own rate and channels).

    Memory does not grow with the length. `progress(done, total)` is called with frames now and then. The last 5 ms fade out.
    `before_block` is called before each block, as by who changes the chord as the music goes on.
    Returns the real-time factor: seconds of audio made per second.
    """
    metadata = generator.metadata
    total = round(seconds * metadata.sample_rate)
    if total < 1:
        raise UsageError(f"{option('seconds')}: {seconds:g} gives no audio, give more than 0")
    stream = SafeStream(generator)
    started = time.perf_counter()
    done, fade = 0, min(total, max(1, round(OPENING_S * metadata.sample_rate)))
    with torch.inference_mode(), sound_file(path, metadata.sample_rate, metadata.channels) as file:
        while done < total:
            count = min(TOGETHER, -(-(total - done) // metadata.block_frames))
            blocks = np.concatenate([_step(stream, before_block) for _ in range(count)], axis=1)[:, : total - done]
            file.write(_faded(blocks, total - done, fade).T)
            done += blocks.shape[1]
            if progress is not None:
                progress(done, total)
        if stream.resets * metadata.block_frames >= total:
            raise NoizestreamError(f"{metadata.name}: every block it made was spoilt (NaN, Inf or an error), nothing is written")
    return seconds / (time.perf_counter() - started)


def _step(stream: SafeStream, before_block: Callable[[], object] | None) -> np.ndarray:
    if before_block is not None:
        before_block()
    return stream.step()


def _faded(block: np.ndarray, left: int, fade: int) -> np.ndarray:
    """`block` [channels, n], `left` samples before the end, of which the last `fade` follow a cosine down to 0."""
    if left - block.shape[1] >= fade:
        return block
    gone = np.minimum(np.arange(left - 1, left - 1 - block.shape[1], -1), fade) / fade
    return block * (0.5 - 0.5 * np.cos(np.pi * gone)).astype(np.float32)
