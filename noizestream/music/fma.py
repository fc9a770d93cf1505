"""The Free Music Archive data set's own layout (github.com/mdeff/fma): `fma_metadata/tracks.csv` beside `fma_small` ... `fma_full`.

Audio lies at `fma_X/000/000002.mp3`: six digits, in a folder of the first three. Every subset contains the ones before it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from noizestream.errors import NoizestreamError
from noizestream.music import table
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track
from noizestream.system.files import not_a_file

TABLE = Path("fma_metadata", "tracks.csv")
SUBSETS = ("small", "medium", "large", "full")
WANTED = {
    "split": ("set", "split"),
    "subset": ("set", "subset"),
    "genre": ("track", "genre_top"),
    "title": ("track", "title"),
    "licence": ("track", "license"),
    "artist": ("artist", "name"),
}
SPLITS = frozenset({"training", "validation", "test"})
MOST_DIGITS = 18


def read_fma(root: Path) -> Library:
    """Read the tree at `root`. Rows of subsets that are not on disk are left out; every other row that cannot be used is listed.

    Raises NoizestreamError when the table cannot be read or there is no audio folder beside it.
    """
    file = root / TABLE
    folders = {level: root / f"fma_{subset}" for level, subset in enumerate(SUBSETS) if (root / f"fma_{subset}").is_dir()}
    if not folders:
        raise NoizestreamError(f"{root}: fma_metadata without audio; put fma_small, fma_medium, fma_large or fma_full beside it")
    rows = table.rows(file, table.encoding_of(file))
    heads = [next(rows, (0, []))[1] for _ in range(2)]
    columns = list(zip(*heads, strict=False))
    if absent := [".".join(name) for name in WANTED.values() if name not in columns]:
        raise NoizestreamError(f"{file}: not the FMA's table, it lacks {', '.join(absent)}")
    places = {what: columns.index(name) for what, name in WANTED.items()}
    tracks: list[Track] = []
    skipped: list[Skipped] = []
    for line, cells in rows:
        if cells[0] == "track_id":  # the third line of the head
            continue
        entry = _track(cells, len(columns), places, folders)
        if isinstance(entry, Track):
            tracks.append(entry)
        elif entry is not None:
            skipped.append(Skipped(entry.item or f"{file} line {line}", entry.reason))
    return Library(root.resolve().name, "fma", tuple(tracks), tuple(skipped))


def _track(cells: Sequence[str], columns: int, places: Mapping[str, int], folders: Mapping[int, Path]) -> Track | Skipped | None:
    """What a row says; `Skipped` without an item where it names no track, None where its subset is not on disk."""
    if not (cells[0].isascii() and cells[0].isdecimal() and len(cells[0]) <= MOST_DIGITS):
        return Skipped("", f"no track id: {cells[0][:40]!r}")
    number = f"{int(cells[0]):06d}"
    if len(cells) <= max(places.values()) or any(cells[columns:]):
        return Skipped(f"track {int(number)}", f"{len(cells)} cells where the head has {columns}")
    row = {what: cells[place] for what, place in places.items()}
    # a subset that is not named (the rest of the archive) is only in fma_full
    level = SUBSETS.index(row["subset"]) if row["subset"] in SUBSETS else len(SUBSETS) - 1
    candidates = [folder / number[:3] / f"{number}.mp3" for larger, folder in folders.items() if larger >= level]
    if not candidates:
        return None
    found = next((file for file in candidates if not not_a_file(file)), None)
    if not row["genre"]:
        return Skipped(str(found or f"track {int(number)}"), "no top genre")
    if found is None:
        return Skipped(str(candidates[0]), not_a_file(candidates[0]))
    split = row["split"] if row["split"] in SPLITS else None
    return Track(found, row["genre"], split, row["title"], row["artist"], row["licence"])
