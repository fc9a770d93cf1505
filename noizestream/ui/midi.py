"""Lines of text for MIDI: what has come, what it does, and what has been learned of it."""

from collections.abc import Sequence

from noizestream.control.assignment import Assignment
from noizestream.control.chords import name_of
from noizestream.control.learn import GENRES, Pad
from noizestream.control.midi_map import Action, ChooseGenre
from noizestream.control.midi_message import decode
from noizestream.control.parameters import BY_NAME
from noizestream.control.state import LiveState

NUMBERED = {"control_change": "cc", "note_on": "note", "note_off": "note", "poly_pressure": "key pressure"}
CALLED = {"program_change": "program", "channel_pressure": "pressure", "pitch_bend": "pitch bend"}


def arrived(data: Sequence[int]) -> str:
    """Return what the bytes `data` of a message say, as a map file calls it: `cc 21 at 64, channel 1`."""
    message = decode(data)
    if message is None:
        return (
            f"{' '.join(f'{byte:02x}' for byte in data[:8])}{' ...' if len(data) > 8 else ''} (no message that means anything here)"
        )
    if message.channel is None:
        return message.kind.replace("_", " ")
    what = f"{NUMBERED[message.kind]} {message.number}" if message.kind in NUMBERED else CALLED[message.kind]
    return f"{what}{' up' if message.kind == 'note_off' else f' at {message.value}'}, channel {message.channel + 1}"


def effect(action: Action | None, ignored: bool, state: LiveState) -> str:
    """Return what has become of a message that asked for `action`; `ignored` says that nothing here is meant by it."""
    if action is None:
        return "means nothing here" if ignored else "changes nothing (let go, or not taken over yet)"
    if isinstance(action, ChooseGenre):
        return f"genre {state.metadata.genres[action.index]}" if action.index < len(state.metadata.genres) else "no such genre"
    row = BY_NAME[action.name]
    if row.kind in ("trigger", "count"):
        return action.name
    if row.kind == "chord":
        return f"{action.name} {name_of(int(action.value))}"
    if row.kind == "genre" and 0 <= action.value < len(state.metadata.genres):
        return f"{action.name} {state.metadata.genres[int(action.value)]}"
    return f"{action.name} {row.form.format(action.value)} {row.unit}".rstrip()


def asked(name: str) -> str:
    """Return what a person is to do for the control `name` to be learned."""
    if name == GENRES:
        return f"{name}: press a pad for each, one after the other, then Enter"
    return f"{name}: move a knob, up and far enough, or press a button or a pad"


def learned(found: Assignment | Pad) -> str:
    """Return what has been learned: `temperature: cc 21, channel 1, absolute, pickup`, or `genre 1: note 36, channel 10`."""
    if isinstance(found, Pad):
        return f"genre {found.genre + 1}: {found.source}, channel {(found.source.channel or 0) + 1}"
    assignment, source, kind = found, found.source, found.kind
    parts = [str(source), f"channel {(source.channel or 0) + 1}", kind]
    parts += [assignment.takeover] if kind == "absolute" else []
    parts += ["14 bits"] if assignment.bits == 14 else []
    parts += [assignment.coding] if kind == "relative" else []
    return f"{assignment.parameter}: {', '.join(parts)}"
