"""The worker process as the main process sees it: one after the other of those that play, and the pipe on which they speak.

All of them hold the same end of the pipe, so it is closed when the last has ended, and not before.
"""

import contextlib
import time
from typing import Any

from noizestream.errors import NoizestreamError
from noizestream.realtime.follower import Follower
from noizestream.realtime.process import spawn
from noizestream.realtime.worker_loop import Job, run


class WorkerHandle:
    """Spawns the process that does `job`, and returns at once."""

    def __init__(self, job: Job):
        self._model = job.model
        self._pipe, self._first = spawn(run, "worker", job, duplex=False)
        self._follower: Follower | None = None
        self._why = ""

    @property
    def pid(self) -> int:
        """Of the one that plays."""
        return self._follower.pid if self._follower else self._first.pid or 0

    def receive(self, timeout_s: float = 0.0) -> tuple[str, Any] | None:
        """Return what the process says next, `(kind, what)`, waiting for it `timeout_s` at most; None: nothing.

        `("follows", line)`: the one that played has died, and why; another plays on. `("ready", settings)`: the ring is primed.
        `("usage" or "error", line)`: it is about to end. NoizestreamError once all have ended.
        """
        try:
            if not self._pipe.poll(timeout_s):
                return None
            kind, what = self._pipe.recv()
        except (EOFError, OSError):
            raise NoizestreamError(self._last_words()) from None
        if kind == "follows":
            words = f"{self._last_words()}; another plays on"
            self._follow(Follower(*what))
            self._why = ""
            return kind, words
        if kind != "ready":
            self._why = what
        return kind, what

    def kill(self, why: str = "") -> None:
        """End the process that plays by force, and say that it was for this reason."""
        self._why = why
        (self._follower or self._first).kill()

    def end(self, timeout_s: float) -> None:
        """Wait for all of them to end, who have been told to, and kill them after `timeout_s`. Safe to call twice."""
        if self._pipe.closed:
            return
        if not self._ends(timeout_s):
            self.kill()
            self._ends(1.0)
        self._first.join()
        self._pipe.close()
        if self._follower is not None:
            self._follower.close()

    def _follow(self, follower: Follower) -> None:
        if self._follower is not None:
            self._follower.close()
        self._follower = follower

    def _ends(self, timeout_s: float) -> bool:
        end = time.monotonic() + timeout_s
        with contextlib.suppress(NoizestreamError):
            while (left := end - time.monotonic()) > 0:
                self.receive(left)
            return False
        return True

    def _last_words(self) -> str:
        """Why the process ended: what it sent, else its exit code."""
        if self._follower is not None:
            code = ""
        else:
            self._first.join(1.0)
            code = f" (exit code {self._first.exitcode})"
        return self._why or f"{self._model}: the worker process ended unexpectedly{code}"
