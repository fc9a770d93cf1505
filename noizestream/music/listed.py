"""A library that a table names: a CSV with the columns path and genre, and split, title, artist and licence where there are any."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from noizestream.errors import NoizestreamError
from noizestream.music import table
from noizestream.music.formats import is_audio, unsupported
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track
from noizestream.system.files import expanded, not_a_file

SPLITS = {"training": "training", "train": "training", "validation": "validation", "valid": "validation", "val": "validation"} | {
    "test": "test"
}


def read_listed(file: Path) -> Library:
    """Read the table `file`. Every row that cannot be used is listed as skipped.

    Raises NoizestreamError when it is no such table.
    """
    if is_audio(file):
        raise NoizestreamError(f"{file}: not a CSV of path,genre but one piece of audio; give a folder with a folder per genre")
    encoding = table.encoding_of(file)
    rows = table.rows(file, encoding)
    _, head = next(rows, (0, []))
    columns = [name.casefold() for name in head]
    if not {"path", "genre"} <= set(columns):
        found = f", not {', '.join(head)[:80]!r}" if head else ", and it is empty"
        raise NoizestreamError(f"{file}: not a CSV of path,genre: its first line must name the columns path and genre{found}")
    tracks: list[Track] = []
    skipped: list[Skipped] = []
    for line, cells in rows:
        place = f"{file} line {line}"
        if any(cells[len(columns) :]):
            reason = f"{len(cells)} cells where the first line names {len(columns)}: put what holds the delimiter into quotes"
            skipped.append(Skipped(place, reason))
            continue
        entry = _track(file.parent, dict(zip(columns, cells, strict=False)), encoding, place)
        if isinstance(entry, Track):
            tracks.append(entry)
        else:
            skipped.append(entry)
    notes = (f"{file}: is not UTF-8, read as Windows-1252",) if encoding == table.WINDOWS else ()
    return Library(file.stem, "csv", tuple(tracks), tuple(skipped), notes)


def _track(folder: Path, row: dict[str, str], encoding: str, place: str) -> Track | Skipped:
    asked, split = row["path"], row.get("split", "").casefold()
    if not asked:
        return Skipped(place, "no path")
    path = next((path for path in _readings(folder, asked, encoding) if not not_a_file(path)), None)
    if path is None:
        named = expanded(asked, folder)
        return Skipped(str(named), not_a_file(named))
    if not row.get("genre"):
        return Skipped(str(path), "no genre")
    if split and split not in SPLITS:
        return Skipped(str(path), f"unknown split {split!r}: give training, validation, test or nothing")
    if reason := unsupported(path):
        return Skipped(str(path), reason)
    licence = row.get("licence", "") or row.get("license", "")
    return Track(path, row["genre"], SPLITS.get(split), row.get("title", "") or path.stem, row.get("artist", ""), licence)


def _readings(folder: Path, text: str, encoding: str) -> Iterator[Path]:
    """What `text` may mean as a path, the likeliest first: relative to `folder`, with a home, of Windows, a URL, in other bytes."""
    if text.casefold().startswith("file:"):
        text = unquote(urlsplit(text).path, errors="surrogateescape")
    for spelled in (text, text.replace("\\", "/")):
        for form in (spelled, *(unicodedata.normalize(form, spelled) for form in ("NFC", "NFD"))):
            yield expanded(form, folder)
    if encoding == table.WINDOWS:  # names of files, as they are on the disk
        yield folder / os.fsdecode(text.encode(encoding, "surrogateescape"))
