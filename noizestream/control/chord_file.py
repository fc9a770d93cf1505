"""The chords of a Standard MIDI File, as a schedule in beats: what is held at once, on every channel but the drums', names them."""

import math
import os
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from noizestream.control.chord_keys import HeldChord
from noizestream.control.chords import OWN, Schedule
from noizestream.control.midi_map import NOTES_OFF
from noizestream.errors import NoizestreamError, option
from noizestream.system.files import not_a_file, reason

ENDINGS = (".mid", ".midi", ".smf")
DRUMS = 9
SHORTEST = 1 / 8
"""Beats: a chord that is shorter was named of the first notes of the next one, where a chord is not struck all at once."""

SOUND_OFF = 120
"""All sound off; here no more than all notes off."""

SECONDS_PER_BEAT = 0.5
"""For `HeldChord`, to which it only matters which keys are let go together."""

Note = tuple[float, bool, int, int]
"""(beat, whether it is struck, channel, note)"""


def is_file(text: str) -> bool:
    """Whether `text` names a MIDI file: by its ending, or because a file is there."""
    return Path(text).suffix.lower() in ENDINGS or os.path.isfile(text)


def read_chords(path: str | Path) -> Schedule:
    """Return the chords of the MIDI file `path`; they begin anew after the last bar. The file's tempo does not matter.

    Before its first chord the model's own harmony holds. NoizestreamError if it cannot be read or names no chord.
    """
    try:
        import mido
    except ImportError:
        raise NoizestreamError("mido is missing: pip install mido") from None
    if (why := not_a_file(path)) and os.path.exists(path):
        raise NoizestreamError(f"{option('chords')} {path}: {why}")
    try:
        file = mido.MidiFile(path)
        if file.type == 2 or not 0 < file.ticks_per_beat < 0x8000:
            raise ValueError("its tracks do not share one time in beats")
        notes: list[Note] = []
        ticks, bar = 0, 4.0
        for message in mido.merge_tracks(file.tracks):
            ticks += message.time
            if message.type == "time_signature" and not ticks:
                bar = 4.0 * message.numerator / message.denominator
            elif message.type in ("note_on", "note_off") and message.channel != DRUMS:
                struck = message.type == "note_on" and message.velocity > 0
                notes.append((ticks / file.ticks_per_beat, struck, message.channel, message.note))
            elif message.type == "control_change" and (message.control in NOTES_OFF or message.control == SOUND_OFF):
                notes += [(ticks / file.ticks_per_beat, False, message.channel, note) for note in range(128)]
    except Exception as error:  # mido raises whatever a damaged file leads to
        raise NoizestreamError(f"{option('chords')} {path}: cannot be read as a MIDI file ({reason(error)})") from None
    schedule = schedule_of(notes, ticks / file.ticks_per_beat, bar)
    if schedule is None:
        raise NoizestreamError(f"{option('chords')} {path}: names no chord; at least two different notes must be held at once")
    return schedule


def schedule_of(notes: Iterable[Note], end: float, bar: float) -> Schedule | None:
    """Return the schedule of `notes`, in order, that lasts until `end` in whole bars of `bar` beats; None for no chord."""
    held, found = HeldChord(), [(0.0, OWN)]
    for beat, together in groupby(notes, key=lambda note: note[0]):
        for _, struck, channel, note in sorted(together, key=lambda each: each[1]):  # what is let go first
            if struck:
                held.strike(channel, note)
            else:
                held.release(channel, note, beat * SECONDS_PER_BEAT)
        if held.chord != found[-1][1]:
            found.append((beat, held.chord))
    if len(found) == 1:
        return None
    length = max(math.ceil((end - SHORTEST) / bar), 1) * bar
    ends = [beat for beat, _ in found[1:]] + [length]
    long = [(start, chord) for (start, chord), after in zip(found, ends, strict=True) if after - start >= SHORTEST]
    long = long or [found[-1]]
    starts = [0.0 if not number and start < SHORTEST else start for number, (start, _) in enumerate(long)]
    chords = [chord for _, chord in long]
    if starts[0] > 0:
        starts, chords = [0.0, *starts], [OWN, *chords]
    return Schedule(tuple(starts), tuple(chords), length)
