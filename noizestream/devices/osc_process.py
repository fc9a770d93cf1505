"""The OSC process, as the main process has it in hand: it owns the UDP socket, and nothing else (osc_server.py).

What broken packets and floods cost is paid there; here a thread takes what is left of them, and no other waits for it.

    main process                                OSC process
    OscProcess(place, ...).open()  --spawn-->   opens the socket
    wait() -> (host, port)         <--pipe---   Bound there, or a Failure
    handle(message)                <--pipe---   Heard: the messages of a packet, or that it was broken
    turn(), every TURN_S; send()   --pipe--->   Outgoing: values for some places
    tick()                         --spawn-->   another in place of one that has ended
    close()                        --pipe--->   ends; also when the main process dies
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

from noizestream.devices.osc import OscMessage, Value
from noizestream.devices.osc_server import Bound, Heard, Outgoing, Place, serve
from noizestream.errors import NoizestreamError
from noizestream.realtime.process import ChildProcess, Failure
from noizestream.system.resource import Resource

TURN_S = 0.1
AGAIN_S = 1.0
"""Pause before another process is started."""

START_TIMEOUT_S = 30.0
HUNG_END_S = 0.5
"""A process that takes nothing any more has so long to end by itself."""

Message = Bound | Heard | Failure


class OscProcess(Resource):
    """Listens to UDP at `place` (port 0: any that is free), and hands every message to `handle`, in a thread of its own.

    The same thread calls `turn` every TURN_S seconds. `say` takes lines for the user, of which errors open with `called`. `broken`
    counts packets that are none, `errors` what `handle` and `turn` raised, `restarts` processes that ended and were replaced.
    """

    def __init__(
        self,
        place: Place,
        called: str,
        handle: Callable[[OscMessage], None],
        turn: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda line: None,
    ):
        self.place = place
        self.broken = self.errors = self.restarts = 0
        self._called, self._handle, self._turn, self._say = called, handle, turn, say
        self._failure: Failure | None = None
        self._answered, self._ending, self._started = threading.Event(), False, 0.0
        self._child, self._thread = ChildProcess[Message](serve, "OSC", place, called), threading.Thread()

    def open(self) -> Self:
        """Start the process and return at once: `wait` tells where it listens. NoizestreamError if the system starts none now."""
        self._start(self._child)
        return self

    def wait(self) -> Place:
        """Return the host and port that are listened to; NoizestreamError where that cannot be."""
        self._answered.wait(START_TIMEOUT_S)
        if self._failure is not None:
            raise self._failure.error
        return self.place

    def send(self, places: Sequence[Place], values: Sequence[tuple[str, Value]]) -> None:
        """Send (address, value) pairs to each of `places`. Only from `handle` and `turn`: a process that hangs makes it wait."""
        if places and values:
            self._child.send(Outgoing(tuple(places), tuple(values)))

    def tick(self) -> None:
        """Have another process listen where one has ended, unless it said why. From the main thread, every now and then."""
        if self._thread.is_alive() or self._ending or self._failure or time.monotonic() < self._started + AGAIN_S:
            return
        if self._child.is_open:
            self._child.close(HUNG_END_S)
            self.restarts += 1
            self._say(f"the OSC process ended unexpectedly (exit code {self._child.exit_code()}); another listens")
        with contextlib.suppress(NoizestreamError):  # the system gives none now; it is asked again
            self._start(ChildProcess(serve, "OSC", self.place, self._called))

    def close(self) -> None:
        """Stop listening and end the process, by force where it does not end. Safe to call twice, and if it never was opened."""
        self._ending = True
        if self._thread.ident is not None:
            self._thread.join(TURN_S + HUNG_END_S)
            if self._thread.is_alive():  # the process takes nothing any more
                self._child.kill()
                self._thread.join()
        self._child.close()

    def _start(self, child: ChildProcess[Message]) -> None:
        self._started = time.monotonic()
        self._child = child.open()
        self._thread = threading.Thread(target=self._hear, args=(self._child,), name="osc", daemon=True)
        self._thread.start()

    def _hear(self, child: ChildProcess[Message]) -> None:
        """Until the process ends, or we do."""
        due = time.monotonic() + TURN_S
        with contextlib.suppress(NoizestreamError):
            while not self._ending:
                message = child.poll(max(due - time.monotonic(), 0.0))
                try:
                    self._take(message)
                    if time.monotonic() >= due:
                        due = time.monotonic() + TURN_S
                        self._turn()
                except Exception as error:  # whatever a message does: the music goes on, and so do we
                    self.errors += 1
                    if self.errors == 1:
                        what = f"{type(error).__name__}: {error}"
                        self._say(f"an OSC message could not be handled ({what}); the music goes on, further ones are counted")
        self._answered.set()

    def _take(self, message: Message | None) -> None:
        match message:
            case Heard(messages, broken):
                self.broken += broken
                for each in messages:
                    self._handle(each)
            case Bound(place):
                self.place = place
                self._answered.set()
            case Failure():
                if self._answered.is_set():
                    self._say(f"{message.line}; the music goes on without OSC")
                self._failure = message
                self._answered.set()
