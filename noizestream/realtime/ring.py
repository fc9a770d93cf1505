"""One shared-memory block between three processes: worker (torch), main (MIDI, screen), audio (the compiled callback).

    main, worker, callback   the numbers that each of them writes (realtime/shared_memory.py), by name below
    controls  float64 [CONTROL_SLOTS]       written by the main process, read once per step by the worker
    audio     float32 [capacity, channels]  the ring: ONE interleaved single-producer single-consumer queue
    steps     int64   [STEP_SLOTS]          histogram of the worker's step times (realtime/step_times.py)

The worker writes frames at `written % capacity` and then advances `written`; the callback copies from `played % capacity` and then
advances `played`. Both counters only grow, so `written - played` is the fill and no lock is needed. What belongs to the device and
not to one ring (volume, periods, peak, the tap of the recorder) is in realtime/output_bus.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noizestream.realtime.shared_memory import WORD, SharedBlock, Side, Slots, fence, number
from noizestream.realtime.step_times import STEP_SLOTS, StepTimes

STARTING, READY, FAILED, STOPPED = 0, 1, 2, 3
SILENT, PLAYING, DRAINED = 0, 1, 2


class RingMain(Slots, writer="main"):
    """What the main process asks for."""

    run: int = number("1 play, 0 fade out and fall silent")
    stop: int = number("1 tells the worker to end")
    control_sequence: int = number("grows with every change of the controls; odd while they are being written")
    target: int = number("frames the worker keeps in the ring, and no more")
    capacity: int = number("frames the ring holds; written once, for the callback, which is handed nothing but an address")
    channels: int = number("samples per frame; written once, as the capacity is")
    fade_frames: int = number("length of the fades at an underrun and after it")
    run_frames: int = number("length of the fades when `run` changes: start, stop, the crossfade of two models")
    resume: int = number("fill in frames from which the callback starts, and starts again after an underrun")
    panic: int = number("grows with every panic")
    period: int = number("frames the callback may take at a time, never written over; 0: unknown, nothing is made again")
    restart: int = number("grows whenever a ring that nobody plays now is to begin from silence where it is played next")
    boost_gain: float = number("linear gain of at least 1 that the worker applies before its limiter", initial=1.0)


class RingWorker(Slots, writer="worker"):
    """What the worker has done. Of several processes that play one after the other, one at a time writes it."""

    written: int = number("frames ever put into the ring")
    state: int = number("STARTING, READY, FAILED, STOPPED")
    blocks: int = number("blocks stepped, also those made again")
    resets: int = number("times a NaN or Inf was caught, faded and the state reset")
    seen_sequence: int = number("the `control_sequence` of the newest block in the ring")
    fresh: int = number("the `panic` it has answered with a fresh state, whose audio begins at `fresh_at`")
    fresh_at: int = number("count of `written` at which the fresh state begins")
    again: int = number("of the blocks stepped, those made again because a control had changed before they were played")
    load: float = number("share of real time that the steps take, smoothed")


class RingCallback(Slots, writer="callback"):
    """How the ring is played."""

    played: int = number("frames ever taken from the ring")
    underruns: int = number("times the ring ran dry while playing")
    missed: int = number("frames of silence played for want of audio")
    mode: int = number("SILENT, PLAYING, DRAINED")
    tail: int = number("frames played since the ring ran dry")
    ramp: int = number("length of the fade that is going on, frames")
    fade: float = number("where the fade is, 0 silent .. 1 fully open")
    panicked: int = number("the `panic` it has fallen silent for, and left behind what was in the ring")
    restarted: int = number("the `restart` it has answered")


GUARD_FRAMES = 64
"""Nothing is written over closer than this to what the callback may be reading: copying a block takes some microseconds."""

CONTROL_SLOTS = 256
"""controls[0:G] are the genre weights, controls[G:G+K] the model's own controls in the order of its metadata."""


@dataclass(frozen=True)
class RingLayout:
    """Sizes that name a ring; picklable, so that a spawned process can attach."""

    capacity: int
    channels: int

    @property
    def audio_offset(self) -> int:
        """Byte at which the audio begins."""
        return WORD * (Ring.words() + CONTROL_SLOTS)

    @property
    def steps_offset(self) -> int:
        """Byte at which the step times begin."""
        return self.audio_offset + (4 * self.capacity * self.channels + WORD - 1) // WORD * WORD

    @property
    def size(self) -> int:
        """Bytes of the whole block."""
        return self.steps_offset + WORD * STEP_SLOTS


