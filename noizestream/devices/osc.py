"""OSC packets to messages and back. Messages are python-osc's; bundles are taken apart here. Nothing here knows what one means."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from noizestream.errors import NoizestreamError

MOST_BYTES = 8192
"""Of a packet; what is longer is broken."""

MOST_MESSAGES, MOST_NESTED = 64, 8
"""Of a packet that is a bundle, which may hold others."""

SENT_BYTES = 1200
"""Of a bundle that we send, at most, unless one message is longer: it fits a network's packet."""

BUNDLE = b"#bundle\0"
AT_ONCE = b"\0\0\0\0\0\0\0\1"

Value = float | int | str


class BrokenPacket(Exception):
    """Bytes that are no OSC packet."""


@dataclass(frozen=True)
class OscMessage:
    """One message: its address, its arguments, and the host and port it comes from."""

    address: str
    arguments: tuple[object, ...]
    sender: tuple[str, int]


def library() -> Any:
    """Return the package `pythonosc`, imported at the first call; NoizestreamError if it is not installed."""
    try:
        import pythonosc.osc_message
        import pythonosc.osc_message_builder
    except ImportError:
        raise NoizestreamError("python-osc is missing: pip install python-osc") from None
    return pythonosc


def messages(packet: bytes, sender: tuple[str, int]) -> list[OscMessage]:
    """Return the messages of `packet`, whatever time a bundle asks for: they are done at once. BrokenPacket for anything else."""
    found: list[OscMessage] = []
    for part in _parts(packet):
        if len(found) == MOST_MESSAGES:
            raise BrokenPacket("too many messages")
        try:
            message = library().osc_message.OscMessage(part)
            found.append(OscMessage(message.address, tuple(message.params), sender))
        except NoizestreamError:
            raise
        except Exception as error:  # python-osc raises whatever broken bytes lead to
            raise BrokenPacket(str(error)) from None
    return found


def packets(values: Sequence[tuple[str, Value]]) -> list[bytes]:
    """Return (address, value) pairs as bundles, as few as fit; one alone is a message."""
    made = [_packed(address, value) for address, value in values]
    if len(made) == 1:
        return made
    bundles: list[bytes] = []
    for message in made:
        part = struct.pack(">i", len(message)) + message
        if bundles and len(bundles[-1]) + len(part) <= SENT_BYTES:
            bundles[-1] += part
        else:
            bundles.append(BUNDLE + AT_ONCE + part)
    return bundles


def _packed(address: str, value: Value) -> bytes:
    builder = library().osc_message_builder.OscMessageBuilder(address)
    builder.add_arg(value)
    packed: bytes = builder.build().dgram
    return packed


def _parts(packet: bytes, depth: int = 0) -> Iterator[bytes]:
    """The messages of `packet`, as bytes. python-osc's own way through a bundle goes round for ever at a size below 0."""
    if packet[:1] == b"/":
        yield packet
        return
    if not packet.startswith(BUNDLE) or len(packet) < 16 or depth == MOST_NESTED or len(packet) > MOST_BYTES:
        raise BrokenPacket("neither a message nor a bundle")
    at = 16
    while at < len(packet):
        size = int.from_bytes(packet[at : at + 4], "big", signed=True)
        at += 4
        if size <= 0 or at + size > len(packet):
            raise BrokenPacket("a size that cannot be")
        yield from _parts(packet[at : at + size], depth + 1)
        at += size
