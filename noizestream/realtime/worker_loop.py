"""What the worker process does from start to end: load, warm up, step just in time into the ring.

Torch is imported in the functions only: the main process imports this module too, to name `run` to the process it spawns.
"""

import contextlib
import math
import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np

from noizestream.engine.resampling import Resampler
from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile import archive
from noizestream.realtime.process import ignore_signals
from noizestream.realtime.ring import FAILED, GUARD_FRAMES, READY, STARTING, STOPPED, Ring, RingLayout
from noizestream.realtime.shared_memory import fence
from noizestream.realtime.standby import Standby, main_lives
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
    heard: np.ndarray | None = None  # float32 [channels, n] at the model's rate: what it goes on from


def run(pipe: Connection, job: Job) -> None:
    """The worker process from start to end. What goes wrong is sent to the main process as `(kind, one line)`."""
    ignore_signals()
    ring = Ring.attach(job.ring_name, job.ring_layout, "worker")
    standby = Standby()
    try:
        _play(pipe, ring, job, standby)
        ring.worker.state = STOPPED
    except Exception as error:
        if not ring.worker.blocks:
            ring.worker.state = FAILED
        known = isinstance(error, NoizestreamError)
        text = str(error) if known else f"{job.model}: the worker failed ({type(error).__name__}: {archive.last_line(error)})"
        with contextlib.suppress(OSError):
            pipe.send(("usage" if isinstance(error, UsageError) else "error", text))
    finally:
        ring.close()
    if standby.deaths:
        os._exit(0)  # what the first process has to tidy up at its end is not this one's


def _play(pipe: Connection, ring: Ring, job: Job, standby: Standby) -> None:
    from noizestream.engine.generator import load, prepare_torch
    from noizestream.engine.safety import SafeStream
    from noizestream.realtime.rewind import RewindBuffer
    from noizestream.realtime.tuning import settle

    main, mine = ring.main, ring.worker
    prepare_torch()
    generator = load(job.model, job.seed)
    generator.block = job.first_block
    metadata = generator.metadata
    if job.heard is not None:
        generator.set_genre(ring.get_controls(len(metadata.genres), len(metadata.controls))[1])
        generator.prime(job.heard)
    settings = settle() | {"precision": archive.precisions(metadata)[0]}
    with contextlib.suppress(OSError):
        os.nice(NICENESS)  # where the system lets us: everything else can wait, a block cannot

    while not standby.stand_by():
        if main.stop or not main_lives():
            return
        standby.begin(mine.blocks)
        pipe.send(("follows", (os.getpid(), machine.started(os.getpid()))))
        generator.clear_state()
        generator.block = job.first_block + mine.blocks - mine.again + 1  # not the one that may have killed

    stream = SafeStream(generator)
    resampler = Resampler(metadata.sample_rate, job.device_rate, metadata.channels)
    line = RewindBuffer(ring, stream, resampler, job.device_rate)
    controls = _Controls(ring, generator)
    times = ring.step_times
    resets = mine.resets
    block_frames = resampler.largest(metadata.block_frames)
    budget = metadata.block_frames / metadata.sample_rate
    step, paused, turns, again = budget / 4, 0, 0, 0.0
    while not main.stop:
        turns += 1
        if turns % TURNS == 0 and not main_lives():
            return
        if main.panic != mine.fresh:
            panic = main.panic
            generator.clear_state()
            stream.safety.reset()
            resampler.clear()
            line.start_afresh()
            paused = round(PANIC_S * job.device_rate)
            mine.fresh_at = mine.written
            fence()
            mine.fresh = panic
        controls.look()
        period = main.period
        if period and controls.version > 0 and mine.load < TOO_BUSY and (now := time.perf_counter()) >= again:
            # While the block is made the callback takes as many periods as begin meanwhile.
            until_made = math.ceil((SLOWER * step + WAKING_S) * job.device_rate / period)
            count = line.go_back(controls.version, (1 + until_made) * period + GUARD_FRAMES)
            again = now + count * step / AGAIN_SHARE
        if line.ahead + block_frames > main.target:
            if mine.state == STARTING:
                mine.state = READY
                pipe.send(("ready", settings))
            time.sleep(POLL_S)
            continue
        if paused > 0:
            line.pause(min(paused, block_frames))
            paused -= block_frames
            continue
        started = time.perf_counter()
        line.lay(main.boost_gain, controls.version, period and period + GUARD_FRAMES)
        mine.seen_sequence = controls.sequence
        mine.blocks += 1
        mine.resets = resets + stream.resets
        taken = time.perf_counter() - started
        step += 0.1 * (taken - step)
        times.add(taken)
        mine.load += 0.05 * (taken / budget - mine.load)
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
