"""The process that owns torch and keeps the ring filled, and the main process's handle on it.

The audio callback must never wait for Python, and the main process must never import torch; so a spawned process steps the model
just in time (docs/decisions.md has the measurements). Both import this module: whatever needs torch is imported in the child only.

    main process                          worker process
    Worker(...).start()      --spawn-->   load, check, warm up, prime the ring to TARGET, "ready"
    set_controls(...)        --ring --->  read once per step
    ring (callback plays)    <--ring----  steps while a block fits under TARGET
    stop()                   --ring --->  ends; also when the main process dies
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from noizestream import artifact
from noizestream.engine import ring as slots
from noizestream.engine.resampling import Resampler, map_channels
from noizestream.engine.ring import Ring, RingLayout
from noizestream.engine.stats import StepTimes, statistics
from noizestream.errors import NoizestreamError, UsageError

POLL_S = 0.0005
"""How often the worker looks whether a block fits: costs about 1 % of a core, adds at most this to the latency."""

START_TIMEOUT_S = 60.0
NICENESS = -10


class Worker:
    """Handle of the main process. `with Worker(...) as worker:` starts it and, at the end, stops it and frees the ring."""

    def __init__(
        self,
        model: str | Path,
        device_rate: int | None = None,
        device_channels: int | None = None,
        target_frames: int = 0,
        seed: int = 0,
        genre_weights: Sequence[float] | None = None,
        controls: Sequence[float] | None = None,
    ):
        """Read the model's metadata and lay out the ring: `device_channels` at `device_rate` Hz (None: the model's own).

        `target_frames` (at the device's rate) is what the ring is kept filled to; it is raised to one block where it is less.
        NoizestreamError if `model` (a file) is none.
        """
        self.path = Path(model)
        self.metadata = artifact.read_metadata(self.path)
        self.device_rate = device_rate or self.metadata.sample_rate
        self.device_channels = device_channels or self.metadata.channels
        self.seed = seed
        self._genre_weights = list(genre_weights) if genre_weights is not None else self.metadata.genre_weights()
        self._controls = list(controls) if controls is not None else self.metadata.default_controls()
        if len(self._genre_weights) + len(self._controls) > slots.CONTROL_SLOTS:
            raise NoizestreamError(f"{self.path}: more than {slots.CONTROL_SLOTS} genres and controls cannot be played live")
        self.block_frames = -(-self.metadata.block_frames * self.device_rate // self.metadata.sample_rate)
        self.ring = Ring.create(_power_of_two(4 * (max(target_frames, 0) + self.block_frames)), self.device_channels)
        self.set_target(target_frames)
        self.set_controls()
        self._process: Any = None
        self._pipe: Any = None
        self.settings: dict[str, Any] = {}  # what the process steps with: steady.py, and the precision
        self._last_statistics: dict[str, Any] = {}

    def __enter__(self) -> "Worker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Spawn the process and return when the ring is primed; NoizestreamError if it cannot play the model."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=False)
        layout = self.ring.layout
        arguments = (theirs, self.ring.memory.name, layout, str(self.path), self.device_rate, self.seed, os.getpid())
        self._process = context.Process(target=_run, args=arguments, name="noizestream worker", daemon=True)
        try:
            with _ignoring_interrupts():  # inherited, so that Ctrl-C never reaches the child, not even while it imports
                self._process.start()
            theirs.close()
            self._await_ready(timeout_s)
        except BaseException:
            self.close()
            raise

    def set_target(self, frames: int) -> None:
        """Keep the ring filled to `frames`: at least one block, at most what the ring holds."""
        most = self.ring.layout.capacity - 3 * self.block_frames
        self.ring.header[slots.TARGET] = min(max(int(frames), self.block_frames), most)

    def set_controls(self, genre_weights: Sequence[float] | None = None, controls: Sequence[float] | None = None) -> int:
        """Ask for genre weights `[G]` and control values `[K]` (None: as they are); returns the CONTROL_SEQUENCE to wait for.

        The block that first hears them has been written once the ring's SEEN_SEQUENCE has reached it.
        """
        if genre_weights is not None:
            self._genre_weights = list(genre_weights)
        if controls is not None:
            self._controls = list(controls)
        return self.ring.set_controls(self._genre_weights, self._controls)

    @property
    def pid(self) -> int:
        """Of the process; 0 if it was never started."""
        return (self._process and self._process.pid) or 0

    def check(self) -> None:
        """Raise NoizestreamError if the process has ended by itself."""
        if self._process is not None and not self._process.is_alive() and not self.ring.header[slots.STOP]:
            raise NoizestreamError(self._last_words())

    def statistics(self, **measured: Any) -> dict[str, Any]:
        """The dict of `--stats`; `measured` are the keyword arguments of `stats.statistics`. After `close` as they were then."""
        if not hasattr(self.ring, "header"):
            return self._last_statistics | measured
        return statistics(self.ring, self.metadata, **measured)

    def stop(self, timeout_s: float = 3.0) -> None:
        """End the process; the ring stays, so a callback may still run. Safe to call twice."""
        if hasattr(self.ring, "header"):
            self.ring.header[slots.STOP] = 1
        if self._process is None or self._process.pid is None:
            return
        self._process.join(timeout_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def close(self) -> None:
        """`stop`, then free the ring: no callback may use it any more."""
        self.stop()
        if hasattr(self.ring, "header"):
            self._last_statistics = self.statistics()
            self.ring.close()
        if self._pipe is not None:
            self._pipe.close()

    def _await_ready(self, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        while not self._pipe.poll(0.05):
            if not self._process.is_alive():
                raise NoizestreamError(self._last_words())
            if time.monotonic() > end:
                raise NoizestreamError(f"{self.path}: not ready after {timeout_s:g} s; is the machine overloaded?")
        try:
            kind, text = self._pipe.recv()
        except EOFError:
            self._process.join(1.0)
            raise NoizestreamError(self._last_words()) from None
        if kind != "ready":
            raise (UsageError if kind == "usage" else NoizestreamError)(text)
        self.settings = text

    def _last_words(self) -> str:
        """Why the process ended: what it sent, else its exit code."""
        with contextlib.suppress(EOFError, OSError):
            if self._pipe.poll():
                return self._pipe.recv()[1]
        return f"{self.path}: the worker process ended unexpectedly (exit code {self._process.exitcode})"


@contextlib.contextmanager
def _ignoring_interrupts():
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _power_of_two(least: int) -> int:
    return 1 << max(least - 1, 1).bit_length()


def _run(pipe: Connection, name: str, layout: RingLayout, model: str, device_rate: int, seed: int, parent: int) -> None:
    """The worker process from start to end. What goes wrong is sent to the main process as `(kind, one line)`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ring = Ring.attach(name, layout)
    try:
        _play(pipe, ring, model, device_rate, seed, parent)
        ring.header[slots.STATE] = slots.STOPPED
    except Exception as error:
        ring.header[slots.STATE] = slots.FAILED
        known = isinstance(error, NoizestreamError)
        text = str(error) if known else f"{model}: the worker failed ({type(error).__name__}: {artifact.last_line(error)})"
        with contextlib.suppress(OSError):
            pipe.send(("usage" if isinstance(error, UsageError) else "error", text))
    finally:
        ring.close()


def _play(pipe: Connection, ring: Ring, model: str, device_rate: int, seed: int, parent: int) -> None:
    from noizestream.engine.generator import load
    from noizestream.engine.safety import CEILING, SafeStream
    from noizestream.engine.steady import settle

    header, meters = ring.header, ring.meters
    generator = load(model, seed)
    metadata = generator.metadata
    stream = SafeStream(generator)
    resampler = Resampler(metadata.sample_rate, device_rate, metadata.channels)
    times = StepTimes(ring.steps)
    block_frames = resampler.largest(metadata.block_frames)
    budget = metadata.block_frames / metadata.sample_rate
    resampled = metadata.sample_rate != device_rate
    seen = -1

    settings = settle() | {"precision": artifact.precisions(metadata)[0]}
    with contextlib.suppress(OSError):
        os.nice(NICENESS)  # where the system lets us: everything else can wait, a block cannot

    while not header[slots.STOP] and os.getppid() == parent:
        if ring.fill() + block_frames > header[slots.TARGET]:
            if header[slots.STATE] == slots.STARTING:
                header[slots.STATE] = slots.READY
                pipe.send(("ready", settings))
            time.sleep(POLL_S)
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
