"""What the worker process does from start to end: load, warm up, step just in time into the ring.

Torch is imported in the functions only: the main process imports this module too, to name `run` to the process it spawns.
"""

import contextlib
import math
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from noizestream.engine.resampling import Resampler
from noizestream.errors import UsageError
from noizestream.modelfile import archive
from noizestream.realtime.parent import Parent
from noizestream.realtime.process import Failure, Follows
from noizestream.realtime.ring import FAILED, GUARD_FRAMES, READY, STARTING, STOPPED, Ring, RingLayout
from noizestream.realtime.shared_memory import fence
from noizestream.realtime.standby import Standby
from noizestream.system import machine

if TYPE_CHECKING:
    from noizestream.engine.generator import Generator

POLL_S = 0.0005
"""How often the worker looks whether a block fits: costs about 1 % of a core, adds at most this to the latency."""

NICENESS = -10

PANIC_S = 0.25
"""Silence between a panic and the fresh state: long enough to be heard as one."""

TURNS = 100
"""So often it goes round, some 50 ms, before it looks whether the main process is still there."""

SLOWER, WAKING_S = 1.5, 0.001
"""A step that must not come too late is allowed so much more time than steps mostly take."""

AGAIN_SHARE = 0.2
"""What is made again because a control changed may take this share of a core: of a flood of MIDI not all is heard so early."""

TOO_BUSY = 0.6
"""Load of the worker from which on nothing is made again."""


@dataclass(frozen=True)
class Job:
    """What the process is told at its start."""

    ring_name: str
    ring_layout: RingLayout
    model: str
    device_rate: int
    seed: int
    first_block: int
    prime_audio: np.ndarray | None = None  # float32 [channels, n] at the model's rate: what it goes on from


@dataclass(frozen=True)
class Ready:
    """The ring is filled for the first time; `settings` are how the process steps: tuning.py, and the precision."""

    settings: dict[str, Any]


def run(parent: Parent, job: Job) -> None:
    """The worker process from start to end. What goes wrong is sent to the main process as a Failure."""
    ring = Ring.attach(job.ring_name, job.ring_layout, "worker")
    standby = Standby()
    try:
        generator, settings = _load(ring, job)
        if _takes_over(parent, ring, job, standby, generator):
            _Stepping(parent, ring, job, generator).play(settings)
        ring.worker.state = STOPPED
    except Exception as error:
        if not ring.worker.blocks:
            ring.worker.state = FAILED
        what = f"{type(error).__name__}: {archive.last_line(error)}"
        parent.send(Failure.of(error, f"{job.model}: the worker failed ({what})"))
    finally:
        ring.close()
    if standby.deaths:
        os._exit(0)  # what the first process has to tidy up at its end is not this one's


def _load(ring: Ring, job: Job) -> tuple["Generator", dict[str, Any]]:
    """The model, which goes on from what it is to have heard, and how the process steps it."""
    from noizestream.engine.generator import load, prepare_torch
    from noizestream.realtime.tuning import settle

    prepare_torch()
    generator = load(job.model, job.seed)
    generator.block = job.first_block
    metadata = generator.metadata
    if job.prime_audio is not None:
        generator.set_genre(ring.get_controls(len(metadata.genres), len(metadata.controls))[1])
        generator.prime(job.prime_audio)
    settings = settle() | {"precision": archive.precisions(metadata)[0]}
    with contextlib.suppress(OSError):
        os.nice(NICENESS)  # where the system lets us: everything else can wait, a block cannot
    return generator, settings


def _takes_over(parent: Parent, ring: Ring, job: Job, standby: Standby, generator: "Generator") -> bool:
    """Leave a standby behind. True at once, and in the standby when its turn comes; False if nothing is to be played any more."""
    main, mine = ring.main, ring.worker
    while not standby.stand_by():
        if main.stop or not parent.lives:
            return False
        standby.begin(mine.blocks)
        parent.send(Follows(os.getpid(), machine.started(os.getpid())))
        generator.clear_state()
        generator.block = job.first_block + mine.blocks - mine.again + 1  # not the one that may have killed
    return True


