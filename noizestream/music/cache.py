"""Features on disk, keyed by what the file holds and how it was prepared; opened only while they are read.

    ROOT/features/KEY/NAME.npy      one array each
    ROOT/features/KEY/entry.json    written last: names, shapes and settings

KEY is a hash of the file's bytes and of the settings, so a renamed file is found again and an edited one is not.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.music.tracks import Track
from noizestream.system.files import expanded, home, reason

ENTRY = "entry.json"
SMALL = 64 * 1024
"""Bytes: arrays up to this size stay in memory once they have been read."""


def cache_root() -> Path:
    """Where caches live: `NOIZESTREAM_CACHE`, else `XDG_CACHE_HOME`/noizestream, else ~/.cache/noizestream.

    NoizestreamError as for `files.home`.
    """
    if given := os.environ.get("NOIZESTREAM_CACHE"):
        return expanded(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given, "noizestream")
    return Path(home(), ".cache", "noizestream")


def content_hash(path: str | Path) -> str:
    """SHA-256 of the whole file, as hex (reading a file costs little beside decoding it)."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Entry(Mapping[str, np.ndarray]):
    """The named arrays of one entry, read-only. No file stays open for it, whatever the library's size.

    Small arrays are read and kept; a large one is mapped anew at every access and given back as soon as nobody holds it.
    """

    def __init__(self, folder: Path, shapes: Mapping[str, list[int]]):
        self.folder, self.shapes = folder, {name: tuple(shape) for name, shape in shapes.items()}
        self._kept: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name in self._kept:
            return self._kept[name]
        if name not in self.shapes:
            raise KeyError(name)
        array = np.load(self.path(name), mmap_mode="r", allow_pickle=False)
        if array.nbytes <= SMALL:
            array = np.array(array)
            array.flags.writeable = False
            self._kept[name] = array
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def path(self, name: str) -> Path:
        """The file that holds an array."""
        return self.folder / f"{name}.npy"

    def rows(self, name: str) -> int:
        """The length of an array's first axis, without a look into its file."""
        return self.shapes[name][0]

    def whole(self) -> bool:
        """Whether every array is there, in the shape that the entry says."""
        try:
            return all(np.load(self.path(name), mmap_mode="r", allow_pickle=False).shape == self.shapes[name] for name in self)
        except (OSError, ValueError, EOFError):
            return False


class FeatureCache:
    """Arrays per track for one set of `settings` (anything JSON can hold: rate, sizes, a version to bump when code changes)."""

    def __init__(self, settings: Mapping[str, Any], root: str | Path | None = None):
        self.folder = expanded(root) / "features" if root is not None else cache_root() / "features"
        self._settings = json.dumps(settings, sort_keys=True)
        self._hashes: dict[tuple[Path, int, int], str] = {}

    def key(self, track: Track, part: str = "") -> str:
        """The entry's name for `track`, or for a `part` of it (any text)."""
        text = f"{self._hash(track.path)} {part} {self._settings}"
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    def get(self, track: Track, part: str = "") -> Entry | None:
        """The arrays, or None when there are none or they are damaged: then make them anew. OSError if the track is gone."""
        folder = self.folder / self.key(track, part)
        try:
            entry = Entry(folder, json.loads((folder / ENTRY).read_text())["arrays"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return entry if entry.whole() else None

    def put(self, track: Track, arrays: Mapping[str, np.ndarray], part: str = "") -> Entry:
        """Store named arrays and return them as `get` would. The entry appears at once and whole, or not at all.

        Raises NoizestreamError when the cache cannot be written.
        """
        target = self.folder / self.key(track, part)
        try:
            self._write(target, arrays)
        except OSError as error:
            raise NoizestreamError(
                f"{self.folder}: cannot write the feature cache ({reason(error)}); set NOIZESTREAM_CACHE to a folder with room"
            ) from error
        stored = self.get(track, part)
        if stored is None:
            raise NoizestreamError(f"{target}: the cache entry just written cannot be read back; is the disk full or failing?")
        return stored

    def _hash(self, path: Path) -> str:
        state = os.stat(path)
        known = (path, state.st_size, state.st_mtime_ns)
        if known not in self._hashes:
            self._hashes[known] = content_hash(path)
        return self._hashes[known]

    def _write(self, target: Path, arrays: Mapping[str, np.ndarray]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=self.folder))
        try:
            for name, array in arrays.items():
                np.save(partial / f"{name}.npy", array, allow_pickle=False)
            shapes = {name: list(array.shape) for name, array in arrays.items()}
            (partial / ENTRY).write_text(json.dumps({"arrays": shapes, "settings": json.loads(self._settings)}))
            shutil.rmtree(target, ignore_errors=True)  # a damaged entry; os.replace wants the place empty
            try:
                os.replace(partial, target)
            except OSError:
                if not (target / ENTRY).is_file():  # another process may have been first: its entry is as good
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)


class PieceCache:
    """Pieces of tracks in `cache`. Which pieces there are of a track is an entry of its own, written when all are there.

    `cut` names the way in which tracks are cut into pieces: the same track cut in another way is another set of pieces.
    """

    def __init__(self, cache: FeatureCache, cut: str = ""):
        self._cache, self._cut = cache, cut
        self._starts: dict[Track, list[float]] = {}

    def get(self, track: Track) -> list[tuple[float, Entry]]:
        """(start in seconds, arrays) of every piece of `track`, or nothing if any is missing."""
        try:
            index = self._cache.get(track, f"{self._cut} pieces")
            pieces = [(start, self._cache.get(track, self._part(start))) for start in map(float, index["starts"])] if index else []
        except OSError:  # the file itself is gone or unreadable: decoding will say why
            return []
        found = [(start, arrays) for start, arrays in pieces if arrays is not None]
        return found if len(found) == len(pieces) else []

    def put(self, track: Track, start_s: float, arrays: Mapping[str, np.ndarray]) -> Entry:
        """Store a piece; NoizestreamError when the cache cannot be written."""
        self._starts.setdefault(track, []).append(start_s)
        return self._cache.put(track, arrays, self._part(start_s))

    def close(self, track: Track) -> None:
        """Say that all pieces of `track` that can be used have been put."""
        if track in self._starts:
            self._cache.put(track, {"starts": np.array(self._starts.pop(track))}, f"{self._cut} pieces")

    def _part(self, start_s: float) -> str:
        return f"{self._cut} {start_s:.3f}"
