"""What a labelled library is made of: tracks with their genre and split, and what was left out."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from noizestream.music.skipped import Skipped


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
    """A genre's name as it is shown and compared: trimmed, composed (macOS stores folder names decomposed)."""
    return unicodedata.normalize("NFC", name).strip()
