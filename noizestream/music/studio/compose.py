"""From a genre's row and a seed to a finished track."""

import zlib
from collections.abc import Sequence

import numpy as np

from noizestream.errors import UsageError
from noizestream.music.studio.effects import centred, master
from noizestream.music.studio.genres import GENRES, Genre, by_name
from noizestream.music.studio.oscillators import Array, frames
from noizestream.music.studio.song import SCALES, Song


def draw(genre: Genre, seed: int | Sequence[int], seconds: float) -> Song:
    """Draw a song of a genre: tempo, key, scale, chord loop and form. The same seed gives the same song."""
    key = (*np.atleast_1d(seed).astype(int).tolist(), zlib.crc32(genre.name.encode()))
    rng = np.random.default_rng(key)
    return Song(
        key=key,
        bpm=round(float(rng.uniform(*genre.tempo)), 2),
        metre=genre.metre,
        root=int(rng.integers(genre.root[0], genre.root[1] + 1)),
        scale=SCALES[str(rng.choice(genre.scales))],
        chords=genre.progressions[int(rng.integers(len(genre.progressions)))],
        form=genre.forms[int(rng.integers(len(genre.forms)))],
        length=max(1, frames(seconds)),
    )


def perform_song(genre: Genre, song: Song) -> Array:
    """Play, mix and master a song: float32 [2, song.length] at 48 kHz, in -1..1."""
    stems = {part: getattr(genre, part)(song) for part in ("bass", "chords", "lead", "drums")}
    return master(centred(genre.effects(song, stems)), genre.rms_db)


def compose(genre_name: str, seed: int | Sequence[int], seconds: float) -> Array:
    """A track of a genre: float32 [2, n] at 48 kHz, n = `seconds` to the nearest frame. The first downbeat is at frame 0 and
    the tempo is constant. `seed` is one non-negative integer or several; the same gives the same samples.

    Raises UsageError for an unknown genre or a length that is not positive.
    """
    names = [row.name for row in GENRES]
    if genre_name not in names:
        raise UsageError(f"{genre_name}: no such studio genre, choose one of {', '.join(names)}")
    if not seconds > 0:
        raise UsageError(f"seconds: {seconds:g} is not a length, give more than 0")
    genre = by_name(genre_name)
    return perform_song(genre, draw(genre, seed, seconds))
