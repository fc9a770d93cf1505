"""One shared-memory block between three processes: worker (torch), main (MIDI, screen), audio (the compiled callback).

    header    int64   [HEADER_SLOTS]   counters and flags; every slot has exactly one writer
    controls  float64 [CONTROL_SLOTS]  written by the main process, read once per step by the worker
    meters    float64 [METER_SLOTS]    floats for the screen and the statistics
    audio     float32 [capacity, channels]  the ring: ONE interleaved single-producer single-consumer queue
    steps     int64   [STEP_SLOTS]     histogram of the worker's step times (realtime/stats.py)

The worker writes frames at `written % capacity` and then advances WRITTEN; the callback copies from `played % capacity` and then
advances PLAYED. Both counters only grow, so `written - played` is the fill and no lock is needed. What belongs to the device and
not to one ring (volume, periods, peak, the tap of the recorder) is in realtime/output_bus.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from noizestream.realtime.shared_memory import SharedBlock, fence

# header slots, with their writer
WRITTEN = 0  # worker: frames ever put into the ring
STATE = 1  # worker: STARTING, READY, FAILED, STOPPED
BLOCKS = 2  # worker: blocks stepped, also those made again
RESETS = 3  # worker: times a NaN/Inf was caught, faded and the state reset
PLAYED = 4  # callback: frames ever taken from the ring
UNDERRUNS = 5  # callback: times the ring ran dry while playing
MISSED = 6  # callback: frames of silence played for want of audio
RUN = 7  # main: 1 play, 0 fade out and fall silent
STOP = 8  # main: 1 tells the worker to end
CONTROL_SEQUENCE = 9  # main: grows with every change of the controls; odd while they are being written
SEEN_SEQUENCE = 10  # worker: the CONTROL_SEQUENCE of the newest block in the ring
TARGET = 11  # main: frames the worker keeps in the ring, and no more
CAPACITY = 12  # main: frames the ring holds, and
CHANNELS = 13  # main: samples per frame; written once, for the callback, which is handed nothing but the address of this memory
FADE_FRAMES = 14  # main: length of the fades at an underrun and after it
RUN_FRAMES = 15  # main: length of the fades when RUN changes: start, stop, the crossfade of two models
RESUME = 16  # main: fill in frames from which the callback starts, and starts again after an underrun
MODE = 17  # callback: SILENT, PLAYING, DRAINED
TAIL = 18  # callback: frames played since the ring ran dry
RAMP = 19  # callback: length of the fade that is going on
PANIC = 20  # main: grows with every panic
FRESH = 21  # worker: the PANIC it has answered with a fresh state, whose audio begins
FRESH_AT = 22  # worker: at this count of WRITTEN
PANICKED = 23  # callback: the PANIC it has fallen silent for, and left behind what was in the ring
PERIOD = 24  # main: frames the callback may take at a time, which are never written over; 0: unknown, nothing is made again
AGAIN = 25  # worker: of the blocks stepped, those made again because a control had changed before they were played
HEADER_SLOTS = 32

STARTING, READY, FAILED, STOPPED = 0, 1, 2, 3
SILENT, PLAYING, DRAINED = 0, 1, 2

# meter slots
BOOST_GAIN = 0  # main: linear gain of at least 1 the worker applies before its limiter
LOAD = 1  # worker: share of real time the steps take, smoothed
FADE = 2  # callback: where the fade is, 0 silent .. 1 fully open
METER_SLOTS = 16

GUARD_FRAMES = 64
"""Nothing is written over closer than this to what the callback may be reading: copying a block takes some microseconds."""

CONTROL_SLOTS = 256
"""controls[0:G] are the genre weights, controls[G:G+K] the model's own controls in the order of its metadata."""

STEP_BINS = 384
STEP_MAX = 384
STEP_SUM = 385
STEP_SLOTS = 386
"""steps[0:STEP_BINS] count steps by duration, steps[STEP_MAX] and steps[STEP_SUM] are in ns."""


