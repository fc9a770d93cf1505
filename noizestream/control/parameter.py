"""What a row of the table of parameters says: where a control acts, what it takes, how it is reached and how it is shown."""

from dataclasses import dataclass
from typing import Literal

from noizestream.errors import UsageError

Kind = Literal["value", "number", "toggle", "chord", "genre", "trigger", "count"]
"""What a parameter's value is, and what a controller's 0..127 does to it:

    value    any number of the range                 moves over the range, smoothly
    number   a whole number                          chooses one, in equal parts
    toggle   0 off, 1 on                             off below 64, on from 64
    chord    a number of `control.chords`            chooses one, in equal parts
    genre    number of a genre, -1 for none          chooses one of the model's, in equal parts
    trigger  nothing that is kept                    any value pulls it
    count    a whole number; every change pulls it   any value above 0 pulls it (0 is a button let go)
"""

CHOSEN = ("number", "toggle", "chord", "genre")
"""Kinds of which a controller chooses a whole number."""


Acts = Literal["model", "output", "session"]
"""Where a parameter acts:

    model    it is one of the model's `controls`, handed to `step`, where the model declares it; live and in `render`
    output   on the sound between model and device; live only
    session  on what plays: which model, from where on; live only
"""


@dataclass(frozen=True)
class Column:
    """A place of its own in the status line: `label`, then the value in `width` characters, `least` in place of the smallest one.

    Where the screen is too narrow, what has the highest `rank` is left out first (ui/status.py has the ranks of the rest).
    """

    label: str
    width: int
    rank: int
    least: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Parameter:
    """One live control: what it is called, what it takes, where it acts, and how it is reached and shown.

    `help` says in one line what it does; values lie in `minimum`..`maximum`, in `unit`. `lowest`, where given, is the smallest
    value other than `minimum`, which then means "off". `kind` says what a value is and what a controller does to it (see `Kind`),
    `acts` where it acts (see `Acts`), `layer` of which layer of the sound it is ("": of all).

    `cc` is the MIDI control change that moves it by default (7 bit: 0 is `minimum`, 127 is `maximum`), None for none. `flag` is how
    its own option of the command line is spelt; without one, `--set` sets it, if it acts in the model.

    On the screen a value is written in `form`: in a `column`; or as the `note` beside the genre while it is not at its default; or,
    with neither, among what is changed, if it keeps a value at all.
    """

    name: str
    help: str
    minimum: float
    maximum: float
    default: float
    unit: str = ""
    lowest: float | None = None
    kind: Kind = "value"
    acts: Acts = "model"
    layer: str = ""
    cc: int | None = None
    flag: tuple[str, ...] = ()
    column: Column | None = None
    note: str = ""
    form: str = "{:g}"

    def check(self, value: float, option: str = "") -> float:
        """Return `value`, or raise UsageError when it is not in `minimum`..`maximum`."""
        if not self.minimum <= value <= self.maximum or (self.lowest is not None and self.minimum < value < self.lowest):
            where = option or self.name
            unit = f" {self.unit}" if self.unit else ""
            span = f"{self.minimum:g} or {self.lowest:g}" if self.lowest is not None else f"{self.minimum:g}"
            raise UsageError(f"{where}: {value:g} is out of range, give {span} to {self.maximum:g}{unit}")
        return value

    def from_midi(self, value: float) -> float:
        """Map a position of a controller (0..127, finer ones between them) to the range; 64 is the middle.

        With `lowest`, 0 is off and 1 the lowest.
        """
        if self.kind in ("trigger", "count"):
            return self.maximum
        if self.kind in CHOSEN:
            return self.minimum + int(value * (self.maximum - self.minimum + 1) // 128)
        if self.lowest is not None:
            return self.minimum if value <= 0 else self.lowest + max(value - 1, 0) / 126 * (self.maximum - self.lowest)
        position = value / 128 if value <= 64 else 0.5 + (value - 64) / 126
        return min(self.minimum + position * (self.maximum - self.minimum), self.maximum)

    def to_midi(self, value: float) -> float:
        """Return the position (0..127, finer ones between them) at which `from_midi` has `value`, or its nearer end.

        Of a whole number that is the middle of its part; of what keeps no value it is 0.
        """
        span = self.maximum - self.minimum
        if self.kind in ("trigger", "count") or span <= 0:
            return 0.0
        if self.kind in CHOSEN:
            found = (value - self.minimum + 0.5) * 128 / (span + 1)
        elif self.lowest is not None:
            found = 0.0 if value <= self.minimum else 1 + max(value - self.lowest, 0) / (self.maximum - self.lowest) * 126
        else:
            position = (value - self.minimum) / span
            found = 128 * position if position <= 0.5 else 64 + 126 * (position - 0.5)
        return min(max(found, 0.0), 127.0)
