"""One audio file to float32 at one rate; what cannot be used is a Skip with its reason. Many files: music/parallel.py."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from noizestream.music.skipped import Skip

RATE = 48000
MIN_S = 3.0
"""Shorter clips are skipped: training needs a few seconds of context. Two bars at 160 BPM, so loops from sample packs stay."""


def decode(path: str | Path, rate: int = RATE, start_s: float = 0.0, seconds: float | None = None) -> np.ndarray:
    """Return float32 [channels, n] at `rate` Hz (soxr HQ), from `start_s` for `seconds` (None: to the end).

    Raises Skip when the file is empty or cannot be read. An end that is cut off is not an error: what decodes is returned.
    """
    blocks = list(_blocks(Path(path), rate, start_s, seconds))
    if not sum(map(len, blocks)):
        raise Skip("ends before its header says" if start_s else "no audio in it")
    return _joined(blocks)


def pieces(path: str | Path, rate: int, longest_s: float, least_s: float = 0.0) -> Iterator[tuple[float, np.ndarray]]:
    """Yield the whole file as (start in seconds, `decode`d piece) of `longest_s` seconds each, in the memory of one piece.

    A rest shorter than `least_s` belongs to the last piece. Raises Skip as `decode` does.
    """
    size, least = round(longest_s * rate), round(least_s * rate)
    start, held, frames = 0, [], 0
    for block in _blocks(Path(path), rate):
        held.append(block)
        frames += len(block)
        while frames > size + least:
            rest = _joined(held)
            yield start / rate, np.ascontiguousarray(rest[:, :size])
            start, held, frames = start + size, [rest[:, size:].T], frames - size
    if not frames:
        raise Skip("no audio in it")
    yield start / rate, _joined(held)


def header_seconds(path: Path) -> float:
    """Return the length by the header; 0 where there is none to believe: decoding will tell. Nothing is decoded."""
    from noizestream.music import source

    return source.header_seconds(path)


def measure(path: str | Path) -> tuple[int, float]:
    """Return the file's own rate in Hz and its length in seconds, read to the end where the header is silent. Raises Skip."""
    from noizestream.music.source import Source

    with contextlib.ExitStack() as stack:
        source = Source(Path(path), stack)
        return source.rate, source.seconds or sum(map(len, source.blocks())) / source.rate


def _blocks(path: Path, rate: int, start_s: float = 0.0, seconds: float | None = None) -> Iterator[np.ndarray]:
    """float32 [n, channels] at `rate`, a block at a time."""
    import soxr

    from noizestream.music.source import Source

    with contextlib.ExitStack() as stack:
        source = Source(path, stack)
        if source.rate == rate:
            yield from source.blocks(start_s, seconds)
            return
        resampler = soxr.ResampleStream(source.rate, rate, source.channels, dtype="float32", quality="HQ")
        for block in source.blocks(start_s, seconds):
            yield resampler.resample_chunk(block)
        yield resampler.resample_chunk(np.zeros((0, source.channels), np.float32), last=True)


def _joined(blocks: list[np.ndarray]) -> np.ndarray:
    """[channels, n] of blocks [n, channels]."""
    return np.ascontiguousarray(np.concatenate(blocks).T, dtype=np.float32)