@dataclass(frozen=True)
class RingLayout:
    """Sizes that name a ring; picklable, so that a spawned process can attach."""

    capacity: int
    channels: int

    @property
    def header_bytes(self) -> int:
        return 8 * HEADER_SLOTS

    @property
    def audio_offset(self) -> int:
        return 8 * (HEADER_SLOTS + CONTROL_SLOTS + METER_SLOTS)

    @property
    def steps_offset(self) -> int:
        return self.audio_offset + (4 * self.capacity * self.channels + 7) // 8 * 8

    @property
    def size(self) -> int:
        return self.steps_offset + 8 * STEP_SLOTS


class Ring(SharedBlock):
    """NumPy views on the shared block. `create` in the main process, `attach` in the worker; close both, the creator unlinks."""

    layout: RingLayout

    def _view(self, buffer: Any, layout: RingLayout) -> None:
        self.header = np.frombuffer(buffer, np.int64, HEADER_SLOTS)
        self.controls = np.frombuffer(buffer, np.float64, CONTROL_SLOTS, 8 * HEADER_SLOTS)
        self.meters = np.frombuffer(buffer, np.float64, METER_SLOTS, 8 * (HEADER_SLOTS + CONTROL_SLOTS))
        audio = np.frombuffer(buffer, np.float32, layout.capacity * layout.channels, layout.audio_offset)
        self.audio = audio.reshape(layout.capacity, layout.channels)
        self.steps = np.frombuffer(buffer, np.int64, STEP_SLOTS, layout.steps_offset)

    @classmethod
    def create(cls, capacity: int, channels: int) -> "Ring":
        ring = cls._create(RingLayout(capacity, channels))
        ring.header[:] = 0
        ring.controls[:] = 0
        ring.meters[:] = 0
        ring.header[[CAPACITY, CHANNELS]] = capacity, channels
        ring.meters[BOOST_GAIN] = 1.0
        ring.audio[:] = 0
        ring.steps[:] = 0
        return ring

    def fill(self) -> int:
        """Frames ready to be played."""
        return int(self.header[WRITTEN] - self.header[PLAYED])

    def write(self, frames: np.ndarray) -> None:
        """Append `frames` [n, channels] float32. Only the worker calls it, and only when they fit (ValueError if not)."""
        count = len(frames)
        if count > self.layout.capacity - self.fill():
            raise ValueError(f"{count} frames do not fit into the ring")
        self.replace(int(self.header[WRITTEN]), frames)
        self.header[WRITTEN] += count

    def replace(self, start: int, frames: np.ndarray) -> None:
        """Put `frames` [n, channels] where the frames from `start` on lie, counted as WRITTEN is. Only the worker calls it.

        The caller sees to it that the callback reads nothing there now.
        """
        fence()  # the callback has read what is written over now
        place = start % self.layout.capacity
        first = min(len(frames), self.layout.capacity - place)
        self.audio[place : place + first] = frames[:first]
        self.audio[: len(frames) - first] = frames[first:]
        fence()  # the audio is there before the counter that vouches for it

    def read(self, start: int, end: int) -> np.ndarray:
        """A copy of the frames from `start` to `end`, counted as WRITTEN is: `[n, channels]`."""
        return self.audio[np.arange(start, end) % self.layout.capacity]

    def set_controls(self, genre_weights: Sequence[float], values: Sequence[float]) -> int:
        """Write weights `[G]` and control values `[K]` for the worker's next step; returns their CONTROL_SEQUENCE. Main only."""
        wanted = [*genre_weights, *values]
        sequence = int(self.header[CONTROL_SEQUENCE])
        self.header[CONTROL_SEQUENCE] = sequence | 1
        fence()
        self.controls[: len(wanted)] = wanted
        fence()
        self.header[CONTROL_SEQUENCE] = (sequence | 1) + 1
        return (sequence | 1) + 1

    def get_controls(self, genres: int, controls: int) -> tuple[int, np.ndarray, np.ndarray]:
        """Return `(sequence, weights [G], values [K])` as one write left them, never half of one and half of the next."""
        for _ in range(100):
            sequence = int(self.header[CONTROL_SEQUENCE])
            fence()
            copy = self.controls[: genres + controls].copy()
            fence()
            if sequence % 2 == 0 and sequence == self.header[CONTROL_SEQUENCE]:
                break
        return sequence, copy[:genres], copy[genres:]
