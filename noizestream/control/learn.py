"""Learns a map from what a controller sends while it is asked for one control after the other. Pure: messages in, assignments out.

A controller says a lot: a knob beside the one that is meant moves a little, a pad is let go, a wheel that was learned before still
swings. So a control counts once it has moved far enough, was pressed, or has clicked three times; and none counts twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from noizestream.control import map_table
from noizestream.control.assignment import Assignment, Source, What
from noizestream.control.controller_map import ControllerMap, GenreKeys
from noizestream.control.controllers import FINE_HALF
from noizestream.control.midi_message import Kind, MidiMessage
from noizestream.control.parameter import CHOSEN
from noizestream.control.parameters import BY_NAME
from noizestream.errors import UsageError

RESERVED = (0, 32, *range(120, 128))
"""Bank select, whose programs follow it, and what is said to all notes: controllers that a keyboard sends by itself."""

FAR = 12
"""A knob has moved so many of its 127 steps before it is taken to be meant; one that only trembles has not."""

CLICKS = 3
"""So often the same value in a row is an endless knob: another one does not repeat itself."""

BENT = 16 * 128
"""Pitch bend has moved so far, of its 16384 steps."""

LEARNED: dict[Kind, What] = {"control_change": "cc", "note_on": "note", "channel_pressure": "pressure", "pitch_bend": "pitch bend"}


GENRES = "genres"
"""What is asked for beside the controls: the pads of the genres, as many as there are."""


@dataclass(frozen=True)
class Pad:
    """That what `source` sends chooses genre number `genre`."""

    genre: int
    source: Source


class Learner:
    """Asks for the controls `names`, one after the other (`wanted`), and learns them from what is heard.

    One of them may be `GENRES`: pads of one channel, of which the first is the first genre, until `skip`.
    `before` is a map that is gone on with: what it says of other controls stays, but for a source that is learned for one of these.
    With `reserved` the controllers of `RESERVED`, and the fine half of a pair, are learned too. UsageError for a name that is none.
    """

    def __init__(self, names: Sequence[str], before: ControllerMap | None = None, reserved: bool = False):
        for name in names:
            if name not in BY_NAME and name != GENRES:
                raise UsageError(f"{name}: there is no such control, give one of {', '.join(BY_NAME)} or {GENRES}")
        self._waiting = list(dict.fromkeys(names))
        self._before = before or ControllerMap()
        self._reserved = reserved
        self._learned: dict[str, Assignment] = {}
        self._pads: list[Source] = []
        self._heard: dict[Source, list[int]] = {}

    @property
    def wanted(self) -> str | None:
        """The control that is asked for, None once there are no more."""
        return self._waiting[0] if self._waiting else None

    @property
    def controller(self) -> ControllerMap:
        """The map as it is by now."""
        new = list(self._learned.values())
        taken = self._taken()
        old = [each for each in self._before.controls if each.parameter not in self._learned]
        kept = [each for each in old if not any(one.meets(other) for one in taken for other in each.sources)]
        genres = self._before.genres
        if self._pads:
            notes = tuple(pad.number for pad in self._pads)
            genres = GenreKeys(notes, genres is None or genres.programs, self._pads[0].channel)
        elif genres is not None:
            pads = [(note, Source("note", note, genres.channel)) for note in genres.notes]
            genres = replace(genres, notes=tuple(note for note, pad in pads if not any(one.meets(pad) for one in taken)))
        return ControllerMap((*kept, *new), genres)

    def skip(self) -> None:
        """Ask for the next control: this one stays as it was."""
        self._heard.clear()
        del self._waiting[:1]

    def hear(self, message: MidiMessage) -> Assignment | Pad | None:
        """Take `message`; return what has been learned of it, and ask for the next control. None: nothing yet."""
        name, source = self.wanted, self._source(message)
        if name is None or source is None:
            return None
        if name == GENRES:
            return self._pad(source)
        values = self._heard.setdefault(source, [])
        values.append(message.value)
        far = BENT if source.what == "pitch bend" else FAR
        repeated = len(values) >= CLICKS and len(set(values[-CLICKS:])) == 1 and message.value not in (0, 64)
        clicked = repeated and source.what == "cc" and not self._fine(source)
        if source.what != "note" and max(values) - min(values) < far and not clicked:
            return None
        found = self._assignment(name, source, values, clicked)
        self._learned[name] = found
        self.skip()
        return found

    def _source(self, message: MidiMessage) -> Source | None:
        """The control that `message` comes from; None for what is not to be learned."""
        what = LEARNED.get(message.kind)
        if what is None:
            return None
        source = Source(what, message.number, message.channel)
        if any(source.meets(other) for other in self._taken()):
            return None
        if what == "cc" and not self._reserved:
            coarse = replace(source, number=message.number - FINE_HALF)
            if message.number in RESERVED or (message.number < 2 * FINE_HALF and coarse in self._heard):
                self._heard.setdefault(source, []).append(message.value)
                return None
        return source

    def _taken(self) -> list[Source]:
        """What has been learned of the controller so far, and so means nothing else."""
        return [source for each in self._learned.values() for source in each.sources] + self._pads

    def _pad(self, source: Source) -> Pad | None:
        """The next genre's pad; None for what is none, or of another channel than the first."""
        if source.what != "note" or (self._pads and self._pads[0].channel != source.channel):
            return None
        self._pads.append(source)
        return Pad(len(self._pads) - 1, source)

    def _fine(self, source: Source) -> bool:
        """Whether the controller `source` is the coarse half of a pair: its fine one has come too."""
        return not self._reserved and source.number < FINE_HALF and replace(source, number=source.number + FINE_HALF) in self._heard

    def _assignment(self, name: str, source: Source, values: Sequence[int], clicked: bool) -> Assignment:
        """What is made of a control of `source` that said `values`."""
        row = BY_NAME[name]
        table: dict[str, Any] = {"source": str(source), "channel": (source.channel or 0) + 1}
        button = source.what == "cc" and set(values) <= {0, 127} and (0 in values or row.kind == "toggle")
        if row.kind in ("trigger", "count"):
            return map_table.read(name, table)
        if source.what in ("pressure", "pitch bend"):
            table["kind"] = "centred spring" if source.what == "pitch bend" else "one-sided spring"
        elif button:
            table["kind"] = "toggle" if row.kind == "toggle" else "cycle" if row.kind in CHOSEN else "one-sided spring"
        elif clicked:
            table |= {"kind": "relative", "coding": "offset" if 32 < values[-1] < 96 else "two's complement"}
        elif source.what == "cc" and self._fine(source):
            table["bits"] = 14
        return map_table.read(name, table)