class _Stepping:
    """Steps `generator` just in time into `ring`, until it is told to stop or the main process has ended."""

    def __init__(self, parent: Parent, ring: Ring, job: Job, generator: "Generator"):
        from noizestream.engine.safety import SafeStream
        from noizestream.realtime.rewind import RewindBuffer

        metadata = generator.metadata
        self._parent, self._ring, self._generator, self._device_rate = parent, ring, generator, job.device_rate
        self._stream = SafeStream(generator)
        self._resampler = Resampler(metadata.sample_rate, job.device_rate, metadata.channels)
        self._line = RewindBuffer(ring, self._stream, self._resampler, job.device_rate)
        self._controls = _Controls(ring, generator)
        self._times = ring.step_times
        self._resets = ring.worker.resets
        self._budget = metadata.block_frames / metadata.sample_rate
        self._step, self._paused, self._again = self._budget / 4, 0, 0.0

    def play(self, settings: dict[str, Any]) -> None:
        """Fill the ring, say Ready with `settings`, and keep it filled."""
        main, mine, line, controls = self._ring.main, self._ring.worker, self._line, self._controls
        block_frames = self._resampler.largest(self._generator.metadata.block_frames)
        turns = 0
        while not main.stop:
            turns += 1
            if turns % TURNS == 0 and not self._parent.lives:
                return
            if main.panic != mine.fresh:
                self._start_afresh()
            controls.look()
            period = main.period
            if period and controls.version > 0 and mine.load < TOO_BUSY and (now := time.perf_counter()) >= self._again:
                self._go_back(period, now)
            if line.ahead + block_frames > main.target:
                if mine.state == STARTING:
                    mine.state = READY
                    self._parent.send(Ready(settings))
                time.sleep(POLL_S)
            elif self._paused > 0:
                line.pause(min(self._paused, block_frames))
                self._paused -= block_frames
            else:
                self._make_block(period)

    def _start_afresh(self) -> None:
        """Answer a panic: silence, and then music of a fresh state."""
        main, mine = self._ring.main, self._ring.worker
        panic = main.panic
        self._generator.clear_state()
        self._stream.safety.reset()
        self._resampler.reset()
        self._line.start_afresh()
        self._paused = round(PANIC_S * self._device_rate)
        mine.fresh_at = mine.written
        fence()
        mine.fresh = panic

    def _go_back(self, period: int, now: float) -> None:
        """Have what follows the period that is played next made again, where controls have changed since."""
        # While the block is made the callback takes as many periods as begin meanwhile.
        until_made = math.ceil((SLOWER * self._step + WAKING_S) * self._device_rate / period)
        count = self._line.go_back(self._controls.version, (1 + until_made) * period + GUARD_FRAMES)
        self._again = now + count * self._step / AGAIN_SHARE

    def _make_block(self, period: int) -> None:
        """Step once, into the ring, and note how long it took."""
        main, mine, line, controls = self._ring.main, self._ring.worker, self._line, self._controls
        started = time.perf_counter()
        line.lay(main.boost_gain, controls.version, period and period + GUARD_FRAMES)
        mine.seen_sequence = controls.sequence
        mine.blocks += 1
        mine.resets = self._resets + self._stream.resets
        taken = time.perf_counter() - started
        self._step += 0.1 * (taken - self._step)
        self._times.add(taken)
        mine.load += 0.05 * (taken / self._budget - mine.load)
        if line.cursor < mine.written:
            time.sleep(POLL_S)  # no hurry while older blocks lie there: nobody else is to wait for a whole ring of steps


class _Controls:
    """What is asked for, handed to `generator` when it changes; `version` counts the changes, `sequence` is the ring's."""

    def __init__(self, ring: Ring, generator: "Generator"):
        self._ring, self._generator = ring, generator
        self._held = np.zeros(0)
        self.sequence = self.version = -1

    def look(self) -> None:
        """Take over what has changed."""
        if self._ring.main.control_sequence == self.sequence:
            return
        metadata = self._generator.metadata
        self.sequence, weights, values = self._ring.get_controls(len(metadata.genres), len(metadata.controls))
        asked = np.concatenate([weights, values])
        if np.array_equal(asked, self._held):
            return
        self._held = asked
        self.version += 1
        with contextlib.suppress(UsageError):  # never let a bad value end the music: what was asked before goes on
            self._generator.set_genre(weights)
        if np.isfinite(values).all():
            self._generator.set_controls(metadata.limited(values))