class Ring(SharedBlock):
    """The shared block. `create` in the main process, `attach` in the others; close it in each of them, the creator removes it."""

    sides = (RingMain, RingWorker, RingCallback)
    layout: RingLayout
    main: RingMain
    worker: RingWorker
    callback: RingCallback

    def _view(self, layout: RingLayout) -> None:
        self._controls = self._array("main", np.float64, CONTROL_SLOTS, WORD * self.words())
        audio = self._array("worker", np.float32, layout.capacity * layout.channels, layout.audio_offset)
        self._audio = audio.reshape(layout.capacity, layout.channels)
        self._steps = self._array("worker", np.int64, STEP_SLOTS, layout.steps_offset)

    @classmethod
    def create(cls, capacity: int, channels: int, *also: Side) -> "Ring":
        """Make a ring of `capacity` frames, to write what the main process writes, and `also` what others do.

        NoizestreamError where there is no room for it.
        """
        ring = cls._create(RingLayout(capacity, channels), ("main", *also))
        ring.main.capacity, ring.main.channels = capacity, channels
        return ring

    # --- what all read ----------------------------------------------------------------------------------------------------------

    def fill(self) -> int:
        """Frames ready to be played."""
        return self.worker.written - self.callback.played

    @property
    def silent(self) -> bool:
        """Whether the callback plays nothing of it any more, or will begin from silence."""
        if self.callback.restarted != self.main.restart:
            return True
        return self.callback.mode != PLAYING and self.callback.fade <= 0.0

    @property
    def step_times(self) -> StepTimes:
        """How long the worker's steps took; only the worker adds to them."""
        return StepTimes(self._steps)

    def read(self, start: int, end: int) -> np.ndarray:
        """A copy of the frames from `start` to `end`, counted as `written` is: `[n, channels]`."""
        return self._audio[np.arange(start, end) % self.layout.capacity]

    # --- main -------------------------------------------------------------------------------------------------------------------

    def play(self, fade_frames: int) -> None:
        """Let it sound, with a fade of so many frames. Main only."""
        self.main.run_frames, self.main.run = fade_frames, 1

    def leave(self, fade_frames: int) -> None:
        """Let it fall silent, with a fade of so many frames. Main only."""
        self.main.run_frames, self.main.run = fade_frames, 0

    def restart(self) -> None:
        """While nobody plays it: the next device begins from silence, and waits for `play`. Main only."""
        self.main.run = 0
        self.main.restart += 1

    def set_controls(self, genre_weights: Sequence[float], values: Sequence[float]) -> int:
        """Write weights `[G]` and control values `[K]` for the worker's next step; returns their `control_sequence`. Main only."""
        wanted = [*genre_weights, *values]
        sequence = self.main.control_sequence | 1
        self.main.control_sequence = sequence
        fence()
        self._controls[: len(wanted)] = wanted
        fence()
        self.main.control_sequence = sequence + 1
        return sequence + 1

    # --- worker -----------------------------------------------------------------------------------------------------------------

    def write(self, frames: np.ndarray) -> None:
        """Append `frames` [n, channels] float32. Only the worker calls it, and only when they fit (ValueError if not)."""
        start, count = self.worker.written, len(frames)
        if start + count > self.callback.played + self.layout.capacity:
            raise ValueError(f"{count} frames do not fit into the ring")
        self.replace(start, frames)
        self.worker.written = start + count

    def replace(self, start: int, frames: np.ndarray) -> None:
        """Put `frames` [n, channels] where the frames from `start` on lie, counted as `written` is. Only the worker calls it.

        The caller sees to it that the callback reads nothing there now.
        """
        fence()  # the callback has read what is written over now
        place = start % self.layout.capacity
        first = min(len(frames), self.layout.capacity - place)
        self._audio[place : place + first] = frames[:first]
        self._audio[: len(frames) - first] = frames[first:]
        fence()  # the audio is there before the counter that vouches for it

    def get_controls(self, genres: int, controls: int) -> tuple[int, np.ndarray, np.ndarray]:
        """Return `(sequence, weights [G], values [K])` as one write left them, never half of one and half of the next."""
        for _ in range(100):
            sequence = self.main.control_sequence
            fence()
            copy = self._controls[: genres + controls].copy()
            fence()
            if sequence % 2 == 0 and sequence == self.main.control_sequence:
                break
        return sequence, copy[:genres], copy[genres:]
