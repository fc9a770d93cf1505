"""Which control of a controller moves which parameter, and how. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from noizestream.control.controllers import FINE_HALF, Coding
from noizestream.control.gestures import Absolute, Cycle, Gesture, GestureKind, Relative, Spring, Trigger
from noizestream.control.midi_message import Kind
from noizestream.control.parameter import Parameter
from noizestream.control.takeover import Takeover

What = Literal["cc", "note", "key pressure", "pressure", "pitch bend"]
"""What a control sends, as a map file calls it."""

SENT: dict[What, tuple[Kind, ...]] = {
    "cc": ("control_change",),
    "note": ("note_on", "note_off"),
    "key pressure": ("poly_pressure",),
    "pressure": ("channel_pressure",),
    "pitch bend": ("pitch_bend",),
}
NUMBERED = ("cc", "note", "key pressure")
_SOURCE = re.compile(r"(cc|note|key pressure|pressure|pitch bend)(?: (\d{1,3}))?")


@dataclass(frozen=True)
class Source:
    """What a control sends: `number` of a controller or a note (0 where there is none), on `channel` (0 to 15; None: on any)."""

    what: What
    number: int = 0
    channel: int | None = None

    def __str__(self) -> str:
        """As a map file has it, without the channel: `cc 21`, `pitch bend`."""
        return f"{self.what} {self.number}" if self.what in NUMBERED else self.what

    def meets(self, other: "Source") -> bool:
        """Whether a message may come from both."""
        same = (self.what, self.number) == (other.what, other.number)
        return same and (self.channel is None or other.channel is None or self.channel == other.channel)

    @classmethod
    def parse(cls, text: object, channel: int | None = None) -> "Source":
        """Read `cc 21`, `note 36`, `key pressure 36`, `pressure` or `pitch bend`. ValueError for anything else."""
        found = _SOURCE.fullmatch(text) if isinstance(text, str) else None
        what = next((each for each in SENT if found and found[1] == each), None)
        if found is None or what is None or (what in NUMBERED) != (found[2] is not None) or int(found[2] or 0) > 127:
            raise ValueError(f"{text!r} is not possible, give cc, note or key pressure with 0 to 127, or pressure, or pitch bend")
        return cls(what, int(found[2] or 0), channel)


@dataclass(frozen=True)
class Assignment:
    """That what `source` sends moves `parameter`, as `kind` says and with `takeover`, where it has one; see gestures.py.

    `bits` are 14 where the controller sends a fine half too. `coding` is that of an endless knob. `span` is the part of the
    parameter's range that it moves over (None: all of it), `steps` how many places of it are chosen among.
    """

    parameter: str
    source: Source
    kind: GestureKind
    takeover: Takeover = "jump"
    reversed: bool = False
    bits: int = 7
    coding: Coding = "two's complement"
    span: tuple[float, float] | None = None
    steps: int | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """All that it listens to: of 14 bits the coarse half, then the fine one."""
        if self.bits == 7:
            return (self.source,)
        return self.source, replace(self.source, number=self.source.number + FINE_HALF)

    def gesture(self, row: Parameter) -> Gesture:
        """Return what it does to its parameter, whose row is `row`."""
        if self.span is not None:
            low, high = self.span
            row = replace(row, minimum=low, maximum=high, lowest=row.lowest if low == row.minimum else None)
        if self.kind == "relative":
            return Relative(row, self.coding, self.reversed)
        if self.kind in ("centred spring", "one-sided spring"):
            return Spring(row, self.kind == "centred spring", self.reversed)
        if self.kind == "trigger":
            return Trigger(row)
        if self.kind in ("toggle", "cycle"):
            return Cycle(row, self.reversed, self.steps)
        return Absolute(row, self.takeover, self.reversed, self.steps)
