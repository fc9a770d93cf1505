"""A labelled library: which audio files there are, and which genre and split each belongs to. Nothing is decoded here.

Three layouts: a folder per genre, a Free Music Archive tree (`fma.py`), a CSV of path,genre.
"""

import csv
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from noizestream.errors import NoizestreamError, UsageError
from noizestream.files import not_a_file
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track, plain

SUPPORTED = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"})
"""Extensions that libsndfile reads."""
FFMPEG_ONLY = frozenset({".m4a", ".mp4", ".aac", ".wma", ".ape", ".wv"})
"""Extensions that are read only where the `ffmpeg` program is installed, and listed as skipped elsewhere."""
SPLITS = {"training": "training", "train": "training", "validation": "validation", "valid": "validation", "val": "validation"} | {
    "test": "test"
}


def read_library(path: str | Path, genres: Iterable[str] | None = None) -> Library:
    """Read the library at `path`; with `genres` (any case) only those.

    Raises NoizestreamError when there is nothing at `path` or no audio in it, UsageError when a genre asked for is not there.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise NoizestreamError(f"{path}: no such folder or CSV file")
    if not path.is_dir() and (why := not_a_file(path)):
        raise NoizestreamError(f"{path}: {why}; give a folder or a CSV file")
    if path.is_file():
        library = _read_csv(path)
    elif (path / "fma_metadata" / "tracks.csv").is_file():
        from noizestream.music.fma import read_fma  # pandas is slow to import

        library = read_fma(path)
    else:
        library = _read_folders(path)
    if not library.tracks:
        why = f" ({len(library.skipped)} entries skipped, the first: {library.skipped[0].reason})" if library.skipped else ""
        raise NoizestreamError(f"{path}: no audio to learn from{why}; give a folder per genre, an FMA tree or a CSV of path,genre")
    return library if genres is None else _only(library, genres)


def unsupported(path: Path) -> str:
    """Why a file cannot be decoded here, or '' when it can: judged by its extension, and by whether it is a file at all."""
    extension = path.suffix.lower()
    if (why := not_a_file(path)) and path.exists():
        return why
    if extension in SUPPORTED:
        return ""
    if extension in FFMPEG_ONLY:
        return "" if shutil.which("ffmpeg") else f"{extension[1:]} needs ffmpeg installed (or convert it to flac)"
    return f"not an audio format that is read here ({extension or 'no extension'})"


def _only(library: Library, genres: Iterable[str]) -> Library:
    known = {genre.casefold(): genre for genre in library.genres}
    wanted = set()
    for genre in map(plain, genres):
        if genre.casefold() not in known:
            raise UsageError(f"genre {genre!r} is not in {library.name}; it has {', '.join(library.genres)}")
        wanted.add(known[genre.casefold()])
    return Library(library.name, library.kind, tuple(t for t in library.tracks if t.genre in wanted), library.skipped)


def _read_folders(root: Path) -> Library:
    tracks, skipped, seen = [], [], set[str]()
    for folder, below, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        below[:] = sorted(name for name in below if not name.startswith("."))
        if real in seen:  # a link that leads back up
            below.clear()
            continue
        seen.add(real)
        parts = Path(folder).relative_to(root).parts
        for name in sorted(names):
            file = Path(folder, name)
            if name.startswith(".") or file.suffix.lower() not in SUPPORTED | FFMPEG_ONLY:
                continue  # covers, cue sheets, notes
            if not parts:
                skipped.append(Skipped(str(file), "no genre: put it into a folder named after its genre"))
            elif reason := unsupported(file):
                skipped.append(Skipped(str(file), reason))
            else:
                tracks.append(Track(file, plain(parts[0]), title=plain(file.stem)))
    return Library(root.resolve().name, "folders", tuple(tracks), tuple(skipped))


def _read_csv(file: Path) -> Library:
    tracks: list[Track] = []
    skipped: list[Skipped] = []
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines, skipinitialspace=True)
            columns = [(name or "").strip().lower() for name in rows.fieldnames or []]
            if "path" not in columns or "genre" not in columns:
                raise NoizestreamError(f"{file}: not a CSV of path,genre: its first line must name the columns path and genre")
            rows.fieldnames = columns
            for row in rows:
                entry = _csv_track(file.parent, {key: plain(value or "") for key, value in row.items() if key})
                if isinstance(entry, Track):
                    tracks.append(entry)
                else:
                    skipped.append(entry)
    except (UnicodeDecodeError, csv.Error) as error:
        raise NoizestreamError(f"{file}: not a CSV of path,genre in UTF-8 ({error})") from None
    return Library(file.stem, "csv", tuple(tracks), tuple(skipped))


def _csv_track(folder: Path, row: dict[str, str]) -> Track | Skipped:
    path = folder / Path(row["path"]).expanduser()
    split = row.get("split", "").lower()
    if not row["path"] or not_a_file(path):
        return Skipped(str(path), not_a_file(path) or "missing file")
    if not row["genre"]:
        return Skipped(str(path), "no genre")
    if split and split not in SPLITS:
        return Skipped(str(path), f"unknown split {split!r}: give training, validation, test or nothing")
    if reason := unsupported(path):
        return Skipped(str(path), reason)
    licence = row.get("licence", "") or row.get("license", "")
    return Track(path, row["genre"], SPLITS.get(split), row.get("title", "") or path.stem, row.get("artist", ""), licence)
