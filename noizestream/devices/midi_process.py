"""The MIDI process: it owns RtMidi and listens, and nothing else. And the main process's handle on it.

RtMidi reads JACK's buffer unchecked: a server that is late takes it away meanwhile, and the process crashes. So
it is a process of its own; when it crashes the music goes on, and another listens (docs/decisions/0026-midi-has-a-process.md).

    main process                                MIDI process
    MidiProcess(asked, ...).open() --spawn-->   looks for the port
    wait() -> port                 <--pipe---   Listening to this one, None: there is none yet
    handle(message)                <--pipe---   PortMessage, every one
    say(line)                      <--pipe---   Listening: the port has gone, or is there
    tick()                         --spawn-->   another in place of one that has ended
    close()                        --pipe--->   ends; also when the main process dies
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from noizestream.devices.rtmidi import Listener, MidiPort, find_port, virtual_port
from noizestream.errors import NoizestreamError
from noizestream.realtime.parent import Parent, ParentEnded
from noizestream.realtime.process import ChildProcess, Failure
from noizestream.system.resource import Resource
from noizestream.system.stderr import silence_stderr

POLL_SECONDS = 0.002
LOOK_SECONDS = 1.0
"""How often it is looked whether the port is still there, or has come back; and the pause before another process is tried."""

START_TIMEOUT_S = 30.0

HUNG_END_S = 0.2
"""A process that says no more has so long to end by itself: one whose JACK server died may hang in leaving it."""


@dataclass(frozen=True)
class Listening:
    """The process listens to `port` from now on; None: to none, until one is there."""

    port: MidiPort | None


@dataclass(frozen=True)
class PortMessage:
    """One MIDI message that has come: its bytes."""

    data: bytes


Message = Listening | PortMessage | Failure


class MidiProcess(Resource):
    """Listens to the port `asked` for (None: the first real instrument), and hands every message, its bytes, to `handle`.

    With `virtual` it makes a port of its own instead, which others connect to.

    That happens in a thread of its own. A port that goes is waited for, and listened to again; without one the first real one that
    comes is taken. `say` takes lines for the user, `lost` is called when it goes. With `clock` the messages of MIDI clock and time
    code are handed over too, 50 a second and more. Open it at the start, and close it at the end.
    `losses`, `restarts` and `errors` count ports that went, processes that ended, and what could not be handled.
    """

    def __init__(
        self,
        asked: str | None,
        handle: Callable[[Sequence[int]], None],
        say: Callable[[str], None] = lambda line: None,
        lost: Callable[[], None] = lambda: None,
        clock: bool = False,
        virtual: bool = False,
    ):
        self.port: MidiPort | None = None
        self.losses = self.restarts = self.errors = 0
        self._handle, self._say, self._lost, self._clock, self._virtual = handle, say, lost, clock, virtual
        self._failure: Failure | None = None
        self._answered, self._ending, self._server_died = threading.Event(), False, False
        self._child, self._thread = ChildProcess[Message](_listen, "MIDI", asked, None, False, clock, virtual), threading.Thread()

    def open(self) -> Self:
        """Start the process and return at once: `wait` tells what it finds. NoizestreamError where the system starts none now."""
        self._start(self._child)
        return self

    def wait(self) -> MidiPort | None:
        """Return the port that is listened to, None: there is none yet. NoizestreamError if the one asked for does not open."""
        self._answered.wait(START_TIMEOUT_S)
        if self._failure is not None:
            raise self._failure.error
        return self.port

    def tick(self) -> None:
        """Have another process listen where one has ended. From the main thread, every now and then."""
        if self._thread.is_alive() or self._ending or time.monotonic() < self._started + LOOK_SECONDS:
            return
        if self._child.is_open:
            self._child.close(HUNG_END_S)
            if not self._server_died:
                self.restarts += 1
                self._say(f"the MIDI process ended unexpectedly (exit code {self._child.exit_code()}); another listens")
            self._server_died = False
        with contextlib.suppress(NoizestreamError):  # the system gives none now; it is asked again
            self._start(ChildProcess(_listen, "MIDI", None, self.port, self._answered.is_set(), self._clock, self._virtual))

    def server_died(self) -> None:
        """Take it that the JACK server has gone: its client lists the ports that were there last for ever, and must not go on."""
        if self.port is not None and "jack" in self.port.api_name.lower():
            self._server_died = True
            self._child.kill()
            self._lose()

    def close(self) -> None:
        """Stop listening and end the process, by force where it does not end. Safe to call twice, and if it never was opened."""
        self._ending = True
        self._child.end()
        if self._thread.ident is not None:
            self._thread.join()
        self._child.close()

    def _start(self, child: ChildProcess[Message]) -> None:
        self._started = time.monotonic()
        self._child = child.open()
        self._thread = threading.Thread(target=self._hear, args=(self._child,), name="midi", daemon=True)
        self._thread.start()

    def _hear(self, child: ChildProcess[Message]) -> None:
        """Until the process ends."""
        with contextlib.suppress(NoizestreamError):
            while True:
                message = child.poll(None)
                try:
                    self._take(message)
                except Exception as error:  # whatever a message does: the music goes on, and so do we
                    self.errors += 1
                    if self.errors == 1:
                        what = f"{type(error).__name__}: {error}"
                        self._say(f"a MIDI message could not be handled ({what}); the music goes on, further ones are counted")
        self._answered.set()

    def _take(self, message: Message | None) -> None:
        if isinstance(message, PortMessage):
            self._handle(message.data)
            return
        if isinstance(message, Failure):
            self._failure = message
        elif isinstance(message, Listening):
            if self._answered.is_set():
                self._changed(message.port)
            else:
                self.port = message.port
        self._answered.set()

    def _changed(self, port: MidiPort | None) -> None:
        if port is None:
            self._lose()
        else:
            self._say(f"MIDI     {port.name} ({port.api_name})" + (" is back" if self.port else ""))
            self.port = port

    def _lose(self) -> None:
        self.losses += 1
        self._lost()
        self._say(f"{self.port.name if self.port else ''}: the MIDI port is gone; the music goes on, and it is waited for")


def _listen(parent: Parent, asked: str | None, awaited: MidiPort | None, again: bool, clock: bool, virtual: bool) -> None:
    """The MIDI process from start to end; `again`: in place of one before, which listened to `awaited`."""
    silence_stderr()
    try:
        port = None if again else virtual_port() if virtual else find_port(asked)
        listener = Listener(port, awaited, clock).open()
    except NoizestreamError as error:
        parent.send(Failure(type(error), str(error)))
        return
    if again:
        _look(listener, parent)
    else:
        parent.send(Listening(listener.port))
    looked = time.monotonic()
    with contextlib.suppress(ParentEnded):
        while parent.receive(POLL_SECONDS if listener.listening else LOOK_SECONDS) is None:
            for message in listener.messages():
                parent.send(PortMessage(message))
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                _look(listener, parent)
    listener.close()


def _look(listener: Listener, parent: Parent) -> None:
    with contextlib.suppress(Exception):  # RtMidi has an exception class per API and version
        if listener.look():
            parent.send(Listening(listener.port if listener.listening else None))
