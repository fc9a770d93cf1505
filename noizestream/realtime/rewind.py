"""The line of blocks in the ring, and the way back along it: what lies there unplayed can be made again with new controls.

A ring that is deep enough to play on while the worker is held up would let a change of controls wait until all of it is played. But
a model's state is a value: kept for each block, it can be gone back to.

    ring     | played | reach | k     | k+1   | k+2   |          `reach`: what the callback may take before a new block is made
    line                      ^ cursor goes back to k, the first block beyond it, and k, k+1, ... are made and laid again

What was there before stays until it is written over: if the worker is held up in between, the old blocks are played, not silence.
The block after the last one that was replaced is brought in line with a ramp, and so is one that came too late to be laid.
"""

import copy
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from noizestream.engine.channels import map_channels
from noizestream.engine.fades import JOIN_S
from noizestream.engine.resampling import Resampler
from noizestream.engine.safety import CEILING, SafeStream, Safety
from noizestream.realtime.ring import Ring


@dataclass
class _Mark:
    """All there is to know to make a block again: where it begins, and what held before it."""

    start: int
    state: list[Any]
    block: int
    resampler: Resampler
    safety: Safety
    gap: np.ndarray
    version: int


class RewindBuffer:
    """Lays the blocks of `stream` into `ring`, one after the other; only the worker does, and all writing goes through here."""

    def __init__(self, ring: Ring, stream: SafeStream, resampler: Resampler, device_rate: int):
        self.ring, self.stream, self.resampler = ring, stream, resampler
        self._ramp = np.linspace(1.0, 0.0, max(round(JOIN_S * device_rate), 2), dtype=np.float32)[:, None] ** 2
        self._resampled = resampler.source != resampler.target
        self._marks: deque[_Mark] = deque()
        self.start_afresh()

    @property
    def ahead(self) -> int:
        """Frames made and not yet played, in this version of them."""
        return self.cursor - self.ring.callback.played

    def start_afresh(self) -> None:
        """Go on from silence behind everything that is in the ring; there is no way back to it."""
        self.cursor = self.ring.worker.written
        self._gap = self.ring.read(self.cursor - 1, self.cursor)
        self._marks.clear()

    def pause(self, frames: int) -> None:
        """Lay so much silence down."""
        self.ring.write(np.zeros((frames, self.ring.layout.channels), np.float32))
        self.start_afresh()

    def lay(self, boost: float, version: int, reach: int) -> None:
        """Make one more block, with the controls that `version` numbers, and lay it down.

        `reach` is how far beyond `played` the callback may be reading now; 0: nothing will be made again.
        """
        played = self.ring.callback.played
        while self._marks and self._marks[0].start < played:
            self._marks.popleft()
        if reach:
            generator = self.stream.generator
            kept = copy.copy(self.resampler), copy.copy(self.stream.safety)
            self._marks.append(_Mark(self.cursor, generator.state, generator.block, *kept, self._gap, version))
        block = self.stream.step(boost)
        frames = map_channels(self.resampler.process(block.T), self.ring.layout.channels)
        if self._resampled:
            frames = np.clip(frames, -CEILING, CEILING)  # interpolation may swing over what the limiter held
        self._put(frames, reach)

    def go_back(self, version: int, reach: int) -> int:
        """Go back to the first block beyond `reach` that was made with other controls than `version`'s; return how many blocks.

        The next `lay` makes that block. 0: everything that can still be made again is as it should be.
        """
        nearest = self.ring.callback.played + reach
        marks = self._marks
        index = next((index for index, mark in enumerate(marks) if mark.start >= nearest), len(marks))
        if index == len(marks) or marks[index].version == version:
            return 0
        count, mark = len(marks) - index, marks[index]
        for _ in range(count):
            marks.pop()
        generator = self.stream.generator
        generator.state, generator.block = mark.state, mark.block
        self.resampler, self.stream.safety = mark.resampler, mark.safety
        self.cursor, self._gap = mark.start, mark.gap
        self.ring.worker.again += count
        return count

    def _put(self, frames: np.ndarray, reach: int) -> None:
        """Lay `frames` at the cursor: behind all that is there, or over the version that was made before."""
        ring, start, end = self.ring, self.cursor, self.cursor + len(frames)
        self.cursor = end
        ramp = self._ramp[: len(frames)]
        if start == ring.worker.written:
            if self._gap.any():
                frames = frames.copy()
                frames[: len(ramp)] += self._gap * ramp
            ring.write(frames)
            self._gap = np.zeros_like(self._gap)
            return
        there = ring.read(end - 1, end)
        if start < ring.callback.played + reach:  # too late: the old one is played
            self._gap = there - frames[-1:]
            return
        if self._gap.any():
            frames = frames.copy()
            frames[: len(ramp)] += self._gap * ramp
        behind = ring.read(end, min(end + len(self._ramp), ring.worker.written))
        ring.replace(end, behind + (frames[-1:] - there) * self._ramp[: len(behind)])
        ring.replace(start, frames)
        self._gap = np.zeros_like(self._gap)
