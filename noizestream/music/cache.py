"""Features on disk, keyed by what the file holds and how it was prepared; opened memory-mapped, so they cost no memory.

    ROOT/features/KEY/NAME.npy      one array each
    ROOT/features/KEY/entry.json    written last: names, shapes and settings

KEY is a hash of the file's bytes and of the settings, so a renamed file is found again and an edited one is not.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.files import reason
from noizestream.music.tracks import Track

ENTRY = "entry.json"


def cache_root() -> Path:
    """Where caches live: `NOIZESTREAM_CACHE`, else `XDG_CACHE_HOME`/noizestream, else ~/.cache/noizestream."""
    if given := os.environ.get("NOIZESTREAM_CACHE"):
        return Path(given).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "noizestream"


def content_hash(path: str | Path) -> str:
    """SHA-256 of the whole file, as hex (reading a file costs little beside decoding it)."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FeatureCache:
    """Arrays per track for one set of `settings` (anything JSON can hold: rate, sizes, a version to bump when code changes)."""

    def __init__(self, settings: Mapping[str, Any], root: str | Path | None = None):
        self.folder = Path(root).expanduser() / "features" if root is not None else cache_root() / "features"
        self._settings = json.dumps(settings, sort_keys=True)

    def key(self, track: Track, start_s: float = 0.0) -> str:
        """The entry's name for `track`, or for its piece that begins at `start_s`."""
        text = f"{content_hash(track.path)} {start_s:.3f} {self._settings}"
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    def get(self, track: Track, start_s: float = 0.0) -> dict[str, np.ndarray] | None:
        """The arrays, memory-mapped and read-only, or None when there are none or they are damaged: then make them anew."""
        folder = self.folder / self.key(track, start_s)
        try:
            shapes = json.loads((folder / ENTRY).read_text())["arrays"]
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in shapes}
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            return None
        return arrays if all([list(arrays[name].shape) == shapes[name] for name in shapes]) else None

    def put(self, track: Track, arrays: Mapping[str, np.ndarray], start_s: float = 0.0) -> dict[str, np.ndarray]:
        """Store named arrays and return them as `get` would. The entry appears at once and whole, or not at all.

        Raises NoizestreamError when the cache cannot be written.
        """
        target = self.folder / self.key(track, start_s)
        try:
            self._write(target, arrays)
        except OSError as error:
            raise NoizestreamError(
                f"{self.folder}: cannot write the feature cache ({reason(error)}); set NOIZESTREAM_CACHE to a folder with room"
            ) from error
        stored = self.get(track, start_s)
        if stored is None:
            raise NoizestreamError(f"{target}: the cache entry just written cannot be read back; is the disk full or failing?")
        return stored

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
