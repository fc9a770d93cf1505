"""What all controls of one controller do, as its map file says: parameters, and what chooses the genre. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noizestream.control import map_table
from noizestream.control.assignment import Assignment, Source
from noizestream.control.map_table import WrongKey
from noizestream.control.midi_message import MidiMessage


@dataclass(frozen=True)
class GenreKeys:
    """What chooses the genre: `notes`, of which the first is genre 0, and `programs`; on `channel` (0 to 15; None: on any)."""

    notes: tuple[int, ...] = ()
    programs: bool = True
    channel: int | None = None

    def genre(self, message: MidiMessage) -> int:
        """Return the genre that `message`, a program or a key that goes down, chooses; -1 for none."""
        if self.channel not in (None, message.channel):
            return -1
        if message.kind == "program_change":
            return message.value if self.programs else -1
        return self.notes.index(message.number) if message.number in self.notes else -1


@dataclass(frozen=True)
class ControllerMap:
    """The controls of one controller, and what chooses the genre (None: as without a map)."""

    controls: tuple[Assignment, ...] = ()
    genres: GenreKeys | None = None


def read(document: Mapping[str, Any]) -> ControllerMap:
    """Return the map that the `document` of a map file says. WrongKey for what is not possible in it."""
    for key in document:
        if key not in ("controls", "genres"):
            raise WrongKey((key,), "there is no such key, give [controls.NAME] tables and [genres]")
    tables = document.get("controls", {})
    if not isinstance(tables, dict):
        raise WrongKey(("controls",), "give tables, such as [controls.temperature]")
    controls = tuple(map_table.read(name, table) for name, table in tables.items())
    genres = _genres(document["genres"]) if "genres" in document else None
    taken = [] if genres is None else [(Source("note", note, genres.channel), "genres") for note in genres.notes]
    for control in controls:
        for source in control.sources:
            other = next((name for one, name in taken if one.meets(source)), None)
            if other is not None:
                raise WrongKey(("controls", control.parameter, "source"), f"{source} is the source of {other} too, give another")
        taken += [(source, control.parameter) for source in control.sources]
    return ControllerMap(controls, genres)


def document_of(controller: ControllerMap) -> dict[str, Any]:
    """Return the document of which `read` makes `controller` again."""
    document: dict[str, Any] = {"controls": {each.parameter: map_table.table_of(each) for each in controller.controls}}
    if (genres := controller.genres) is not None:
        channel = {} if genres.channel is None else {"channel": genres.channel + 1}
        document["genres"] = {"notes": list(genres.notes), "programs": genres.programs} | channel
    return document


def _genres(table: object) -> GenreKeys:
    if not isinstance(table, dict):
        raise WrongKey(("genres",), "give a table: [genres], and below it notes = [36, 37] or programs = true")
    for key in table:
        if key not in ("notes", "programs", "channel"):
            raise WrongKey(("genres", key), "there is no such key, give notes, programs and channel")
    notes, programs, channel = table.get("notes", []), table.get("programs", True), table.get("channel")
    whole = isinstance(notes, list) and all(type(note) is int and 0 <= note <= 127 for note in notes)
    if not whole or len(set(notes)) < len(notes):
        raise WrongKey(("genres", "notes"), f"{notes!r} is not possible, give notes of 0 to 127, each once, such as [36, 37, 38]")
    if not isinstance(programs, bool):
        raise WrongKey(("genres", "programs"), f"{programs!r} is not possible, give true or false")
    if "channel" in table and (type(channel) is not int or not 1 <= channel <= 16):
        raise WrongKey(("genres", "channel"), f"{channel!r} is not possible, give a whole number from 1 to 16")
    return GenreKeys(tuple(notes), programs, None if channel is None else channel - 1)
