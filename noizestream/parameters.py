"""THE table of live parameters.

The command line, the MIDI map, the screen and the docs list controls by reading this table; adding a control is adding a row.
"""

from dataclasses import dataclass
from typing import Literal

from noizestream.errors import UsageError


@dataclass(frozen=True)
class Parameter:
    """One live control.

    `cc` is the MIDI control change that moves it by default (7 bit: 0 is `minimum`, 127 is `maximum`), None for none.
    `in_model` says that its value is one of the model's `controls`, handed to `step`; the rest act outside the model.
    `lowest`, where given, is the smallest value other than `minimum`, which then means "off". `kind` says what a controller does:
    move a `value` smoothly, choose a `number` (whole steps over the range), or pull a `trigger` (any controller value does).
    `also` are further control changes that do the same.
    """

    name: str
    minimum: float
    maximum: float
    default: float
    unit: str
    cc: int | None
    in_model: bool
    help: str
    lowest: float | None = None
    kind: Literal["value", "number", "trigger"] = "value"
    also: tuple[int, ...] = ()

    def check(self, value: float, option: str = "") -> float:
        """Return `value`, or raise UsageError when it is not in `minimum`..`maximum`."""
        if not self.minimum <= value <= self.maximum or (self.lowest is not None and self.minimum < value < self.lowest):
            where = option or self.name
            unit = f" {self.unit}" if self.unit else ""
            span = f"{self.minimum:g} or {self.lowest:g}" if self.lowest is not None else f"{self.minimum:g}"
            raise UsageError(f"{where}: {value:g} is out of range, give {span} to {self.maximum:g}{unit}")
        return value

    def from_midi(self, value: int) -> float:
        """Map a 7-bit controller value (0..127) to the range; 64 is the middle. With `lowest`, 0 is off and 1 the lowest."""
        if self.kind == "trigger":
            return self.maximum
        if self.kind == "number":
            return self.minimum + int(value * (self.maximum - self.minimum + 1) // 128)
        if self.lowest is not None:
            return self.minimum if value == 0 else self.lowest + (value - 1) / 126 * (self.maximum - self.lowest)
        position = value / 128 if value <= 64 else 0.5 + (value - 64) / 126
        return self.minimum + position * (self.maximum - self.minimum)


TEMPERATURE = Parameter("temperature", 0.0, 2.0, 1.0, "", 1, True, "spread of the sampling: 0 most likely, 1 as learned, 2 wild")
TEMPO = Parameter("tempo", 0.0, 220.0, 0.0, "BPM", 3, True, "pulse of the model's clock; 0 is the genre's own, else 40-220", 40.0)
VOLUME = Parameter(
    "volume", -60.0, 6.0, 0.0, "dB", 7, False, "output level; -60 is silence, the ceiling of -0.3 dBFS holds at any setting"
)
MUTE = Parameter("mute", 0, 1, 0, "", 9, False, "silence while on (64 to 127)", kind="number")
MODEL = Parameter("model", 0, 127, 0, "", 0, False, "which of the models that `play` was given; 0 is the first", kind="number")
PANIC = Parameter("panic", 0, 1, 0, "", 120, False, "silence at once, then the music starts afresh", kind="trigger", also=(123,))

PARAMETERS = (TEMPERATURE, TEMPO, VOLUME, MUTE, MODEL, PANIC)

GENRE_FIRST_NOTE = 36
"""Notes 36, 37, ... (the pads of most controllers) and program changes 0, 1, ... choose the genre."""


def by_name(name: str) -> Parameter:
    """Return the row called `name`; KeyError if there is none."""
    return {row.name: row for row in PARAMETERS}[name]
