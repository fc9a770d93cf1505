"""The Free Music Archive data set's own layout (github.com/mdeff/fma): `fma_metadata/tracks.csv` beside `fma_small` ... `fma_full`.

Audio lies at `fma_X/000/000002.mp3`: six digits, in a folder of the first three. Every subset contains the ones before it.
"""

from pathlib import Path

import pandas as pd

from noizestream.errors import NoizestreamError
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track, plain

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


def read_fma(root: Path) -> Library:
    """Read the tree at `root`. Rows of subsets that are not on disk are left out; every other row that cannot be used is listed.

    Raises NoizestreamError when the table cannot be read or there is no audio folder beside it.
    """
    file = root / "fma_metadata" / "tracks.csv"
    folders = [(subset, root / f"fma_{subset}") for subset in SUBSETS if (root / f"fma_{subset}").is_dir()]
    if not folders:
        raise NoizestreamError(f"{root}: fma_metadata without audio; put fma_small, fma_medium, fma_large or fma_full beside it")
    table = _read_table(file)
    largest = SUBSETS.index(folders[-1][0])
    tracks: list[Track] = []
    skipped: list[Skipped] = []
    for track_id, row in zip(table.index, table.to_dict("records"), strict=True):
        # a subset that is not named (the rest of the archive) is only in fma_full
        level = SUBSETS.index(row["subset"]) if row["subset"] in SUBSETS else len(SUBSETS) - 1
        if level > largest:
            continue
        entry = _track(int(track_id), row, [folder for subset, folder in folders if SUBSETS.index(subset) >= level])
        if isinstance(entry, Track):
            tracks.append(entry)
        else:
            skipped.append(entry)
    return Library(root.resolve().name, "fma", tuple(tracks), tuple(skipped))


def _read_table(file: Path) -> pd.DataFrame:
    """Six columns of text, '' where the cell is empty, indexed by track id."""
    try:
        columns = pd.read_csv(file, header=[0, 1], index_col=0, nrows=0).columns
        absent = [".".join(name) for name in WANTED.values() if name not in columns]
        if absent:
            raise NoizestreamError(f"{file}: not the FMA's table, it lacks {', '.join(absent)}")
        table = pd.read_csv(file, header=[0, 1], index_col=0, low_memory=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        raise NoizestreamError(f"{file}: cannot be read as the FMA's table ({str(error).splitlines()[0]})") from None
    kept = table[list(WANTED.values())].astype(object).where(lambda cells: cells.notna(), "")
    kept.columns = list(WANTED)
    return kept.map(lambda cell: plain(str(cell)))


def _track(track_id: int, row: dict[str, str], folders: list[Path]) -> Track | Skipped:
    name = f"{track_id:06d}"
    places = [folder / name[:3] / f"{name}.mp3" for folder in folders]
    found = next((place for place in places if place.is_file()), None)
    if not row["genre"]:
        return Skipped(str(found or f"track {track_id}"), "no top genre")
    if found is None:
        return Skipped(str(places[0]), "missing file")
    split = row["split"] if row["split"] in SPLITS else None
    return Track(found, row["genre"], split, row["title"], row["artist"], row["licence"])
