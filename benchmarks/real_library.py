"""A library of real music for benchmarks/real.py: four genres from Debian's packages of music, split by track.

    python benchmarks/real_library.py LIB [--packages DIR]

    LIB/packages/PACKAGE/          what was fetched (`apt-get download`, 360 MB) and unpacked (`dpkg -x`); nothing is installed
    LIB/learn/GENRE/               18.5 minutes or more a genre, as links to the files as they came: Ogg Vorbis and Opus
    LIB/held_out/GENRE/            other tracks of the same albums, 8 minutes or more
    LIB/library.json               which track is where, its length and its album

The split is drawn by the hash of the names, album after album in turn, so it is the same everywhere and nobody chose it. Left out
are stingers, tracks of more than `LONGEST_S` (two of them would be a whole side) and second versions of a piece, as one of the pair
would be held out of what was learned from the other. Needs apt-get, dpkg and a Debian (or Ubuntu) that has the packages, or
`--packages` with the .deb files or with a folder per package.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.program import run  # noqa: E402
from noizestream.errors import NoizestreamError, UsageError  # noqa: E402
from noizestream.music.decode import header_seconds  # noqa: E402
from noizestream.music.formats import SUPPORTED  # noqa: E402
from noizestream.system.jsonfile import write_json  # noqa: E402

PACKAGES = {
    "ambient": "singularity-music",
    "electronic": "nexuiz-music",
    "industrial": "warzone2100-music",
    "orchestral": "wesnoth-1.16-music",
}
SHORTEST_S, LONGEST_S = 45.0, 450.0
AGAIN = {"frantic-old", "menu_enhanced", "sixtyfour_revisited", "track3_enhanced"}
"""Second versions of pieces that are there as well: `frantic`, `menu`, `sixtyfour_`, `track3`."""
LEARN_MIN = (18.5, 20.5)
HELD_OUT_MIN = (8.0, 11.0)
"""A side is full at the first number of minutes; a track that would bring it over the second is passed over while others fit."""
SIDES = {"held_out": HELD_OUT_MIN, "learn": LEARN_MIN}
RECORD = "library.json"


@dataclass(frozen=True)
class Candidate:
    """An audio file of a package; `album` is the folder that it lies in."""

    path: Path
    album: str
    seconds: float


def candidates(folder: Path) -> list[Candidate]:
    """The tracks under `folder` that either side may have, in the order of the draw: the albums in turn."""
    albums: dict[str, list[Candidate]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUPPORTED and path.is_file() and path.stem not in AGAIN:
            found = Candidate(path, path.parent.name, header_seconds(path))
            if SHORTEST_S <= found.seconds <= LONGEST_S:
                albums.setdefault(found.album, []).append(found)
    drawn = [sorted(tracks, key=lambda track: hashlib.sha256(track.path.name.encode()).digest()) for tracks in albums.values()]
    return [track for track in chain.from_iterable(zip_longest(*drawn)) if track is not None]


def split(tracks: Sequence[Candidate], sides: Mapping[str, tuple[float, float]] = SIDES) -> dict[str, list[Candidate]]:
    """Side -> its tracks; no track is on two. The sides are filled in order. NoizestreamError when `tracks` are too few."""
    left, result = list(tracks), {}
    for side, (least, most) in sides.items():
        chosen: list[Candidate] = []
        for limit in (most, float("inf")):  # the second time round only what is still missing, at any length
            for track in left:
                if minutes(chosen) < least and track not in chosen and minutes([*chosen, track]) <= limit:
                    chosen.append(track)
        if minutes(chosen) < least:
            where = tracks[0].path.parent if tracks else "the package"
            raise NoizestreamError(f"{where}: {minutes(tracks):.0f} minutes of usable tracks are too few to split")
        left = [track for track in left if track not in chosen]
        result[side] = chosen
    return result


def minutes(tracks: Iterable[Candidate]) -> float:
    """Their length together."""
    return sum(track.seconds for track in tracks) / 60


def lay_out(library: Path, folders: Mapping[str, Path]) -> dict[str, dict[str, list[dict]]]:
    """Split genre -> `folders` and link the tracks into `library`; what was laid out before is laid out anew.

    Returns what library.json holds: side -> genre -> `{"file", "album", "seconds"}` of every track. NoizestreamError when the
    place is taken by something else, or when a genre has too little music.
    """
    chosen = {genre: split(candidates(folder)) for genre, folder in folders.items()}
    for side in SIDES:
        if (library / side).exists():
            if not (library / RECORD).is_file():
                raise NoizestreamError(f"{library / side}: is there already and not from here; give --library an empty folder")
            shutil.rmtree(library / side)
    result: dict[str, dict[str, list[dict]]] = {side: {} for side in SIDES}
    for genre, sides in chosen.items():
        for side, tracks in sides.items():
            (library / side / genre).mkdir(parents=True)
            for track in tracks:
                (library / side / genre / f"{track.album} {track.path.name}").symlink_to(track.path.resolve())
            result[side][genre] = [{"file": track.path.name} | _plain(track) for track in tracks]
    write_json(library / RECORD, result)
    return result


def _plain(track: Candidate) -> dict:
    return {name: value for name, value in asdict(track).items() if name != "path"}


def unpacked(library: Path, given: Path | None) -> dict[str, Path]:
    """Genre -> folder of its package: from `given` (folders or .deb files) or fetched into `library`, with zips unpacked too."""
    return {
        genre: _with_zips(package, _folder(package, library / "packages", given), library) for genre, package in PACKAGES.items()
    }


def _folder(package: str, home: Path, given: Path | None) -> Path:
    for place in (given, home):
        if place is not None and (place / package).is_dir():
            return place / package
    home.mkdir(parents=True, exist_ok=True)
    if given is None:
        _call(["apt-get", "download", package], home, f"fetch {package} elsewhere and give its folder with --packages")
    debs = sorted((given or home).glob(f"{package}_*.deb"))
    if not debs:
        raise NoizestreamError(f"{given or home}: has neither a folder {package} nor {package}_*.deb")
    part = home / f".{package}"  # a folder with the right name is whole
    shutil.rmtree(part, ignore_errors=True)
    _call(["dpkg", "-x", str(debs[-1].resolve()), str(part.resolve())], home, f"unpack it by hand into {home / package}")
    part.rename(home / package)
    if given is None:
        debs[-1].unlink()
    return home / package


def _with_zips(package: str, folder: Path, home: Path) -> Path:
    """`folder`, or where its audio was in a .pk3 (a zip) the place that it was unpacked to."""
    archives = sorted(folder.rglob("*.pk3"))
    if not archives:
        return folder
    target = home / f"{package}-pk3"
    for archive in archives:
        with zipfile.ZipFile(archive) as inside:
            wanted = [name for name in inside.namelist() if Path(name).suffix.lower() in SUPPORTED]
            inside.extractall(target, [name for name in wanted if not (target / name).is_file()])
    return target


def _call(line: list[str], folder: Path, otherwise: str) -> None:
    try:
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise NoizestreamError(f"{line[0]} is not installed; {otherwise}") from None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NoizestreamError(f"{' '.join(line[:3])} failed ({why}); {otherwise}")


def default_folder() -> Path:
    """In the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "noizestream-real"


def make(library: Path, packages: Path | None = None) -> dict[str, dict[str, list[dict]]]:
    """Fetch and lay out the library at `library`, and return what library.json holds."""
    if packages is not None and not packages.is_dir():
        raise UsageError(f"--packages: {packages} is no folder")
    try:
        library.mkdir(parents=True, exist_ok=True)
        return lay_out(library, unpacked(library, packages))
    except OSError as error:
        raise NoizestreamError(f"{library}: cannot be laid out ({error.strerror}); give a folder with room for 1 GB") from None


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("library", type=Path, nargs="?", default=default_folder())
    parser.add_argument("--packages", type=Path, metavar="DIR", help=".deb files, or a folder per package, that are there already")
    asked = parser.parse_args(arguments)
    made = make(asked.library, asked.packages)
    for side, genres in made.items():
        for genre, tracks in genres.items():
            names = ", ".join(f"{track['file']} {track['seconds'] / 60:.1f}" for track in tracks)
            print(f"{side:8} {genre:10} {sum(track['seconds'] for track in tracks) / 60:4.1f} min: {names}")


if __name__ == "__main__":
    run(main)
