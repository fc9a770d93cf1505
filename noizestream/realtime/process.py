"""A process beside the main one. The worker, the audio and the MIDI process are each a `ChildProcess`.

    main process                                  child process
    ChildProcess(target, name, ...).open()  --spawn-->  target(parent, ...)
    send(message)                           --pipe--->  parent.receive(...)
    poll() -> message                       <--pipe---  parent.send(message)
    close()                                 --Close-->  ends; also when the main process dies (parent.py)

Messages are frozen dataclasses: the class says what it is about. Here are those that more than one kind of process knows.
"""

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Self, TypeVar

from noizestream.errors import NoizestreamError
from noizestream.realtime.parent import Parent
from noizestream.system import machine
from noizestream.system.files import reason
from noizestream.system.resource import Resource
from noizestream.system.signals import answering
from noizestream.system.spawn import Context

ENDING_S = 1.0
"""A process that is told to end has so long to do it by itself."""

Message = TypeVar("Message")


@dataclass(frozen=True)
class Failure:
    """Why the process cannot go on: `kind` is the class of the error, `line` its text."""

    kind: type[NoizestreamError]
    line: str

    @classmethod
    def of(cls, error: Exception, unexpected: str) -> "Failure":
        """Return the failure that `error` is; its text is `unexpected` where it was not written for the user."""
        return cls(type(error), str(error)) if isinstance(error, NoizestreamError) else cls(NoizestreamError, unexpected)

    @property
    def error(self) -> NoizestreamError:
        """The error to raise in the main process."""
        return self.kind(self.line)


@dataclass(frozen=True)
class Follows:
    """The process that spoke so far has died, and its copy, `pid`, speaks on; `started` is when, as `machine.started` says it."""

    pid: int
    started: int | None

    @property
    def is_there(self) -> bool:
        """Whether the process that has the number `pid` now is this one."""
        return self.started is not None and machine.started(self.pid) == self.started


@dataclass(frozen=True)
class Close:
    """The process is to end by itself."""


class ChildProcess(Resource, Generic[Message]):
    """Runs `target(parent, *arguments)`, a function of this package, in a process that Ctrl-C does not reach.

    `open` starts it and `close` ends it, or `with` does both. It sends messages of the types `Message`; users know it by `name`.
    """

    def __init__(self, target: Callable[..., None], name: str, *arguments: Any):
        self.name, self.is_open = name, False
        self._target, self._arguments, self._pid = target, arguments, 0
        self._pipe: Connection
        self._process: BaseProcess
        self._follower: Follows | None = None
        self._descriptor: int | None = None  # of the follower, where the kernel has such ones

    def open(self) -> Self:
        """Start the process, once, and return at once; NoizestreamError where the system starts none now."""
        context = Context()
        try:
            ours, theirs = context.Pipe()
            with theirs:
                arguments = (theirs, self._target, self._arguments)
                process = context.Process(target=_run, args=arguments, name=f"noizestream {self.name}", daemon=True)
                with answering(signal.SIG_IGN, "SIGINT"):  # inherited: it never sees a Ctrl-C, not even while it imports
                    process.start()
        except OSError as error:
            raise NoizestreamError(f"the {self.name} process cannot be started ({reason(error)})") from None
        self._pipe, self._process, self.is_open = ours, process, True
        self._pid, self._arguments = process.pid or 0, ()  # arguments may be large
        return self

    @property
    def pid(self) -> int:
        """The id of the process that speaks now; 0 if none was ever started."""
        return self._pid if self._follower is None else self._follower.pid

    @property
    def alive(self) -> bool:
        """Whether the process that was started, not one that follows it, still runs."""
        return self.is_open and self._process.is_alive()

    def exit_code(self) -> int | None:
        """Return how the process ended, which is awaited for a second; None where it lives, or is one that has followed."""
        if self._follower is not None or not self._pid:
            return None
        self._process.join(1.0)
        return self._process.exitcode

    def poll(self, timeout_s: float | None = 0.0) -> Message | None:
        """Return the next message of the process, waiting `timeout_s` seconds at most (None: for ever); None if there was none.

        NoizestreamError if the process has ended and everything that it sent has been returned, or if it was never started.
        """
        with contextlib.suppress(EOFError, OSError):
            if self.is_open:
                message: Message | None = self._pipe.recv() if timeout_s is None or self._pipe.poll(timeout_s) else None
                return message
        raise NoizestreamError(f"the {self.name} process ended unexpectedly")

    def send(self, message: Any) -> None:
        """Tell the process `message`, a frozen dataclass; nothing happens where it has ended: `poll` and `alive` say so."""
        if self.is_open:
            with contextlib.suppress(OSError, ValueError):
                self._pipe.send(message)

    def follow(self, follower: Follows) -> None:
        """Take it that `follower`, which the process itself has started, speaks from now on: `pid` and `kill` are of that one."""
        self._let_go()
        self._follower = follower
        with contextlib.suppress(OSError):  # it has ended, or the kernel is older than 5.3
            self._descriptor = os.pidfd_open(follower.pid)
        if not follower.is_there:
            self._let_go()

    def kill(self) -> None:
        """End the process that speaks by force, and never another that has its id by now; nothing where it has ended already."""
        if self._follower is None:
            if self.is_open:
                self._process.kill()
            return
        with contextlib.suppress(ProcessLookupError):
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            elif self._follower.is_there:
                os.kill(self._follower.pid, signal.SIGKILL)

    def end(self, timeout_s: float = ENDING_S) -> None:
        """Have the process end, by force after `timeout_s` seconds; the messages that it has sent can still be polled."""
        if not self.is_open:
            return
        self.send(Close())
        if not self._ends(timeout_s):
            self.kill()
            self._ends(1.0)
        self._process.join()

    def close(self, timeout_s: float = ENDING_S) -> None:
        """`end`, and let go of the pipe. Safe to call twice, and where the process was never started."""
        self.end(timeout_s)
        self._let_go()
        if self.is_open:
            self._pipe.close()
            self.is_open = False

    def _ends(self, timeout_s: float) -> bool:
        """Whether it has ended after `timeout_s` seconds at most."""
        self._process.join(timeout_s)
        return not self._process.is_alive()

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _run(pipe: Connection, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # A terminal, or a system that ends a whole group, signals this process too, but only the main process decides.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    target(Parent(pipe), *arguments)
