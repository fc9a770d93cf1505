"""A labelled library: which audio files there are, and which genre and split each belongs to. Nothing is decoded here.

Three layouts: a folder per genre (`folders.py`), a Free Music Archive tree (`fma.py`), a CSV of path,genre (`listed.py`).
"""

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.modelfile.genres import find, key, parts, plain
from noizestream.music.fma import TABLE, read_fma
from noizestream.music.folders import read_folders
from noizestream.music.listed import read_listed
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track
from noizestream.system.files import expanded, look, not_a_file


def read_library(path: str | Path, genres: Iterable[str] | None = None) -> Library:
    """Read the library at `path`; with `genres` only those, one or several of them, with commas between, in each text.

    Genres that are the same but for case, white space or Unicode form become one, which `notes` says; of a file that is there
    twice the first is used and the other listed. Raises NoizestreamError when there is nothing at `path` or no audio in it,
    UsageError when a genre asked for is not there.
    """
    path = expanded(path)
    found = look(path)
    if found is None:
        raise NoizestreamError(f"{path}: no such folder or CSV file")
    if stat.S_ISDIR(found.st_mode):
        library = (read_fma if os.path.isfile(path / TABLE) else read_folders)(path)
    elif why := not_a_file(path):
        raise NoizestreamError(f"{path}: {why}; give a folder or a CSV file")
    else:
        library = read_listed(path)
    library = _merged(_once(library))
    if not library.tracks:
        why = f" ({len(library.skipped)} entries skipped, the first: {library.skipped[0].reason})" if library.skipped else ""
        raise NoizestreamError(f"{path}: no audio to learn from{why}; give a folder per genre, an FMA tree or a CSV of path,genre")
    return library if genres is None else _only(library, genres)


def _once(library: Library) -> Library:
    """Every file once, however many names and links lead to it."""
    known: dict[object, Track] = {}
    skipped = list(library.skipped)
    for track in library.tracks:
        first = known.setdefault(_identity(track.path), track)
        if first is not track:
            what = [] if track.path == first.path else [f"it is the file {first.path}"]
            what += [] if track.genre == first.genre else [f"it is of genre {plain(first.genre)}"]
            skipped.append(Skipped(str(track.path), f"listed twice: {', '.join(what)}" if what else "listed twice"))
    return replace(library, tracks=tuple(known.values()), skipped=tuple(skipped))


def _identity(path: Path) -> object:
    status = path.stat()
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)


def _merged(library: Library) -> Library:
    """Genres by the names that are shown, the commonest spelling of each. Tracks of a genre without a name are listed."""
    spellings: dict[str, Counter[str]] = {}
    for track in library.tracks:
        spellings.setdefault(key(track.genre), Counter())[track.genre] += 1
    shown: dict[str, str] = {}
    notes = list(library.notes)
    for same, counted in spellings.items():
        chosen = plain(counted.most_common(1)[0][0])
        shown |= dict.fromkeys(counted, chosen if same else "")
        if same and len(counted) > 1:
            others = sorted({plain(name) for name in counted} - {chosen})
            what = f"{', '.join(others)}: the same genre as {chosen}"
            notes.append(what if others else f"{chosen}: one genre, spelled in {len(counted)} ways that look alike")
    tracks = tuple(_shown(track, shown[track.genre]) for track in library.tracks if shown[track.genre])
    blank = [Skipped(str(track.path), "no genre: its name is blank") for track in library.tracks if not shown[track.genre]]
    return replace(library, tracks=tracks, skipped=(*library.skipped, *blank), notes=tuple(notes))


def _shown(track: Track, genre: str) -> Track:
    title, artist, licence = map(plain, (track.title, track.artist, track.licence))
    return replace(track, genre=genre, title=title, artist=artist, licence=licence)


def _only(library: Library, asked: Iterable[str]) -> Library:
    wanted = set()
    known = library.genres
    for text in asked:
        for name in [text] if find(text, known) is not None else parts(text, known):
            number = find(name, known)
            if number is None:
                raise UsageError(f"genre {name!r} is not in {library.name}; it has {', '.join(known)}")
            wanted.add(known[number])
    if not wanted:
        raise UsageError(f"{option('genres')}: names no genre; {library.name} has {', '.join(known)}")
    return replace(library, tracks=tuple(track for track in library.tracks if track.genre in wanted))
