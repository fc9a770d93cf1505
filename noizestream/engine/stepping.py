"""What the worker process does from start to end: load, warm up, step just in time into the ring.

Torch is imported in the functions only: the main process imports this module too, to name `run` to the process it spawns.
"""

import contextlib
import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from noizestream import artifact
from noizestream.engine import ring as slots
from noizestream.engine.resampling import Resampler, map_channels
from noizestream.engine.ring import Ring, RingLayout
from noizestream.engine.shared import fence
from noizestream.engine.spawned import ignore_signals
from noizestream.engine.stats import StepTimes
from noizestream.errors import NoizestreamError, UsageError

POLL_S = 0.0005
"""How often the worker looks whether a block fits: costs about 1 % of a core, adds at most this to the latency."""

NICENESS = -10

PANIC_S = 0.25
"""Silence between a panic and the fresh state: long enough to be heard as one."""


@dataclass(frozen=True)
class Job:
    """What the process is told at its start."""

    ring_name: str
    ring_layout: RingLayout
    model: str
    device_rate: int
    seed: int
    first_block: int
    parent: int
    heard: np.ndarray | None = None  # float32 [channels, n] at the model's rate: what it goes on from


def run(pipe: Connection, job: Job) -> None:
    """The worker process from start to end. What goes wrong is sent to the main process as `(kind, one line)`."""
    ignore_signals()
    ring = Ring.attach(job.ring_name, job.ring_layout)
    try:
        _play(pipe, ring, job)
        ring.header[slots.STATE] = slots.STOPPED
    except Exception as error:
        ring.header[slots.STATE] = slots.FAILED
        known = isinstance(error, NoizestreamError)
        text = str(error) if known else f"{job.model}: the worker failed ({type(error).__name__}: {artifact.last_line(error)})"
        with contextlib.suppress(OSError):
            pipe.send(("usage" if isinstance(error, UsageError) else "error", text))
    finally:
        ring.close()


def _play(pipe: Connection, ring: Ring, job: Job) -> None:
    from noizestream.engine.generator import load
    from noizestream.engine.safety import CEILING, SafeStream
    from noizestream.engine.steady import settle

    header, meters = ring.header, ring.meters
    generator = load(job.model, job.seed)
    generator.block = job.first_block
    metadata = generator.metadata
    if job.heard is not None:
        generator.set_genre(ring.get_controls(len(metadata.genres), len(metadata.controls))[1])
        generator.prime(job.heard)
    stream = SafeStream(generator)
    resampler = Resampler(metadata.sample_rate, job.device_rate, metadata.channels)
    times = StepTimes(ring.steps)
    block_frames = resampler.largest(metadata.block_frames)
    budget = metadata.block_frames / metadata.sample_rate
    resampled = metadata.sample_rate != job.device_rate
    pause = np.zeros((block_frames, ring.layout.channels), np.float32)
    seen, paused = -1, 0

    settings = settle() | {"precision": artifact.precisions(metadata)[0]}
    with contextlib.suppress(OSError):
        os.nice(NICENESS)  # where the system lets us: everything else can wait, a block cannot

    while not header[slots.STOP] and os.getppid() == job.parent:
        if header[slots.PANIC] != header[slots.FRESH]:
            panic = int(header[slots.PANIC])
            generator.clear_state()
            stream.safety.reset()
            resampler.clear()
            paused = round(PANIC_S * job.device_rate)
            header[slots.FRESH_AT] = header[slots.WRITTEN]
            fence()
            header[slots.FRESH] = panic
        if ring.fill() + block_frames > header[slots.TARGET]:
            if header[slots.STATE] == slots.STARTING:
                header[slots.STATE] = slots.READY
                pipe.send(("ready", settings))
            time.sleep(POLL_S)
            continue
        if paused > 0:
            ring.write(pause[:paused])
            paused -= len(pause)
            continue
        started = time.perf_counter()
        sequence, weights, values = ring.get_controls(len(metadata.genres), len(metadata.controls))
        if sequence != seen:
            with contextlib.suppress(UsageError):  # never let a bad value end the music: what was asked before goes on
                generator.set_genre(weights)
            if np.isfinite(values).all():
                generator.set_controls(values)
            seen = sequence
        block = stream.step(boost=meters[slots.BOOST_GAIN])
        frames = map_channels(resampler.resample(block.T), ring.layout.channels)
        if resampled:
            frames = np.clip(frames, -CEILING, CEILING)  # interpolation may swing over what the limiter held
        ring.write(frames)
        header[slots.SEEN_SEQUENCE] = seen
        header[slots.BLOCKS] += 1
        header[slots.RESETS] = stream.resets
        taken = time.perf_counter() - started
        times.add(taken)
        meters[slots.LOAD] += 0.05 * (taken / budget - meters[slots.LOAD])
