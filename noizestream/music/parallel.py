"""Audio files in parallel, lazily and in order; what cannot be used is skipped with its reason.

Files are decoded in processes of their own: a codec's chatter on standard error stays there, and one that crashes takes
only its file with it, as does one that hangs. A long track comes in pieces of `PIECE_S`, so memory depends on the workers, not on
the library.
"""

import contextlib
import faulthandler
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.music import compiled
from noizestream.music.decode import MIN_S, RATE, decode, header_seconds, pieces
from noizestream.music.examine import examine
from noizestream.music.skipped import Skip, Skipped
from noizestream.music.tracks import Track
from noizestream.stderr import silence_stderr

PIECE_S = 300.0
"""Tracks longer than this are decoded in equal pieces of at most this length plus `MIN_S`."""
LIMIT_S = 120.0
"""A worker has so long for a piece, however short, and `LIMIT_PER_S` more for every second of it that there may be."""
LIMIT_PER_S = 2.0
FEW_BYTES_S = 8000.0
"""64 kbit/s: how long a file may last that does not say it."""


@dataclass(frozen=True)
class Decoded:
    """A piece of `track` that begins `start_s` seconds into it. `audio` is float32 [channels, n], or what `then` made of it."""

    track: Track
    start_s: float
    audio: Any


def decode_all(
    tracks: Sequence[Track],
    skipped: list[Skipped],
    rate: int = RATE,
    workers: int | None = None,
    then: Callable[[Track, np.ndarray], Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Decoded]:
    """Yield a `Decoded` per piece, in the order of `tracks`; files that cannot be used are appended to `skipped`.

    `workers` is the number of processes (None: one per processor; 0: in this process). `then(track, audio)`, a module-level
    function, runs in the worker, so that only its result crosses over; it may raise Skip. `progress(done, total)` counts tracks.
    Raises NoizestreamError when librosa, which `then` may use, cannot run here.
    """
    if then is not None:
        compiled.ready()
    count = (os.cpu_count() or 1) if workers is None else workers
    pending: deque[tuple[_Task, Future]] = deque()
    with contextlib.ExitStack() as stack:
        pool = _Pool(count, stack)
        ahead = count + 2
        tasks = _tasks(tracks, rate, then)
        done = 0
        for task in tasks:
            pending.append((task, pool.submit(task)))
            if len(pending) < ahead:
                continue
            yield from _settle(pending, pool, skipped)
            done = _report(progress, done, pending, tracks)
        while pending:
            yield from _settle(pending, pool, skipped)
            done = _report(progress, done, pending, tracks)


@dataclass(frozen=True)
class _Task:
    number: int  # of the track
    track: Track
    rate: int
    start_s: float
    seconds: float | None  # None: all of the track, in as many pieces as it has
    then: Callable[[Track, np.ndarray], Any] | None
    limit_s: float

    def run(self) -> list["Decoded | Skipped"]:
        """In the worker: results, and what went wrong as a `Skipped` each (an exception would lose its type on the way)."""
        found: list[Decoded | Skipped] = []
        try:
            for start_s, audio in self._pieces():
                found += self._one(start_s, audio)
            if self.seconds is None:
                found += self._missing(start_s + audio.shape[1] / self.rate)
        except Skip as error:
            found.append(Skipped(str(self.track.path), str(error)))
        except NoizestreamError:
            raise
        except Exception as error:  # whatever it is that one file makes fail, the others go on
            found.append(Skipped(str(self.track.path), f"cannot be analysed ({type(error).__name__}: {error})"))
        return found

    def run_limited(self) -> list["Decoded | Skipped"]:
        """The same in a process that ends, whatever holds it, when the limit is over."""
        with open(os.devnull, "w") as nowhere:
            faulthandler.dump_traceback_later(self.limit_s, exit=True, file=nowhere)
            try:
                return self.run()
            finally:
                faulthandler.cancel_dump_traceback_later()

    def _pieces(self) -> Iterator[tuple[float, np.ndarray]]:
        if self.seconds is None:
            return pieces(self.track.path, self.rate, PIECE_S, MIN_S)
        return iter([(self.start_s, decode(self.track.path, self.rate, self.start_s, self.seconds))])

    def _one(self, start_s: float, audio: np.ndarray) -> list["Decoded | Skipped"]:
        path = str(self.track.path)
        try:
            audio, note = examine(audio, self.rate)
            decoded = Decoded(self.track, start_s, audio if self.then is None else self.then(self.track, audio))
        except Skip as error:
            return [Skipped(path, f"{error} (from {start_s:.0f} s)" if start_s else str(error))]
        return [decoded, Skipped(path, note, used=True)] if note else [decoded]

    def _missing(self, seconds: float) -> list[Skipped]:
        """What to say of a track of which `seconds` were read, if its header told of more."""
        told = header_seconds(self.track.path)
        if told <= 1.05 * seconds + 0.5:
            return []
        note = f"cut off or damaged: {seconds:.1f} s can be read, its header says {told:.1f}"
        return [Skipped(str(self.track.path), note, used=True)]


class _Pool:
    """A process pool that can be replaced when a worker died; with no workers it runs tasks in this process."""

    def __init__(self, workers: int, stack: contextlib.ExitStack):
        self._workers, self._stack = workers, stack
        self._pool = self._start(workers) if workers else None
        self._doubted = False

    def _start(self, workers: int) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=silence_stderr)
        self._stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        return pool

    def submit(self, task: _Task) -> Future:
        if self._pool is None:
            future: Future = Future()
            future.set_result(task.run())
            return future
        return self._pool.submit(task.run_limited)

    def restart(self) -> None:
        self._pool = self._start(self._workers)

    def doubt(self, task: _Task) -> None:
        """A process died: once, see that it was not the compiled functions, which would end every other one in the same way."""
        if task.then is not None and not self._doubted:
            self._doubted = True
            compiled.heal()


