"""What a session is asked to play, as a Python program or a command line says it: numbers or words, checked against the models."""

from collections.abc import Mapping, Sequence

from noizestream.control import map_file
from noizestream.control.chord_keys import ChordKeys
from noizestream.control.midi_map import MidiMap
from noizestream.control.parameters import BY_NAME, MODEL
from noizestream.control.settings import need_chord, parse_settings
from noizestream.control.state import LiveState
from noizestream.errors import UsageError
from noizestream.modelfile.metadata import Metadata
from noizestream.session.request import SessionRequest


def control_values(metadata: Metadata, asked: Mapping[str, float | str]) -> dict[str, float]:
    """Return the values of the model's controls by name; UsageError for a control it does not have, or a value it does not take."""
    texts = [f"{name}={value}" for name, value in asked.items() if isinstance(value, str)]
    return parse_settings(metadata, texts, {name: value for name, value in asked.items() if not isinstance(value, str)})


def value_of(state: LiveState, name: str, asked: float | str) -> float:
    """Return what `asked` means for the parameter `name`; UsageError for an unknown one, or a value out of its range.

    A model is a number or a name among `state.models`.
    """
    row = BY_NAME.get(name)
    if row is None or row.acts == "model":
        return control_values(state.metadata, {name: asked})[name]
    names = [model.name for model in state.models]
    if row is MODEL and asked in names:
        return names.index(str(asked))
    try:
        value = row.check(float(asked))
    except ValueError:
        raise UsageError(f"{name}: {asked!r} is not a number") from None
    if row is MODEL and value not in range(len(names)):
        raise UsageError(f"{name}: {asked} is not there, give one of 0 to {len(names) - 1}, or of {', '.join(names)}")
    return value


def midi_map(state: LiveState, request: SessionRequest) -> MidiMap:
    """Return what MIDI messages do to `state`, as `request` has it.

    UsageError or NoizestreamError for keys that name no chords, and a map that is not there or is not possible.
    """
    return MidiMap(
        max(len(model.genres) for model in state.models),
        chord_keys=chord_keys(state.models, request.chords),
        channel=request.only_channel,
        controller=None if request.map is None else map_file.read(request.map),
        current=state.value,
    )


def chord_keys(models: Sequence[Metadata], asked: str | None) -> ChordKeys | None:
    """Return the keys that name chords, None for none; UsageError if they are none, or no model has a chord to set."""
    keys = None if asked is None else ChordKeys.parse(asked)
    if keys is not None:
        need_chord(*models)
    return keys
