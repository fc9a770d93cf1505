"""Values of controls as a person writes and reads them: `NAME=VALUE` on the command line, what is changed on the screen. Pure."""

from collections.abc import Iterable, Mapping

from noizestream.control.chords import name_of, parse_chord
from noizestream.control.parameter import CHOSEN
from noizestream.control.parameters import BY_NAME, CHORD
from noizestream.errors import UsageError, option
from noizestream.modelfile.genres import find
from noizestream.modelfile.metadata import Metadata

SWITCH = {"off": 0.0, "on": 1.0}


def parse_settings(metadata: Metadata, texts: Iterable[str], flags: Mapping[str, float | None] | None = None) -> dict[str, float]:
    """Return control values by name from `NAME=VALUE` texts and from `flags`, options of their own (None: not given).

    A value is a number; of a chord also its name, of a genre its name, of a switch on or off. UsageError for a control that the
    model does not declare (what acts outside of it is live only), a value that it does not take, and a control that is set twice.
    """
    values = {name: _checked(metadata, name, value, option(name)) for name, value in (flags or {}).items() if value is not None}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name or not value:
            raise UsageError(f"{option('set')} {text}: give NAME=VALUE, such as {option('set')} {metadata.controls[-1]['name']}=0")
        _declared(metadata, name)
        if name in values:
            raise UsageError(f"{option('set')} {text}: {name} is set twice")
        values[name] = _checked(metadata, name, _number(metadata, name, value), f"{option('set')} {name}")
    return values


def changed(metadata: Metadata, values: Mapping[str, float]) -> list[str]:
    """Return what is not at its default, for the screen: `chord Am`, `drums_mute`, `bass_genre dub`, `top_level -6 dB`.

    `values` are those of the model's controls and of what acts on the output, by name. What has a column or a note of its own is
    left out; a count says nothing.
    """
    defaults = {control["name"]: control["default"] for control in metadata.controls}
    found = []
    for name, value in values.items():
        row = BY_NAME.get(name)
        if row is None or row.column or row.note or row.kind == "count" or value == defaults.get(name, row.default):
            continue
        if row.kind == "toggle":
            found.append(name if value else f"{name} off")
        elif row.kind == "chord":
            found.append(f"{name} {name_of(int(value))}")
        elif row.kind == "genre" and 0 <= value < len(metadata.genres):
            found.append(f"{name} {metadata.genres[int(value)]}")
        else:
            found.append(f"{name} {row.form.format(value)} {row.unit}".rstrip())
    return found


def _declared(metadata: Metadata, name: str) -> None:
    """UsageError if the model has no control `name`."""
    row = BY_NAME.get(name)
    if row is not None and row.acts != "model" and all(control["name"] != name for control in metadata.controls):
        raise UsageError(f"{metadata.name} has no control {name!r}: it acts on the {row.acts}, live only (MIDI CC {row.cc})")
    metadata.control_index(name)


def _number(metadata: Metadata, name: str, text: str) -> float:
    """The value that `text` means for the control `name`."""
    kind = BY_NAME[name].kind if name in BY_NAME else "value"
    if kind == "genre" and (index := find(text, metadata.genres)) is not None:  # which may be called by a number
        return index
    try:
        return float(text)
    except ValueError:
        if kind == "chord":
            return parse_chord(text)
        if kind == "genre":
            return metadata.genre_index(text)
        if kind == "toggle" and text.lower() in SWITCH:
            return SWITCH[text.lower()]
    raise UsageError(f"{option('set')} {name}: {text!r} is not a number{', nor on or off' if kind == 'toggle' else ''}")


def _checked(metadata: Metadata, name: str, value: float, called: str) -> float:
    """`value`, if the model has the control and takes it and the table allows it."""
    row = BY_NAME.get(name)
    if row is not None and row.acts == "model":
        if row.kind != "genre":  # of these there are as many as the model has, which it says itself
            row.check(value, called)
        if row.kind in (*CHOSEN, "count") and value != int(value):
            raise UsageError(f"{called}: {value:g} is not possible, give a whole number")
    return metadata.check_control(name, value)


def need_chord(*models: Metadata) -> None:
    """Raise UsageError if none of `models` has a chord to set."""
    if not any(control["name"] == CHORD.name for model in models for control in model.controls):
        names, chords = ", ".join(model.name for model in models), option("chords")
        raise UsageError(f"{chords}: {names} has no control chord, leave {chords} out")
