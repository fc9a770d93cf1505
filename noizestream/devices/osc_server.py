"""What the OSC process does: it reads packets from a UDP socket, at its pace, and sends what it is told to.

Packets are read in a thread, so that neither way waits for the other. What broken packets and floods cost is paid here, not beside
MIDI: at most PER_SECOND messages are read; what the system's buffer does not hold meanwhile is lost, as UDP allows.
"""

import contextlib
import logging
import socket
import threading
import time
from dataclasses import dataclass

from noizestream.devices import osc
from noizestream.devices.osc import BrokenPacket, OscMessage, Value
from noizestream.errors import NoizestreamError
from noizestream.realtime.parent import Parent, ParentEnded
from noizestream.realtime.process import Close, Failure
from noizestream.system.files import reason
from noizestream.system.stderr import silence_stderr

PER_SECOND, AT_ONCE = 1000, 200
"""Messages that are read a second, and beyond that at once after a pause."""

BUFFER_BYTES = 65536
LOOK_S = 30.0

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


def serve(parent: Parent, place: Place, called: str) -> None:
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
            while not isinstance(message := parent.receive(LOOK_S), Close):
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
