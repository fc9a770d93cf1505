"""The OSC process: it owns the UDP socket and reads packets, and nothing else. And the main process's handle on it.

What broken packets and floods cost is paid there, not beside MIDI: it reads PER_SECOND messages at most; what the system's buffer
does not hold meanwhile is lost, as UDP allows.

    main process                                OSC process
    OscProcess(place, ...).open()  --spawn-->   opens the socket
    wait() -> (host, port)         <--pipe---   Bound there, or a Failure
    handle(message)                <--pipe---   Heard: the messages of a packet, or that it was broken
    turn(), every TURN_S; send()   --pipe--->   Outgoing: values for some places
    tick()                         --spawn-->   another in place of one that has ended
    close()                        --pipe--->   ends; also when the main process dies
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from noizestream.devices import osc
from noizestream.devices.osc import BrokenPacket, OscMessage, Value
from noizestream.errors import NoizestreamError
from noizestream.realtime.parent import Parent, ParentEnded
from noizestream.realtime.process import ChildProcess, Close, Failure
from noizestream.system.files import reason
from noizestream.system.stderr import silence_stderr

PER_SECOND, AT_ONCE = 1000, 200
"""Messages that are read a second, and beyond that at once after a pause."""

BUFFER_BYTES = 65536
TURN_S = 0.1
AGAIN_S = 1.0
START_TIMEOUT_S = 30.0
HUNG_END_S = 0.5

Place = tuple[str, int]


@dataclass(frozen=True)
class Bound:
    """The process listens there from now on."""

    place: Place


@dataclass(frozen=True)
class Heard:
    """A packet has come, with these messages, or `broken`."""

    messages: tuple[OscMessage, ...] = ()
    broken: bool = False


@dataclass(frozen=True)
class Outgoing:
    """Send these (address, value) pairs to each of these places."""

    places: tuple[Place, ...]
    values: tuple[tuple[str, Value], ...]


Message = Bound | Heard | Failure


class Pace:
    """Tells one who reads how long to rest: `per_second` in the long run, `at_once` after a rest."""

    def __init__(self, per_second: float, at_once: float):
        self._per_second, self._at_once = per_second, at_once
        self._left, self._then_s = at_once, float("-inf")

    def spend(self, count: int, now_s: float) -> float:
        """Take it that `count` were read at `now_s`, by any clock that only rises; return for how many seconds to rest."""
        self._left = min(self._left + (now_s - self._then_s) * self._per_second, self._at_once) - count
        self._then_s = now_s
        return max(-self._left / self._per_second, 0.0)


class OscProcess:
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
        self._child, self._thread = ChildProcess[Message](_serve, "OSC", place, called), threading.Thread()

    def open(self) -> Self:
        """Start the process and return at once: `wait` tells where it listens. NoizestreamError if the system starts none now."""
        self._start(self._child)
        return self

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

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
            self._start(ChildProcess(_serve, "OSC", self.place, self._called))

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


def _serve(parent: Parent, place: Place, called: str) -> None:
    """The OSC process from start to end."""
    silence_stderr()
    logging.disable(logging.CRITICAL)  # python-osc logs what it does not know
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with server:
        try:
            osc.library()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            server.bind(place)
        except OSError as error:
            parent.send(Failure(NoizestreamError, f"{called}: cannot be listened to ({reason(error)}); give another port or host"))
            return
        except NoizestreamError as error:
            parent.send(Failure(type(error), f"{called}: {error}"))
            return
        host, port = server.getsockname()
        parent.send(Bound((host, port)))
        threading.Thread(target=_read, args=(server, parent), name="read", daemon=True).start()
        with contextlib.suppress(ParentEnded):
            while not isinstance(message := parent.receive(START_TIMEOUT_S), Close):
                if isinstance(message, Outgoing):
                    _send(server, message)


def _read(server: socket.socket, parent: Parent) -> None:
    """The thread that reads packets, for as long as the process lives."""
    pace = Pace(PER_SECOND, AT_ONCE)
    while True:
        try:
            packet, sender = server.recvfrom(osc.MOST_BYTES + 1)
        except ConnectionError:  # Windows says so that nobody was there for what we sent
            continue
        except OSError:  # it is closed
            return
        try:
            heard = Heard(tuple(osc.messages(packet, sender)))
        except BrokenPacket:
            heard = Heard(broken=True)
        parent.send(heard)
        time.sleep(pace.spend(max(len(heard.messages), 1), time.monotonic()))


def _send(server: socket.socket, message: Outgoing) -> None:
    for packet in osc.packets(message.values):
        for place in message.places:
            with contextlib.suppress(OSError):  # there is no way to that place
                server.sendto(packet, place)
