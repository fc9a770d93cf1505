"""THE table of live parameters: a control is a row.

From it derive the options of the command line (commands/options.py), the MIDI map, the state of a performance, the status line
(ui/status.py) and the tables in README.md and docs/midi.md (reference.py). A new control is a row here and the one place that acts:
the model's step, `levels` and `Players.set_output` for what acts on the output, `LiveState` for what acts on the session.
"""

from noizestream.control.parameter import Column, Parameter

TEMPERATURE = Parameter(
    "temperature",
    "spread of the sampling: 0 most likely, 1 as learned, 2 wild",
    0.0,
    2.0,
    1.0,
    cc=1,
    flag=("-t", "--temperature"),
    column=Column("temp", 4, 1),
    form="{:.2f}",
)
TEMPO = Parameter(
    "tempo",
    "pulse of the model's clock; 0 is the genre's own, else 40-220",
    0.0,
    220.0,
    0.0,
    "BPM",
    lowest=40.0,
    cc=3,
    flag=("--tempo",),
    column=Column("tempo", 3, 6, "own"),
    form="{:.0f}",
)
CHORD = Parameter(
    "chord", "chord to play: 0 to 11 C to B, 12 to 23 Cm to Bm; -1 the model's own harmony", -1, 23, -1, kind="chord", cc=14
)
HARMONY = Parameter("harmony", "how harmony goes: 0 the chord stays, 1 it moves; 0.5 as learned", 0.0, 1.0, 0.5, cc=15)

VOLUME = Parameter(
    "volume",
    "output level; -60 is silence, the ceiling of -0.3 dBFS holds at any setting",
    -60.0,
    6.0,
    0.0,
    "dB",
    acts="output",
    cc=7,
    column=Column("vol", 6, 5, "off", " dB"),
    form="{:+.0f}",
)
BALANCE = Parameter(
    "balance",
    "left and right: -1 only the left, 0 both as they are, 1 only the right",
    -1.0,
    1.0,
    0.0,
    acts="output",
    cc=8,
    form="{:+.2f}",
)
MUTE = Parameter("mute", "silence while on", 0, 1, 0, kind="toggle", acts="output", cc=9, note="muted")

MODEL = Parameter(
    "model",
    "which of the models that `play` was given, crossfaded; 0 is the first",
    0,
    127,
    0,
    kind="number",
    acts="session",
    cc=0,
)
PANIC = Parameter("panic", "silence at once, then the music starts afresh", 0, 1, 0, kind="trigger", acts="session", cc=120)

LAYERS = ("drums", "bass", "harmony", "top")
"""The layers of the sound that have controls of their own. They are named here, and nowhere else."""

MOST_GENRES = 127
"""So many genres a layer's genre can choose among."""


def of_layer(number: int) -> tuple[Parameter, ...]:
    """Return the rows of layer `number` in `LAYERS`, in the order in which models declare them."""
    layer = LAYERS[number]
    return (
        Parameter(f"{layer}_level", f"level of the {layer}; -60 is silence", -60.0, 6.0, 0.0, "dB", layer=layer, cc=20 + number),
        Parameter(f"{layer}_mute", f"{layer} silent while on", 0, 1, 0, kind="toggle", layer=layer, cc=24 + number),
        Parameter(f"{layer}_hold", f"{layer}: this bar again while on", 0, 1, 0, kind="toggle", layer=layer, cc=28 + number),
        Parameter(f"{layer}_new", f"{layer}: jump to something else now", 0, 127, 0, kind="count", layer=layer, cc=102 + number),
        Parameter(
            f"{layer}_genre",
            f"genre of the {layer}; -1 is what plays",
            -1,
            MOST_GENRES - 1,
            -1,
            kind="genre",
            layer=layer,
            cc=106 + number,
        ),
    )


OF_LAYERS = tuple(row for number in range(len(LAYERS)) for row in of_layer(number))

PARAMETERS = (TEMPERATURE, TEMPO, CHORD, HARMONY, *OF_LAYERS, VOLUME, BALANCE, MUTE, MODEL, PANIC)

BY_NAME = {row.name: row for row in PARAMETERS}

GENRE_FIRST_NOTE = 36
"""Notes 36, 37, ... (the pads of most controllers) and program changes 0, 1, ... choose the genre."""
