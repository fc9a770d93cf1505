"""Chords as numbers: their names, the triad that notes make, and chords in time. Pure.

A chord is 0 to 11 for C, C#, ... B major, 12 to 23 for Cm, C#m, ... Bm, and -1 (`OWN`) for none: the model's own harmony.
"""

import bisect
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from noizestream.errors import UsageError

OWN = -1
ROOTS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
NAMES = (*ROOTS, *(f"{root}m" for root in ROOTS))
"""Name of every chord, by its number."""

TRIADS = tuple(frozenset((root + step) % 12 for step in (0, third, 7)) for third in (4, 3) for root in range(12))
"""Pitch classes (0 is C) of every chord, by its number."""

BEATS = 4.0
"""How long a chord is that does not say it."""

STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
"""Semitones above C, by the letter of a note."""

_CHORD = re.compile(r"([A-Ga-g])([#♯b♭]?)(m|min|maj)?")


def parse_chord(name: str) -> int:
    """Return the number of `"Am"`, `"F"`, `"C#"`, `"Bbm"`; of `"N"` and `"-"` the model's own. UsageError for anything else."""
    if name in ("N", "n", "-"):
        return OWN
    found = _CHORD.fullmatch(name)
    if found is None:
        raise UsageError(f"chord {name!r}: give a root and m for minor, such as C, F#, Am or Bbm, or - for the model's own")
    letter, sign, kind = found.groups()
    root = STEPS[letter.lower()] + {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[sign]
    return root % 12 + 12 * (kind in ("m", "min"))


def name_of(chord: int) -> str:
    """Return the name of `chord`, `-` for the model's own."""
    return NAMES[chord] if 0 <= chord < len(NAMES) else "-"


def chord_of(notes: Collection[int], before: int = OWN, newest: int | None = None) -> int:
    """Return the triad that fits the MIDI `notes` best, or `before`, the chord so far, where they are fewer than two pitch classes.

    Best is the triad that most of the pitch classes belong to; what else is held (a seventh, a ninth) does not count. Of several
    that are as good: if `newest` has just been struck, one whose root is the lowest note, then one that holds `newest`, then
    `before`, then the lowest number, major before minor. If nothing was struck, so that a note was let go, `before` comes first:
    the fingers that leave a chord one by one do not name another.
    """
    classes = {note % 12 for note in notes}
    if len(classes) < 2:
        return before
    bass = min(notes) % 12

    def fit(chord: int) -> tuple[int, ...]:
        same, rooted = chord == before, chord % 12 == bass
        held = len(TRIADS[chord] & classes)
        return (held, same, rooted) if newest is None else (held, rooted, newest % 12 in TRIADS[chord], same)

    return max(range(len(TRIADS)), key=lambda chord: (*fit(chord), -chord))


@dataclass(frozen=True)
class Schedule:
    """Chords in time, over and over: `chords[i]` begins at `starts[i]` (beats, rising, from 0); it all takes `length` beats."""

    starts: tuple[float, ...]
    chords: tuple[int, ...]
    length: float

    def at(self, beat: float) -> int:
        """Return the chord that holds at `beat`."""
        return self.chords[bisect.bisect_right(self.starts, beat % self.length) - 1]


def lasting(parts: Sequence[tuple[int, float]]) -> Schedule:
    """Return the schedule of (chord, beats that it lasts), one after the other."""
    starts, total = [], 0.0
    for _, beats in parts:
        starts.append(total)
        total += beats
    return Schedule(tuple(starts), tuple(chord for chord, _ in parts), total)


def parse_schedule(text: str) -> Schedule:
    """Return the schedule of `"Am:4 F:4 C:4 G:4"`: chords and the beats of each, 4 where none are given. UsageError."""
    parts = []
    for part in text.split():
        name, colon, number = part.partition(":")
        try:
            beats = float(number) if colon else BEATS
        except ValueError:
            beats = math.nan
        if not 1 / 4 <= beats <= 1e6:
            raise UsageError(f"chord {part!r}: the beats after the colon must be a quarter or more, as in Am:4")
        parts.append((parse_chord(name), beats))
    if not parts:
        raise UsageError('chords: none are given, write "Am:4 F:4 C:4 G:4"')
    return lasting(parts)
