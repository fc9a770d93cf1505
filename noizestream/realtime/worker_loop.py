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
from noizestream.realtime import ring as slots
from noizestream.realtime.process import ignore_signals
from noizestream.realtime.ring import Ring, RingLayout
from noizestream.realtime.shared_memory import fence
from noizestream.realtime.standby import Standby, main_lives
from noizestream.realtime.stats import StepTimes
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
    ring = Ring.attach(job.ring_name, job.ring_layout)
    standby = Standby()
    try:
        _play(pipe, ring, job, standby)
        ring.header[slots.STATE] = slots.STOPPED
    except Exception as error:
        if not ring.header[slots.BLOCKS]:
            ring.header[slots.STATE] = slots.FAILED
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

    header, meters = ring.header, ring.meters
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
        if header[slots.STOP] or not main_lives():
            return
        standby.begin(int(header[slots.BLOCKS]))
        pipe.send(("follows", (os.getpid(), machine.started(os.getpid()))))
        generator.clear_state()
        generator.block = job.first_block + int(header[slots.BLOCKS] - header[slots.AGAIN]) + 1  # not the one that may have killed

    stream = SafeStream(generator)
    resampler = Resampler(metadata.sample_rate, job.device_rate, metadata.channels)
    line = RewindBuffer(ring, stream, resampler, job.device_rate)
    controls = _Controls(ring, generator)
    times = StepTimes(ring.steps)
    resets = int(header[slots.RESETS])
    block_frames = resampler.largest(metadata.block_frames)
    budget = metadata.block_frames / metadata.sample_rate
    step, paused, turns, again = budget / 4, 0, 0, 0.0
    while not header[slots.STOP]:
        turns += 1
        if turns % TURNS == 0 and not main_lives():
            return
        if header[slots.PANIC] != header[slots.FRESH]:
            panic = int(header[slots.PANIC])
            generator.clear_state()
            stream.safety.reset()
            resampler.clear()
            line.start_afresh()
            paused = round(PANIC_S * job.device_rate)
            header[slots.FRESH_AT] = header[slots.WRITTEN]
            fence()
            header[slots.FRESH] = panic
        controls.look()
        period = int(header[slots.PERIOD])
        if period and controls.version > 0 and meters[slots.LOAD] < TOO_BUSY and (now := time.perf_counter()) >= again:
            # While the block is made the callback takes as many periods as begin meanwhile.
            until_made = math.ceil((SLOWER * step + WAKING_S) * job.device_rate / period)
            count = line.go_back(controls.version, (1 + until_made) * period + slots.GUARD_FRAMES)
            again = now + count * step / AGAIN_SHARE
        if line.ahead + block_frames > header[slots.TARGET]:
            if header[slots.STATE] == slots.STARTING:
                header[slots.STATE] = slots.READY
                pipe.send(("ready", settings))
            time.sleep(POLL_S)
            continue
        if paused > 0:
            line.pause(min(paused, block_frames))
            paused -= block_frames
            continue
        started = time.perf_counter()
        line.lay(meters[slots.BOOST_GAIN], controls.version, period and period + slots.GUARD_FRAMES)
        header[slots.SEEN_SEQUENCE] = controls.sequence
        header[slots.BLOCKS] += 1
        header[slots.RESETS] = resets + stream.resets
        taken = time.perf_counter() - started
        step += 0.1 * (taken - step)
        times.add(taken)
        meters[slots.LOAD] += 0.05 * (taken / budget - meters[slots.LOAD])
        if line.cursor < header[slots.WRITTEN]:
            time.sleep(POLL_S)  # no hurry while older blocks lie there: nobody else is to wait for a whole ring of steps


class _Controls:
    """What is asked for, handed to `generator` when it changes; `version` counts the changes, `sequence` is the ring's."""

    def __init__(self, ring: Ring, generator: "Generator"):
        self._ring, self._generator = ring, generator
        self._held = np.zeros(0)
        self.sequence = self.version = -1

    def look(self) -> None:
        """Take over what has changed."""
        if self._ring.header[slots.CONTROL_SEQUENCE] == self.sequence:
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
