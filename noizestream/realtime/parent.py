"""The main process as a child process sees it: the child's end of the pipe, and the one test of whether anybody is still there.

The test is not the parent's id, which a copy of the worker (standby.py) does not have, but what `multiprocessing` holds open for as
long as the main process lives: it ends with it, however it ends, and on every system.
"""

import contextlib
import multiprocessing
from multiprocessing.connection import Connection, wait
from typing import Any


class ParentEnded(Exception):
    """The main process has ended: nobody needs this process any more."""


class Parent:
    """The process that started this one, which speaks with it on `pipe`; only within a process of `ChildProcess`."""

    def __init__(self, pipe: Connection):
        parent = multiprocessing.parent_process()
        assert parent is not None, "this is no child process"
        self._pipe, self._sentinel = pipe, parent.sentinel

    @property
    def lives(self) -> bool:
        """Whether the main process is still there."""
        return not wait([self._sentinel], 0)

    def send(self, message: Any) -> None:
        """Tell the main process `message`, a frozen dataclass; nothing happens where it has ended."""
        with contextlib.suppress(OSError):
            self._pipe.send(message)

    def receive(self, timeout_s: float) -> Any | None:
        """Return the next message of the main process, waiting `timeout_s` seconds at most; None if there was none.

        ParentEnded, at once, if the main process has ended and everything that it sent has been received.
        """
        ready = wait([self._pipe, self._sentinel], timeout_s)
        if self._pipe in ready:
            try:
                return self._pipe.recv()
            except (EOFError, OSError):
                raise ParentEnded from None
        if ready:
            raise ParentEnded
        return None
