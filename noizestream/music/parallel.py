"""Audio files in parallel, lazily and in order; what cannot be used is skipped with its reason.

Files are decoded in processes of their own: a codec's chatter on standard error stays there, and one that crashes takes
only its file with it, as does one that hangs. A long track comes in pieces, so memory depends on the workers, not on the library.
"""

import concurrent.futures
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.music import compiled
from noizestream.music.cuts import Cut, cuts_of
from noizestream.music.decode import RATE
from noizestream.music.skipped import Skipped
from noizestream.music.task import Decoded, Task
from noizestream.music.tracks import Track
from noizestream.system.spawn import Context, processes
from noizestream.system.stderr import silence_stderr

LIMIT_S = 120.0
"""A worker has so long for a piece, however short, and `LIMIT_PER_S` more for every second of it that there may be."""
LIMIT_PER_S = 2.0


def _forever() -> float:
    return math.inf


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
    done = -1
    order = {track: number for number, track in enumerate(tracks)}
    cuts = (cut for track in tracks for cut in cuts_of(track))
    for decoded in decode_cuts(cuts, skipped, rate, workers, then):
        yield decoded
        if progress is not None and order[decoded.track] != done:
            done = order[decoded.track]
            progress(done, len(tracks))
    if progress is not None and tracks:
        progress(len(tracks), len(tracks))


def decode_cuts(
    cuts: Iterable[Cut],
    skipped: list[Skipped],
    rate: int = RATE,
    workers: int | None = None,
    then: Callable[[Track, np.ndarray], Any] | None = None,
    limit_s: float | None = None,
    patience: Callable[[], float] = _forever,
) -> Iterator[Decoded]:
    """Yield a `Decoded` per cut of `cuts`, of which the next is asked for when a process will soon be free for it.

    No more than `workers` + 1 are under way then. `skipped`, `workers` and `then` are those of `decode_all`. A file has `limit_s`
    seconds (None: `LIMIT_S`), and more if it is long.
    `patience()` says how many seconds to wait for what is under way before it is given up, and with it all that would follow.
    """
    if then is not None:
        compiled.ready()
    count = processes(workers)
    pending: deque[tuple[Task, Future]] = deque()
    with contextlib.ExitStack() as stack:
        pool = _Pool(count, stack)

        def settle() -> Iterator[Decoded]:
            concurrent.futures.wait([pending[0][1]], None if (most := patience()) == math.inf else most)
            if not pending[0][1].done():
                raise _GivenUpError
            return _settle(pending, pool, skipped)

        with contextlib.suppress(_GivenUpError):
            for cut in cuts:
                task = Task(cut, rate, then, (LIMIT_S if limit_s is None else limit_s) + LIMIT_PER_S * cut.expected_s)
                pending.append((task, pool.submit(task)))
                if len(pending) > count + 1:
                    yield from settle()
            while pending:
                yield from settle()
        pool.close(kill=bool(pending))


class _GivenUpError(Exception):
    """Nobody waits any longer."""


class _Pool:
    """A process pool that can be replaced when a worker died; with no workers it runs tasks in this process.

    It is closed with `stack`, and what still runs then is killed: nobody who presses Ctrl-C waits for it.
    """

    def __init__(self, workers: int, stack: contextlib.ExitStack):
        self._workers, self._context, self._doubted = workers, Context(), False
        self._pools = [self._start()] if workers else []
        stack.callback(self.close, kill=True)

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._workers, self._context, initializer=silence_stderr)

    def submit(self, task: Task) -> Future:
        if not self._pools:
            future: Future = Future()
            future.set_result(task.run())
            return future
        return self._pools[-1].submit(task.run_limited)

    def restart(self) -> None:
        self._pools.append(self._start())

    def close(self, kill: bool) -> None:
        """End all processes: at once, or when they have done what they were given."""
        if kill:
            self._context.kill()
        while self._pools:
            self._pools.pop().shutdown(wait=True, cancel_futures=True)

    def doubt(self, task: Task) -> None:
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
            results = [Skipped(str(task.cut.track.path), reason)]
            pool.restart()
        rest = [(other, pool.submit(other)) for other, _ in pending]
        pending.clear()
        pending.extend(rest)
    for result in results:
        if isinstance(result, Decoded):
            yield result
        elif result not in skipped:  # what holds of every piece is said once
            skipped.append(result)


def require_some(found: int, skipped: Sequence[Skipped], name: str) -> None:
    """Raise NoizestreamError when nothing usable was left."""
    if found == 0:
        lost = [entry for entry in skipped if not entry.used]
        first = f", the first: {lost[0].reason}" if lost else ""
        raise NoizestreamError(f"{name}: nothing left to learn from, all {len(lost)} files were skipped{first}")
