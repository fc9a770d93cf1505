"""What MIDI messages mean, from the table of parameters. Pure: bytes in, actions out; no port, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from noizestream.control.chord_keys import ChordKeys, HeldChord
from noizestream.control.controller_map import ControllerMap
from noizestream.control.mapped import Current, Mapped
from noizestream.control.midi_message import MidiMessage, decode
from noizestream.control.parameter import Parameter
from noizestream.control.parameters import CHORD, GENRE_FIRST_NOTE, PANIC, PARAMETERS

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
    """Translates whole messages (with status byte, as drivers hand them over), of every channel alike or of one.

    `messages` counts all that arrived, `ignored` those that ask for nothing we have: programs and pads beyond the last genre,
    controllers without a parameter, broken messages, other channels. Note-offs are neither acted on nor counted as ignored, nor are
    buttons let go. With `chord_keys` the notes held there name the chord, and choose no genre; where these have a channel of
    their own, it is listened to for them. All notes off is a note-off, of its channel. With a `controller` its map says what moves
    which parameter, in place of the controllers of the table.
    """

    def __init__(
        self,
        genres: int,
        parameters: Sequence[Parameter] = PARAMETERS,
        chord_keys: ChordKeys | None = None,
        channel: int | None = None,
        controller: ControllerMap | None = None,
        current: Current = lambda name: None,
    ):
        """`genres` are so many as the model with most of them has, `channel` is 0 to 15, None for all.

        `current` says at which value a parameter is; only a map asks.
        """
        if chord_keys is not None and chord_keys.channel is None:
            chord_keys = replace(chord_keys, channel=channel)
        self.genres, self.chord_keys, self.channel, self.held = genres, chord_keys, channel, HeldChord()
        parameters = [replace(row, maximum=genres - 1) if row.kind == "genre" else row for row in parameters]
        self._by_cc = {} if controller is not None else {row.cc: row for row in parameters if row.cc is not None}
        self._mapped = Mapped(controller or ControllerMap(), {row.name: row for row in parameters}, current)
        self.messages = 0
        self.ignored = 0

    def translate(self, message: Sequence[int], now_s: float = 0.0) -> Action | None:
        """Return what `message`, come at `now_s` by any clock, asks for, or None. Never raises, whatever the bytes."""
        self.messages += 1
        decoded = decode(message)
        return self._ignore() if decoded is None or decoded.channel is None else self._act(decoded, decoded.channel, now_s)

    def _act(self, message: MidiMessage, channel: int, now_s: float) -> Action | None:
        kind, number = message.kind, message.number
        if kind in ("note_on", "note_off") and self.chord_keys is not None and self.chord_keys.holds(channel, number):
            return _named(self.held.strike(channel, number) if kind == "note_on" else self.held.release(channel, number, now_s))
        if kind == "control_change" and number in NOTES_OFF and number not in self._by_cc and not self._mapped.sends(message):
            return _named(self.held.release_all(channel, now_s))
        if self.channel not in (None, channel):
            return self._ignore()
        if (moved := self._mapped.take(message)) is not None:
            return self._set(moved.name, moved.value)
        if kind == "control_change" and number in self._by_cc:
            return self._move(self._by_cc[number], message.value)
        if kind in ("program_change", "note_on") and self._mapped.genres is not None:
            return self._genre(self._mapped.genres.genre(message))
        if kind == "program_change":
            return self._genre(message.value)
        if kind == "note_on":
            return self._genre(number - GENRE_FIRST_NOTE)
        return None if kind == "note_off" else self._ignore()

    def _move(self, row: Parameter, value: int) -> Action | None:
        return self._set(row.name, None if row.kind == "count" and value == 0 else row.from_midi(value))

    def _set(self, name: str, value: float | None) -> Action | None:
        if value is None:
            return None
        if name == PANIC.name:
            self.held.let_go()
        return SetValue(name, value)

    def _genre(self, index: int) -> Action | None:
        return ChooseGenre(index) if 0 <= index < self.genres else self._ignore()

    def _ignore(self) -> Action | None:
        self.ignored += 1
        return None


def _named(chord: int | None) -> Action | None:
    return None if chord is None else SetValue(CHORD.name, float(chord))
