"""What a labelled library is made of: tracks with their genre and split, and what was left out."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noizestream.music.skipped import Skipped
from noizestream.names import one_line

MANY_TRACKS = 8
"""From so many tracks of a genre on, whole tracks are held out: the end of a track is too much like the rest of it."""


@dataclass(frozen=True)
class Track:
    """One usable entry. `split` is 'training', 'validation', 'test', or None where the library has none (then it trains)."""

    path: Path
    genre: str
    split: str | None = None
    title: str = ""
    artist: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Library:
    """`kind` is 'folders', 'fma' or 'csv'; `skipped` is what was left out before any decoding, with the reasons."""

    name: str
    kind: str
    tracks: tuple[Track, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def genres(self) -> tuple[str, ...]:
        """Genres that have at least one track, sorted."""
        return tuple(sorted({track.genre for track in self.tracks}))

    def of(self, *splits: str | None) -> tuple[Track, ...]:
        """The tracks of the given splits; None stands for tracks without one."""
        return tuple(track for track in self.tracks if track.split in splits)


def plain(name: str) -> str:
    """A genre's name as it is shown and compared: trimmed, composed (macOS stores folder names decomposed), text in one line."""
    return one_line(unicodedata.normalize("NFC", name).strip())


def set_aside(tracks: Sequence[Track], share: float) -> set[Track]:
    """Of one genre's `tracks` about `share`, spread over the list, to hold out as wholes; none of fewer than `MANY_TRACKS`.

    Training and evaluation both ask here, so that what is held out of one is held out of the other.
    """
    if len(tracks) < MANY_TRACKS:
        return set()
    count = max(1, round(share * len(tracks)))
    return {tracks[round((i + 0.5) * len(tracks) / count) - 1] for i in range(count)}
