"""The process that owns torch and keeps the ring filled, and the main process's handle on it.

The audio callback must never wait for Python, and the main process must never import torch; so a spawned process steps the model
just in time (docs/decisions/0001-the-callback-pulls.md). Both import this module: what needs torch is imported in the child only.

    main process                          worker process
    Worker(...).open()                    lay out the ring
    launch()                 --spawn-->   load, check, warm up, prime the ring to the target
    ready()                  <--pipe----  Ready
    set_controls(...)        --ring --->  read once per step
    ring (callback plays)    <--ring----  steps while a block fits under the target
    panic()                  --ring --->  starts afresh
    check()                  <--pipe----  Follows: it has died, its standby plays on (standby.py)
    stop()                   --ring --->  ends; also when the main process dies
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.modelfile import archive
from noizestream.modelfile.metadata import Metadata
from noizestream.realtime.process import Failure
from noizestream.realtime.ring import CONTROL_SLOTS, GUARD_FRAMES, READY, Ring
from noizestream.realtime.stats import statistics
from noizestream.realtime.worker_handle import Replaced, WorkerHandle
from noizestream.realtime.worker_loop import Job, Ready

START_TIMEOUT_S = 120.0
HUNG_S = 3.0
"""A worker that makes nothing for so long, though there is room, will not come back by itself."""


@dataclass(frozen=True)
class Beginning:
    """What the music of a worker begins with.

    `genre_weights` [G] and `controls` [K] are None where the model's own hold. `first_block` is where in the noise of `seed` it
    begins: what follows on a worker that died does not repeat it. `prime_audio`, float32 [channels, n] at the model's rate, is
    what the music goes on from; after a panic it begins without it.
    """

    seed: int = 0
    genre_weights: Sequence[float] | None = None
    controls: Sequence[float] | None = None
    first_block: int = 0
    prime_audio: np.ndarray | None = None


class Worker:
    """Handle of the main process. `with Worker(...) as worker:` starts it and, at the end, stops it and frees the ring.

    `metadata`, the device's rate and channels, `block_frames` (at that rate) and the `ring` are there once it is opened.
    """

    metadata: Metadata
    device_rate: int
    device_channels: int
    block_frames: int
    ring: Ring

    def __init__(
        self,
        model: str | Path,
        device_rate: int | None = None,
        device_channels: int | None = None,
        target_frames: int = 0,
        beginning: Beginning = Beginning(),
    ):
        """`model` is a file; it plays `device_channels` at `device_rate` Hz (None: the model's own).

        `target_frames` (at the device's rate) is what the ring is kept filled to; it is raised to one block where it is less.
        """
        self.path, self._beginning = Path(model), beginning
        self._asked_rate, self._asked_channels, self._first_target = device_rate, device_channels, target_frames
        self._launched: WorkerHandle | None = None
        self.is_open = self._is_ready = False
        self.settings: dict[str, Any] = {}  # what the process steps with: tuning.py, and the precision
        self._last_statistics: dict[str, Any] = {}
        self._blocks, self._looked, self._stuck_s = -1, 0.0, 0.0

    def open(self) -> Self:
        """Read the model's metadata and lay out the ring. NoizestreamError if the file is no model that can be played live."""
        self.metadata = archive.read_metadata(self.path)
        self.device_rate = self._asked_rate or self.metadata.sample_rate
        self.device_channels = self._asked_channels or self.metadata.channels
        genre_weights, controls = self._beginning.genre_weights, self._beginning.controls
        self._genre_weights = list(genre_weights) if genre_weights is not None else self.metadata.genre_weights()
        self._controls = list(controls) if controls is not None else self.metadata.default_controls()
        if len(self._genre_weights) + len(self._controls) > CONTROL_SLOTS:
            raise NoizestreamError(f"{self.path}: more than {CONTROL_SLOTS} genres and controls cannot be played live")
        self.block_frames = -(-self.metadata.block_frames * self.device_rate // self.metadata.sample_rate)
        self.ring = Ring.create(_power_of_two(4 * (max(self._first_target, 0) + self.block_frames)), self.device_channels)
        self.is_open = True
        self.set_target(self._first_target)
        self.set_controls()
        return self

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def launch(self) -> None:
        """Once it is open: spawn the process and return at once; `ready` says when it plays."""
        ring, path, begin = self.ring, str(self.path), self._beginning
        job = Job(ring.memory.name, ring.layout, path, self.device_rate, begin.seed, begin.first_block, begin.prime_audio)
        self._launched = WorkerHandle(job).open()
        self._beginning = replace(begin, prime_audio=None)  # up to 23 MB

    def ready(self, timeout_s: float = 0.0) -> bool:
        """Whether the ring is primed, waiting for it `timeout_s` at most; NoizestreamError if the process cannot play the model."""
        if self._is_ready or self._launched is None:
            return self._is_ready
        message = self._launched.receive(timeout_s)
        if isinstance(message, Failure):
            raise message.error
        if isinstance(message, Ready):
            self.settings, self._is_ready = message.settings, True
        return self._is_ready

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """`open` if need be, `launch`, and return when it is ready; NoizestreamError if it cannot play the model."""
        try:
            if not self.is_open:
                self.open()
            self.launch()
            end = time.monotonic() + timeout_s
            while not self.ready(0.05):
                if time.monotonic() > end:
                    raise NoizestreamError(f"{self.path}: not ready after {timeout_s:g} s; is the machine overloaded?")
        except BaseException:
            self.close()
            raise

    def set_target(self, frames: int) -> None:
        """Keep the ring filled to `frames`: at least one block, at most what the ring holds."""
        most = self.ring.layout.capacity - 3 * self.block_frames
        self.ring.main.target = min(max(int(frames), self.block_frames), most)

    def fit(self, kept_frames: int, period: int, fade_frames: int, exact: bool = False, latency_frames: int = 0) -> None:
        """Set target, resume and fades for a device that asks for `period` frames at a time and `kept_frames` of sound kept ready.

        Not less is kept than a block and two periods, nor than a block and what the device itself keeps, `latency_frames`: it may
        ask for all of that at once. `exact`: not less than what can be played at all.
        """
        # Before a callback there must be a period in the ring; fills differ by what block and period have in common.
        main, block = self.ring.main, self.block_frames
        even = math.gcd(block, period) if self.device_rate == self.metadata.sample_rate else 1
        self.set_target(max(kept_frames, block + period - even if exact else block + max(2 * period, latency_frames)))
        main.resume = main.target - block + 1
        main.period = period
        # The fade of an underrun reads the past; the worker may meanwhile write `target` frames of the future.
        main.fade_frames = min(fade_frames, self.ring.layout.capacity - main.target)
        main.run_frames = fade_frames

    def set_controls(self, genre_weights: Sequence[float] | None = None, controls: Sequence[float] | None = None) -> int:
        """Ask for genre weights `[G]` and control values `[K]` (None: as they are); returns the `control_sequence` to wait for.

        The block that first hears them has been written once the ring's `seen_sequence` has reached it.
        """
        if genre_weights is not None:
            self._genre_weights = list(genre_weights)
        if controls is not None:
            self._controls = list(controls)
        return self.ring.set_controls(self._genre_weights, self._controls)

    @property
    def pid(self) -> int:
        """Of the process that plays; 0 if none was ever started."""
        return self._launched.pid if self._launched else 0

    @property
    def change_frames(self) -> int:
        """After so many frames at most a change of controls is played, if steps are as quick as they should be."""
        period, target = self.ring.main.period, self.ring.main.target
        return min(2 * period + GUARD_FRAMES + self.block_frames, target) if period else target

    @property
    def next_block(self) -> int:
        """The block of the seed's noise that comes next."""
        return self._beginning.first_block + self.ring.worker.blocks - self.ring.worker.again

    def panic(self) -> None:
        """Silence within a period, whatever the ring holds, and a fresh state after it."""
        self.ring.main.panic += 1

    def check(self) -> str | None:
        """Kill the process if it hangs. Returns a line for the user where it had ended by itself and its standby plays on.

        NoizestreamError where it has ended and nobody follows.
        """
        main, process, said = self.ring.main, self.ring.worker, None
        if self._launched is None or main.stop:
            return None
        while (message := self._launched.receive()) is not None:
            if isinstance(message, Replaced):
                said = message.line
        now, idle = time.monotonic(), self.ring.fill() + self.block_frames > main.target
        if idle or process.blocks != self._blocks or process.state != READY:
            self._blocks, self._stuck_s = process.blocks, 0.0
        else:  # where this process was held up too, the whole machine was: that says nothing about the other
            self._stuck_s += min(now - self._looked, HUNG_S / 4)
        self._looked = now
        if self._stuck_s > HUNG_S:
            self._stuck_s = 0.0
            self._launched.kill(f"{self.path}: the worker process made no sound for {HUNG_S:g} s")
        return said

    def statistics(self, **measured: Any) -> dict[str, Any]:
        """The dict of `--stats`; `measured` are the keyword arguments of `stats.statistics`. After `close` as they were then."""
        if not self.is_open:
            return self._last_statistics | measured
        return statistics(self.ring, self.metadata, **measured)

    def stop(self, timeout_s: float = 3.0) -> None:
        """End the process; the ring stays, so a callback may still run. Safe to call twice, and if it never was opened."""
        if self.is_open:
            self.ring.main.stop = 1
        if self._launched is not None:
            self._launched.close(timeout_s)

    def close(self) -> None:
        """`stop`, then free the ring: no callback may use it any more. Safe to call twice, and if it never was opened."""
        self.stop()
        if self.is_open:
            self._last_statistics = self.statistics()
            self.is_open = False
            self.ring.close()


def _power_of_two(least: int) -> int:
    return 1 << max(least - 1, 1).bit_length()
