"""A controller that is played by its map: which control a message comes from, and what that sets. Pure."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from noizestream.control.assignment import SENT, Assignment
from noizestream.control.controller_map import ControllerMap
from noizestream.control.controllers import FinePairs, place
from noizestream.control.midi_message import Kind, MidiMessage
from noizestream.control.parameter import CHOSEN, Parameter

Current = Callable[[str], float | None]
"""Says at which value the parameter of that name is; None where nothing has it."""


class Moved(NamedTuple):
    """A control of the map was moved: the `name` of its parameter, and the `value` to set (None: it stays)."""

    name: str
    value: float | None


class Mapped:
    """Finds the control that a message comes from, and moves it; `current` says where its parameter is."""

    def __init__(self, controller: ControllerMap, rows: Mapping[str, Parameter], current: Current):
        self.genres = controller.genres
        self._controls: dict[tuple[Kind, int], list[_Control]] = {}
        for assignment in controller.controls:
            control = _Control(assignment, rows[assignment.parameter], current)
            for source in assignment.sources:
                for kind in SENT[source.what]:
                    self._controls.setdefault((kind, source.number), []).append(control)

    def take(self, message: MidiMessage) -> Moved | None:
        """Return what `message` does; None where no control of the map sends it."""
        control = self._find(message)
        return None if control is None else Moved(control.name, control.hear(message))

    def sends(self, message: MidiMessage) -> bool:
        """Whether a control of the map sends `message`."""
        return self._find(message) is not None

    def _find(self, message: MidiMessage) -> "_Control | None":
        for control in self._controls.get((message.kind, message.number), ()):
            if control.channel in (None, message.channel):
                return control
        return None


class _Control:
    """One control, with the halves of 14 bits that it sent last.

    A pad on a switch is on while it is down, however hard it was struck. A pad that gives its velocity keeps it when let go.
    """

    def __init__(self, assignment: Assignment, row: Parameter, current: Current):
        self.name, self.channel = assignment.parameter, assignment.source.channel
        self._assignment, self._gesture, self._current = assignment, assignment.gesture(row), current
        kind, note = assignment.kind, assignment.source.what == "note"
        self._held = note and (row.kind == "toggle" or (row.kind in CHOSEN and kind == "one-sided spring"))
        self._struck = note and row.kind != "toggle" and kind in ("absolute", "choice")
        self._pairs = FinePairs([assignment.source.number])

    def hear(self, message: MidiMessage) -> float | None:
        """Return the value that `message` sets; None for none."""
        at = self._at(message)
        return None if at is None else self._gesture.move(at, self._current(self.name))

    def _at(self, message: MidiMessage) -> float | None:
        """Where the control is, 0 to 127; None where the message alone does not move it."""
        if message.kind == "pitch_bend":
            return place(message.value)
        if message.kind == "note_off":
            return None if self._struck else 0.0
        if self._assignment.bits == 14:
            joined = self._pairs.join(message)
            return None if joined is None else joined[1]
        return 127.0 if self._held else float(message.value)
