"""MIDI messages: one table of their kinds; from bytes to messages, whole or in pieces, and back. Pure: no port, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "note_off",
    "note_on",
    "poly_pressure",
    "control_change",
    "program_change",
    "channel_pressure",
    "pitch_bend",
    "time_code",
    "song_position",
    "song_select",
    "tune_request",
    "clock",
    "start",
    "continue",
    "stop",
    "active_sensing",
    "reset",
]


@dataclass(frozen=True)
class MessageKind:
    """One kind of message: its status byte (on a channel: of channel 0), its name, and how many data bytes follow.

    Of two data bytes the first is a number, of a note or a controller, and the second a value; where it is `wide`, both are one
    value of 14 bits, the low half first. One alone is a value.
    """

    status: int
    name: Kind
    length: int
    wide: bool = False

    @property
    def on_channel(self) -> bool:
        """Whether such messages are for one channel; else they are for the whole system."""
        return self.status < SYSTEM


SYSTEM = 0xF0
REAL_TIME = 0xF8
"""Least status byte of what may stand anywhere, even inside another message."""

KINDS = (
    MessageKind(0x80, "note_off", 2),
    MessageKind(0x90, "note_on", 2),
    MessageKind(0xA0, "poly_pressure", 2),
    MessageKind(0xB0, "control_change", 2),
    MessageKind(0xC0, "program_change", 1),
    MessageKind(0xD0, "channel_pressure", 1),
    MessageKind(0xE0, "pitch_bend", 2, wide=True),
    MessageKind(0xF1, "time_code", 1),
    MessageKind(0xF2, "song_position", 2, wide=True),
    MessageKind(0xF3, "song_select", 1),
    MessageKind(0xF6, "tune_request", 0),
    MessageKind(0xF8, "clock", 0),
    MessageKind(0xFA, "start", 0),
    MessageKind(0xFB, "continue", 0),
    MessageKind(0xFC, "stop", 0),
    MessageKind(0xFE, "active_sensing", 0),
    MessageKind(0xFF, "reset", 0),
)
"""THE table of message kinds. What is not in it, SysEx and the undefined status bytes, is no message here."""

BY_NAME = {kind.name: kind for kind in KINDS}
BY_STATUS = {kind.status + channel: kind for kind in KINDS for channel in range(16 if kind.on_channel else 1)}


@dataclass(frozen=True)
class MidiMessage:
    """One message: its `kind`, its `channel` (0 to 15, None for the whole system), and what it says.

    `number` is the note or the controller, 0 to 127, and 0 where there is none. `value` is 0 to 127 (velocity, pressure, program,
    position of a controller), of `pitch_bend` (8192 is the middle) and `song_position` 0 to 16383, and 0 where there is none. A
    key that goes up is always `note_off`: a `note_on` has a velocity of at least 1.
    """

    kind: Kind
    channel: int | None = None
    number: int = 0
    value: int = 0


def decode(data: Sequence[int]) -> MidiMessage | None:
    """Return the message that `data` begins with, status byte first, as drivers hand it over; None if it is none. Never raises."""
    kind = BY_STATUS.get(data[0]) if len(data) else None
    if kind is None or len(data) <= kind.length:
        return None
    values = data[1 : kind.length + 1]
    return _message(kind, data[0], values) if all(0 <= value <= 127 for value in values) else None


def encode(message: MidiMessage) -> bytes:
    """Return the bytes of `message`, from which `decode` gives it again; ValueError if something in it is out of its range."""
    kind = BY_NAME[message.kind]
    values = (message.value % 128, message.value // 128) if kind.wide else (message.number, message.value)[2 - kind.length :]
    data = [kind.status + (message.channel or 0), *values]
    if decode(data) != message:
        raise ValueError(f"{message} is out of range")
    return bytes(data)


class MidiStream:
    """Turns the bytes of one port into messages, in whatever pieces they come.

    Data bytes that follow a whole message on a channel are the next one of its kind (running status). Real-time messages come
    out where they stand, even inside another message, which they leave whole. SysEx and what belongs to no message is skipped.
    """

    def __init__(self) -> None:
        self._status = 0
        self._kind: MessageKind | None = None
        self._data: list[int] = []

    def feed(self, data: Sequence[int]) -> list[MidiMessage]:
        """Take the next bytes and return the messages that end in them. Never raises, whatever the bytes."""
        return [message for byte in data if (message := self._take(byte)) is not None]

    def _take(self, byte: int) -> MidiMessage | None:
        if 0 <= byte <= 127:
            return self._take_data(byte)
        kind = BY_STATUS.get(byte)
        if byte < REAL_TIME:
            self._status, self._kind, self._data = byte, kind, []
        return _message(kind, byte, ()) if kind is not None and kind.length == 0 else None

    def _take_data(self, byte: int) -> MidiMessage | None:
        kind = self._kind
        if kind is None or kind.length == 0:
            return None
        self._data.append(byte)
        if len(self._data) < kind.length:
            return None
        values, self._data = self._data, []
        if not kind.on_channel:
            self._kind = None
        return _message(kind, self._status, values)


def _message(kind: MessageKind, status: int, values: Sequence[int]) -> MidiMessage:
    """The message of a whole set of data bytes."""
    name, channel = kind.name, status % 16 if kind.on_channel else None
    if kind.wide:
        return MidiMessage(name, channel, 0, values[0] + 128 * values[1])
    number, value = values[0] if kind.length == 2 else 0, values[-1] if kind.length else 0
    return MidiMessage("note_off" if name == "note_on" and value == 0 else name, channel, number, value)
