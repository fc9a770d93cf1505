"""A process that another than this one has started: nobody here is told of its end, and its id may be used again. Linux only."""

import contextlib
import os
import signal

from noizestream.system import machine


class Follower:
    """The process `pid` that was `started` then, as `machine.started` says it. `kill` ends it, and never another of its id."""

    def __init__(self, pid: int, started: int | None):
        self.pid, self._started = pid, started
        self._descriptor: int | None = None
        with contextlib.suppress(OSError):  # it has ended, or the kernel is older than 5.3
            self._descriptor = os.pidfd_open(pid)
        if not self._is_there:
            self.close()

    def kill(self) -> None:
        """End it by force; nothing where it has ended already."""
        with contextlib.suppress(ProcessLookupError):
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            elif self._is_there:
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of it. Safe to call twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    @property
    def _is_there(self) -> bool:
        return self._started is not None and machine.started(self.pid) == self._started
