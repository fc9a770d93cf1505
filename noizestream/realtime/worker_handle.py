"""The worker process as the main process sees it: one after the other of those that play, and the pipe on which they speak.

All of them hold the same end of the pipe, so it is at its end when the last of them has ended, and not before.
"""

import contextlib
import time
from dataclasses import dataclass

from noizestream.errors import NoizestreamError
from noizestream.realtime.process import ChildProcess, Failure, Follows
from noizestream.realtime.worker_loop import Job, Ready, run


@dataclass(frozen=True)
class Replaced:
    """The process that played has died, and its standby plays on: `line` says so, and why it died."""

    line: str


class WorkerHandle(ChildProcess[Ready | Failure | Follows]):
    """The process that does `job`, and the standbys that follow it; all of them are told to end by the ring."""

    def __init__(self, job: Job):
        super().__init__(run, "worker", job)
        self._model, self._why = job.model, ""

    def receive(self, timeout_s: float = 0.0) -> Ready | Failure | Replaced | None:
        """Return what the process says next, waiting `timeout_s` seconds at most; None if it says nothing.

        After a Failure it ends, and a standby may follow. NoizestreamError, which says why, once all of them have ended.
        """
        try:
            message = self.poll(timeout_s)
        except NoizestreamError:
            raise NoizestreamError(self._last_words()) from None
        if isinstance(message, Follows):
            replaced = Replaced(f"{self._last_words()}; another plays on")
            self.follow(message)
            self._why = ""
            return replaced
        if isinstance(message, Failure):
            self._why = message.line
        return message

    def kill(self, why: str = "") -> None:
        """End the process that plays by force, and have `receive` say that it was for this reason."""
        self._why = why
        super().kill()

    def _ends(self, timeout_s: float) -> bool:
        end = time.monotonic() + timeout_s
        with contextlib.suppress(NoizestreamError):
            while (left := end - time.monotonic()) > 0:
                self.receive(left)
            return False
        return True

    def _last_words(self) -> str:
        """Why the process ended: what it sent, else its exit code."""
        code = self.exit_code()
        told = "" if code is None else f" (exit code {code})"
        return self._why or f"{self._model}: the worker process ended unexpectedly{told}"
