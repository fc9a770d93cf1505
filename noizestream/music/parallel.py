"""Audio files in parallel, lazily and in order; what cannot be used is skipped with its reason.

Files are decoded in processes of their own: a codec's chatter on standard error stays there, and one that crashes takes
only its file with it. A long track comes in pieces of `PIECE_S`, so memory depends on the workers, not on the library.
"""

import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.music import compiled
from noizestream.music.decode import MIN_S, RATE, decode, examine, header_seconds
from noizestream.music.skipped import Skip, Skipped
from noizestream.music.tracks import Track
from noizestream.spawn import Context, processes
from noizestream.stderr import silence_stderr

PIECE_S = 300.0
"""Tracks longer than this are decoded in equal pieces of at most this length plus `MIN_S`."""


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
    count = processes(workers)
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
    seconds: float | None
    then: Callable[[Track, np.ndarray], Any] | None

    def run(self) -> Any:
        """In the worker: the result, or the reason as a `Skipped` (an exception would lose its type on the way)."""
        try:
            audio = decode(self.track.path, self.rate, self.start_s, self.seconds)
            examine(audio, self.rate)
            return audio if self.then is None else self.then(self.track, audio)
        except Skip as error:
            where = f" (from {self.start_s:.0f} s)" if self.start_s else ""
            return Skipped(str(self.track.path), f"{error}{where}")


class _Pool:
    """A process pool that can be replaced when a worker died; with no workers it runs tasks in this process."""

    def __init__(self, workers: int, stack: contextlib.ExitStack):
        self._workers, self._stack = workers, stack
        self._pool = self._start(workers) if workers else None
        self._doubted = False

    def _start(self, workers: int) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(workers, Context(), initializer=silence_stderr)
        self._stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        return pool

    def submit(self, task: _Task) -> Future:
        if self._pool is None:
            future: Future = Future()
            future.set_result(task.run())
            return future
        return self._pool.submit(task.run)

    def restart(self) -> None:
        self._pool = self._start(self._workers)

    def doubt(self, task: _Task) -> None:
        """A process died: once, see that it was not the compiled functions, which would end every other one in the same way."""
        if task.then is not None and not self._doubted:
            self._doubted = True
            compiled.heal()


def _settle(pending: deque, pool: _Pool, skipped: list[Skipped]) -> Iterator[Decoded]:
    """Wait for the oldest task and yield its result, if it has one."""
    task, future = pending.popleft()
    try:
        result = future.result()
    except BrokenProcessPool:
        # Which file killed the worker is unknown: try the oldest alone, then give the others back to a fresh pool.
        pool.doubt(task)
        pool.restart()
        try:
            result = pool.submit(task).result()
        except BrokenProcessPool:
            result = Skipped(str(task.track.path), "the decoder crashed on it (or memory ran out)")
            pool.restart()
        rest = [(other, pool.submit(other)) for other, _ in pending]
        pending.clear()
        pending.extend(rest)
    if isinstance(result, Skipped):
        skipped.append(result)
    else:
        yield Decoded(task.track, task.start_s, result)


def _report(progress, done: int, pending: deque, tracks: Sequence[Track]) -> int:
    now = pending[0][0].number if pending else len(tracks)
    if progress is not None and now != done:
        progress(now, len(tracks))
    return now


def _tasks(tracks: Sequence[Track], rate: int, then) -> Iterator[_Task]:
    for number, track in enumerate(tracks):
        seconds = header_seconds(track.path)
        pieces = max(1, math.ceil((seconds - MIN_S) / PIECE_S))
        for piece in range(pieces):
            yield _Task(number, track, rate, piece * seconds / pieces, seconds / pieces if pieces > 1 else None, then)


def require_some(found: int, skipped: Sequence[Skipped], name: str) -> None:
    """Raise NoizestreamError when nothing usable was left."""
    if found == 0:
        first = f", the first: {skipped[0].reason}" if skipped else ""
        raise NoizestreamError(f"{name}: nothing left to learn from, all {len(skipped)} files were skipped{first}")