def _settle(pending: deque, pool: _Pool, skipped: list[Skipped]) -> Iterator[Decoded]:
    """Wait for the oldest task and yield its results, if it has any."""
    task, future = pending.popleft()
    try:
        results = future.result()
    except BrokenProcessPool:
        # Which file killed the worker is unknown: try the oldest alone, then give the others back to a fresh pool.
        pool.doubt(task)
        pool.restart()
        began = time.monotonic()
        try:
            results = pool.submit(task).result()
        except BrokenProcessPool:
            late = time.monotonic() - began > task.limit_s
            reason = f"took more than {task.limit_s:.0f} s" if late else "the decoder crashed on it (or memory ran out)"
            results = [Skipped(str(task.track.path), reason)]
            pool.restart()
        rest = [(other, pool.submit(other)) for other, _ in pending]
        pending.clear()
        pending.extend(rest)
    for result in results:
        if isinstance(result, Decoded):
            yield result
        elif result not in skipped:  # what holds of every piece is said once
            skipped.append(result)


def _report(progress, done: int, pending: deque, tracks: Sequence[Track]) -> int:
    now = pending[0][0].number if pending else len(tracks)
    if progress is not None and now != done:
        progress(now, len(tracks))
    return now


def _tasks(tracks: Sequence[Track], rate: int, then) -> Iterator[_Task]:
    for number, track in enumerate(tracks):
        seconds = header_seconds(track.path)
        count = max(1, math.ceil((seconds - MIN_S) / PIECE_S))
        limit_s = LIMIT_S + LIMIT_PER_S * (seconds / count or _longest(track.path))
        for piece in range(count):
            yield _Task(number, track, rate, piece * seconds / count, seconds / count if count > 1 else None, then, limit_s)


def _longest(path: Path) -> float:
    """How many seconds a file may last that does not say it."""
    try:
        return path.stat().st_size / FEW_BYTES_S
    except OSError:  # decoding will say why
        return 0.0


def require_some(found: int, skipped: Sequence[Skipped], name: str) -> None:
    """Raise NoizestreamError when nothing usable was left."""
    if found == 0:
        lost = [entry for entry in skipped if not entry.used]
        first = f", the first: {lost[0].reason}" if lost else ""
        raise NoizestreamError(f"{name}: nothing left to learn from, all {len(lost)} files were skipped{first}")
