"""A library that folders name: the first level below the root is the genre, files lie at any depth below it."""

import os
from pathlib import Path

from noizestream.music.formats import is_audio, unsupported
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track
from noizestream.system.files import not_a_file


def read_folders(root: Path) -> Library:
    """Read the tree at `root`: what is hidden or not called like audio is left out, all else that cannot be used is listed."""
    walk = _Walk(root)
    return Library(root.resolve().name, "folders", tuple(walk.tracks), tuple(walk.skipped))


class _Walk:
    """What is really there is read first, links after it: no link takes the place of what it leads to."""

    def __init__(self, root: Path):
        self.tracks: list[Track] = []
        self.skipped: list[Skipped] = []
        self._root, self._real_root = root, os.path.realpath(root)
        self._seen: set[str] = set()
        self._links: list[Path] = []
        self._linked_files: list[Path] = []
        self._read(root)
        for link in self._links:  # which grows meanwhile
            self._read(link)
        for file in self._linked_files:
            self._file(file)

    def _read(self, top: Path) -> None:
        for folder, below, names in os.walk(top, onerror=self._unreadable):
            real = os.path.realpath(folder)
            if reason := self._why_not(real):
                self.skipped.append(Skipped(folder, reason))
                below.clear()
                continue
            self._seen.add(real)
            below[:] = sorted(name for name in below if not name.startswith("."))
            self._links += [Path(folder, name) for name in below if os.path.islink(os.path.join(folder, name))]
            for name in sorted(names):
                file = Path(folder, name)
                if name.startswith("."):
                    continue
                if file.is_symlink():
                    self._linked_files.append(file)
                else:
                    self._file(file)

    def _why_not(self, real: str) -> str:
        if self._seen and (self._real_root == real or self._real_root.startswith(os.path.join(real, ""))):
            return "a link that leads back up"
        return f"read already: leads to {real}" if real in self._seen else ""

    def _unreadable(self, error: OSError) -> None:
        self.skipped.append(Skipped(str(error.filename), f"a folder that cannot be read ({error.strerror})"))

    def _file(self, file: Path) -> None:
        parts = file.relative_to(self._root).parts
        if reason := not_a_file(file):
            if is_audio(file) or file.is_symlink():
                self.skipped.append(Skipped(str(file), reason))
        elif not is_audio(file):
            return  # covers, cue sheets, notes
        elif len(parts) < 2:
            self.skipped.append(Skipped(str(file), "no genre: put it into a folder named after its genre"))
        elif reason := unsupported(file):
            self.skipped.append(Skipped(str(file), reason))
        else:
            self.tracks.append(Track(file, parts[0], title=file.stem))
