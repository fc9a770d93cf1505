"""Which keys name chords in a performance, and the chord that the held ones name. Pure: the time is handed in."""

import re
from dataclasses import dataclass

from noizestream.control.chords import OWN, STEPS, chord_of
from noizestream.errors import UsageError, option

RELEASE_S = 0.15
"""Fingers leave the keys within so many seconds: a chord that is named on the way, of what is still held, was not meant."""

_NOTE = r"\d{1,3}|[A-Ga-g][#b]?-?\d"
_ZONE = re.compile(rf"({_NOTE})-({_NOTE})")


@dataclass(frozen=True)
class ChordKeys:
    """The keys from `low` to `high` (MIDI notes, both included) of `channel` (0 to 15; None: of all)."""

    channel: int | None = None
    low: int = 0
    high: int = 127

    def holds(self, channel: int, note: int) -> bool:
        """Whether this key names chords."""
        return self.channel in (None, channel) and self.low <= note <= self.high

    @classmethod
    def parse(cls, text: str) -> "ChordKeys":
        """Read a channel, `"2"` (1 to 16), or a zone, `"48-72"` or `"C3-C5"` (C4 is 60). UsageError for anything else."""
        if text.isascii() and text.isdecimal() and 1 <= int(text) <= 16:
            return cls(channel=int(text) - 1)
        zone = _ZONE.fullmatch(text)
        low, high = (_note(part) for part in zone.groups()) if zone else (1, 0)
        if not 0 <= low < high <= 127:
            raise UsageError(
                f"{option('chords')}: {text} is not possible, give a channel (1 to 16) or a zone of notes (48-72, C3-C5)"
            )
        return cls(low=low, high=high)


class HeldChord:
    """The keys that are held, and the `chord` that they name; -1 until the first one.

    Two pitch classes or more name a chord (`chords.chord_of` says which); one alone and none leave it as it was, so a chord goes on
    when its keys are let go. While keys are let go a chord may be named of those still held, as where two chords overlap; but if
    all are let go within `RELEASE_S` of that, the chord before holds.
    """

    def __init__(self) -> None:
        self.chord = OWN
        self._held: dict[tuple[int, int], None] = {}
        self._before = OWN
        self._renamed_s = float("-inf")

    def strike(self, channel: int, note: int) -> int | None:
        """A key goes down; return the chord that is named now, None where too few keys are held to name one."""
        self._held[channel, note] = None
        notes = self._notes()
        if len({held % 12 for held in notes}) < 2:
            return None
        self.chord, self._renamed_s = chord_of(notes, self.chord, note), float("-inf")
        return self.chord

    def release(self, channel: int, note: int, now_s: float = 0.0) -> int | None:
        """A key goes up, at `now_s` by any clock; return the chord if it is another now. Of a key that is not held: nothing."""
        if (channel, note) not in self._held:
            return None
        del self._held[channel, note]
        recent = now_s - self._renamed_s < RELEASE_S
        chord = chord_of(self._notes(), self.chord) if self._held else self._before if recent else self.chord
        if chord == self.chord:
            return None
        if self._held and not recent:
            self._before = self.chord
        self.chord, self._renamed_s = chord, now_s if self._held else float("-inf")
        return chord

    def release_all(self, channel: int, now_s: float = 0.0) -> int | None:
        """All keys of `channel` go up at once, as by `release`; return the chord if it is another now."""
        before = self.chord
        for held, note in list(self._held):
            if held == channel:
                self.release(held, note, now_s)
        return None if self.chord == before else self.chord

    def let_go(self) -> None:
        """All keys are up, as after a panic or when the keyboard is pulled; the chord stays."""
        self._held.clear()

    def _notes(self) -> list[int]:
        return [note for _, note in self._held]


def _note(text: str) -> int:
    """A MIDI note from its number or its name; out of 0..127 where the name is."""
    if text.isdecimal():
        return int(text)
    sign = {"#": 1, "b": -1}.get(text[1], 0)
    return 12 * (int(text[1 + abs(sign) :]) + 1) + STEPS[text[0].lower()] + sign
