"""What MIDI messages mean, from the table of parameters. Pure: bytes in, actions out; no port, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from noizestream.control.chord_keys import ChordKeys, HeldChord
from noizestream.control.controller_map import ControllerMap
from noizestream.control.mapped import Current, Mapped
from noizestream.control.midi_message import MidiMessage, decode
from noizestream.control.parameter import Parameter
from noizestream.control.parameters import CHORD, GENRE_FIRST_NOTE, PANIC, PARAMETERS

NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PROGRAM_CHANGE = 0x80, 0x90, 0xB0, 0xC0

NOTES_OFF = range(123, 128)
"""All notes off, and the changes of omni and mono mode, which say the same: keyboards send it whenever the last key goes up."""


@dataclass(frozen=True)
class ChooseGenre:
    """Play genre number `index`."""

    index: int


@dataclass(frozen=True)
class SetValue:
    """Set the parameter called `name` to `value`, in its own unit."""

    name: str
    value: float


Action = ChooseGenre | SetValue


class MidiMap:
    """Translates whole messages (with status byte, as drivers hand them over), on every channel alike.

    `messages` counts all that arrived, `ignored` those that ask for nothing we have: programs and pads beyond the last genre,
    controllers without a parameter, broken messages. Note-offs are neither acted on nor counted as ignored, nor are buttons let go.
    With `chord_keys` the notes held there name the chord, and choose no genre. All notes off is a note-off, of its channel.
    With a `controller` its map says what moves which parameter, in place of the controllers of the table.
    """

    def __init__(
        self,
        genres: int,
        parameters: Sequence[Parameter] = PARAMETERS,
        chord_keys: ChordKeys | None = None,
        controller: ControllerMap | None = None,
        current: Current = lambda name: None,
    ):
        """`genres` are so many as the model with most of them has. `current` says at which value a parameter is."""
        self.genres, self.chord_keys, self.held = genres, chord_keys, HeldChord()
        parameters = [replace(row, maximum=genres - 1) if row.kind == "genre" else row for row in parameters]
        self._by_cc = {row.cc: row for row in parameters if row.cc is not None}
        self._mapped = None if controller is None else Mapped(controller, {row.name: row for row in parameters}, current)
        self.messages = 0
        self.ignored = 0

    def translate(self, message: Sequence[int], now_s: float = 0.0) -> Action | None:
        """Return what `message`, come at `now_s` by any clock, asks for, or None. Never raises, whatever the bytes."""
        self.messages += 1
        if self._mapped is not None:
            return self._by_map(self._mapped, decode(message), now_s)
        kind = message[0] & 0xF0 if len(message) else 0
        data = list(message[1:])
        needed = 1 if kind == PROGRAM_CHANGE else 2
        if len(data) < needed or not all(0 <= byte <= 127 for byte in data[:needed]):
            return self._ignore()
        if kind == PROGRAM_CHANGE:
            return self._genre(data[0])
        if kind in (NOTE_ON, NOTE_OFF) and self.chord_keys is not None and self.chord_keys.holds(message[0] & 0x0F, data[0]):
            return self._chord(message[0] & 0x0F, data[0], kind == NOTE_ON and data[1] > 0, now_s)
        if kind == NOTE_ON and data[1] > 0:
            return self._genre(data[0] - GENRE_FIRST_NOTE)
        if kind in (NOTE_ON, NOTE_OFF):
            return None
        if kind == CONTROL_CHANGE and data[0] in self._by_cc:
            row = self._by_cc[data[0]]
            if row.kind == "count" and data[1] == 0:
                return None
            if row == PANIC:
                self.held.let_go()
            return SetValue(row.name, row.from_midi(data[1]))
        if kind == CONTROL_CHANGE and data[0] in NOTES_OFF:
            return _named(self.held.release_all(message[0] & 0x0F, now_s))
        return self._ignore()

    def _by_map(self, mapped: Mapped, message: MidiMessage | None, now_s: float) -> Action | None:
        """What `message` asks for where a map says what the controls do."""
        if message is None or message.channel is None:
            return self._ignore()
        note = message.kind in ("note_on", "note_off")
        if note and self.chord_keys is not None and self.chord_keys.holds(message.channel, message.number):
            return self._chord(message.channel, message.number, message.kind == "note_on", now_s)
        if (moved := mapped.take(message)) is not None:
            if moved.value is None:
                return None
            if moved.name == PANIC.name:
                self.held.let_go()
            return SetValue(moved.name, moved.value)
        if message.kind == "note_off":
            return None
        if message.kind == "note_on":
            return self._genre(message.number - GENRE_FIRST_NOTE if mapped.genres is None else mapped.genres.genre(message))
        if message.kind == "program_change":
            return self._genre(message.value if mapped.genres is None else mapped.genres.genre(message))
        if message.kind == "control_change" and message.number in NOTES_OFF:
            return _named(self.held.release_all(message.channel, now_s))
        return self._ignore()

    def _chord(self, channel: int, note: int, struck: bool, now_s: float) -> Action | None:
        return _named(self.held.strike(channel, note) if struck else self.held.release(channel, note, now_s))

    def _genre(self, index: int) -> Action | None:
        return ChooseGenre(index) if 0 <= index < self.genres else self._ignore()

    def _ignore(self) -> Action | None:
        self.ignored += 1
        return None


def _named(chord: int | None) -> Action | None:
    return None if chord is None else SetValue(CHORD.name, float(chord))
