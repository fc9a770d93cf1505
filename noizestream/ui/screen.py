"""The terminal of a session, in a thread of its own: a terminal that hangs must not hang what looks after the music."""

import queue
import sys
import threading
from types import TracebackType

import click

from noizestream.session.events import Event, PrimeMended
from noizestream.session.session import Session
from noizestream.session.status import SessionStatus
from noizestream.ui.events import lines
from noizestream.ui.status import StatusLine

SCREEN_HZ = 5


class Screen:
    """Prints lines and keeps the status line below them. Neither `say` nor `show` ever waits. A context manager."""

    def __init__(self, status_line: bool = True):
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._status: SessionStatus | None = None
        self._status_line = status_line
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)

    def __enter__(self) -> "Screen":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join(1.0)

    @property
    def stuck(self) -> bool:
        """After the end: true where the terminal still takes nothing."""
        return self._thread.is_alive()

    def follow(self, session: Session) -> None:
        """Print what happens in `session` from now on, and show its status."""
        session.subscribe(self._tell)
        session.watch(self.show)

    def say(self, line: str) -> None:
        """Print `line`, above the status."""
        self._lines.put(line)

    def show(self, status: SessionStatus) -> None:
        """Show `status` from the next refresh on."""
        self._status = status

    def _tell(self, event: Event) -> None:
        if isinstance(event, PrimeMended):  # before anything sounds, as `render` says it
            click.echo(event.line, err=True)
        for line in lines(event):
            self.say(line)

    def _run(self) -> None:
        try:
            with StatusLine(self._status_line) as line:
                ending = False
                while not ending:
                    ending = self._ending.wait(1 / SCREEN_HZ)
                    while not self._lines.empty():
                        line.clear()
                        click.echo(self._lines.get())
                    sys.stdout.flush()
                    if self._status is not None:
                        line.show(self._status)
        except (OSError, ValueError):  # the terminal is gone; the music is not
            return
