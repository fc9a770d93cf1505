"""THE table of genres: one row each. A new genre is a row here and a module of part functions in `styles`."""

from collections.abc import Callable
from dataclasses import dataclass

from noizestream.music.studio.oscillators import Array
from noizestream.music.studio.song import Song
from noizestream.music.studio.styles import ambient, breaks, chiptune, drone, dub, techno

Part = Callable[[Song], Array]
"""A song in, its stem out: float32 [2, song.length]."""


@dataclass(frozen=True)
class Genre:
    """One kind of music.

    `tempo` is the range in BPM, `metre` beats a bar, `root` the range of the lowest root (MIDI pitch), `progressions` chord
    loops in scale degrees, one a bar. `forms` say what sounds: a letter per layer (D drums, d light drums, B bass, C chords,
    L lead) for blocks of four bars; the first block is the beginning, the rest go round. `pulsed` genres have a beat to find.
    """

    name: str
    help: str
    pulsed: bool
    tempo: tuple[float, float]
    metre: int
    scales: tuple[str, ...]
    root: tuple[int, int]
    progressions: tuple[tuple[int, ...], ...]
    forms: tuple[tuple[str, ...], ...]
    rms_db: float
    bass: Part
    chords: Part
    lead: Part
    drums: Part
    effects: Callable[[Song, dict[str, Array]], Array]


def _row(name: str, style, **row) -> Genre:  # type: ignore[no-untyped-def]
    parts = {part: getattr(style, part) for part in ("bass", "chords", "lead", "drums", "effects")}
    return Genre(name=name, help=style.__doc__.split("\n")[0], **row, **parts)


GENRES = (
    _row(
        "ambient",
        ambient,
        pulsed=False,
        tempo=(58, 62),
        metre=4,
        scales=("major", "lydian", "dorian"),
        root=(33, 40),
        progressions=((0, 0, 4, 4), (0, 0, 5, 5, 3, 3, 4, 4), (0, 0, 3, 3), (0, 0, 1, 1, 5, 5, 3, 3)),
        forms=(("CB", "CBL"), ("CL", "CBL", "CB")),
        rms_db=-18.0,
    ),
    _row(
        "breaks",
        breaks,
        pulsed=True,
        tempo=(104, 112),
        metre=4,
        scales=("minor", "dorian"),
        root=(31, 38),
        progressions=((0, 0, 5, 4), (0, 3, 5, 4), (0, 0, 3, 5), (0, 5, 3, 6)),
        forms=(("DC", "DBC", "DBCL", "DBCL", "dCL", "DBC"), ("dC", "DBC", "DBC", "DBCL", "DBL", "dC")),
        rms_db=-17.0,
    ),
    _row(
        "chiptune",
        chiptune,
        pulsed=True,
        tempo=(145, 155),
        metre=4,
        scales=("major", "minor", "mixolydian"),
        root=(36, 45),
        progressions=((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 6, 4), (5, 3, 0, 4)),
        forms=(("DBC", "DBCL", "DBCL", "dCL", "DBL"), ("DBL", "DBCL", "dBC", "DBCL")),
        rms_db=-17.0,
    ),
    _row(
        "drone",
        drone,
        pulsed=False,
        tempo=(60, 60),
        metre=4,
        scales=("minor",),
        root=(26, 36),
        progressions=((0,),),
        forms=(("BCLD", "BCLD"),),
        rms_db=-18.0,
    ),
    _row(
        "dub",
        dub,
        pulsed=True,
        tempo=(72, 78),
        metre=4,
        scales=("minor", "dorian"),
        root=(29, 36),
        progressions=((0, 0, 3, 3), (0, 3, 0, 4), (0, 6, 0, 6), (0, 0, 3, 4)),
        forms=(("DBC", "DBCL", "DBC", "dB"), ("DBC", "DBC", "DBCL", "dBL")),
        rms_db=-17.0,
    ),
    _row(
        "techno",
        techno,
        pulsed=True,
        tempo=(126, 134),
        metre=4,
        scales=("minor", "phrygian"),
        root=(31, 38),
        progressions=((0, 0, 0, 0), (0, 0, 5, 5), (0, 0, 0, 1), (0, 0, 3, 5)),
        forms=(("DB", "DBC", "DBCL", "DBCL", "dCL", "DBCL"), ("DC", "DBC", "DBL", "dC", "DBCL", "DBCL")),
        rms_db=-17.0,
    ),
)
"""All genres, by name."""


def by_name(name: str) -> Genre:
    """Return the row called `name`; KeyError if there is none."""
    return {row.name: row for row in GENRES}[name]
