"""THE table of live parameters.

The command line, the MIDI map, the screen and the docs list controls by reading this table; adding a control is adding a row.
"""

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


@dataclass(frozen=True)
class Parameter:
    """One live control.

    `cc` is the MIDI control change that moves it by default (7 bit: 0 is `minimum`, 127 is `maximum`), None for none.
    `in_model` says that its value is one of the model's `controls`, handed to `step`; the rest act outside the model.
    `lowest`, where given, is the smallest value other than `minimum`, which then means "off". `kind` says what the value is and
    what a controller does (see `Kind`).
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
    kind: Kind = "value"

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
        if self.kind in ("trigger", "count"):
            return self.maximum
        if self.kind in CHOSEN:
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
MUTE = Parameter("mute", 0, 1, 0, "", 9, False, "silence while on (64 to 127)", kind="toggle")
MODEL = Parameter("model", 0, 127, 0, "", 0, False, "which of the models that `play` was given; 0 is the first", kind="number")
PANIC = Parameter("panic", 0, 1, 0, "", 120, False, "silence at once, then the music starts afresh", kind="trigger")

CHORD = Parameter(
    "chord", -1, 23, -1, "", 14, True, "chord to play: 0 to 11 C to B, 12 to 23 Cm to Bm; -1 the model's own", kind="chord"
)
HARMONY = Parameter("harmony", 0.0, 1.0, 0.5, "", 15, True, "how harmony goes: 0 the chord stays, 1 it moves")

LAYERS = ("drums", "bass", "harmony", "top")
"""The layers of the sound that have controls of their own. They are named here, and nowhere else."""

MOST_GENRES = 127
"""So many genres a layer's genre can choose among."""


def of_layer(number: int) -> tuple[Parameter, ...]:
    """Return the rows of layer `number` in `LAYERS`, in the order in which models declare them."""
    layer = LAYERS[number]
    return (
        Parameter(f"{layer}_level", -60.0, 6.0, 0.0, "dB", 20 + number, True, f"level of the {layer}; -60 is silence"),
        Parameter(f"{layer}_mute", 0, 1, 0, "", 24 + number, True, f"{layer} silent while on", kind="toggle"),
        Parameter(f"{layer}_hold", 0, 1, 0, "", 28 + number, True, f"{layer}: this bar again while on", kind="toggle"),
        Parameter(f"{layer}_new", 0, 127, 0, "", 102 + number, True, f"{layer}: jump to something else now", kind="count"),
        Parameter(
            f"{layer}_genre",
            -1,
            MOST_GENRES - 1,
            -1,
            "",
            106 + number,
            True,
            f"genre of the {layer}; -1 is what plays",
            kind="genre",
        ),
    )


OF_LAYERS = tuple(row for number in range(len(LAYERS)) for row in of_layer(number))

PARAMETERS = (TEMPERATURE, TEMPO, CHORD, HARMONY, *OF_LAYERS, VOLUME, MUTE, MODEL, PANIC)

BY_NAME = {row.name: row for row in PARAMETERS}

GENRE_FIRST_NOTE = 36
"""Notes 36, 37, ... (the pads of most controllers) and program changes 0, 1, ... choose the genre."""
