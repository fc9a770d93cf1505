"""Writing sound files: 24-bit WAV or FLAC, streamed, whole or not at all. Needs no torch."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from noizestream import files
from noizestream.errors import NoizestreamError, UsageError
from noizestream.files import whole

if TYPE_CHECKING:
    import soundfile

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
SUBTYPE = "PCM_24"


def check_output(path: str | Path) -> Path:
    """Return `path` if audio can be written there; UsageError for an ending we do not write, NoizestreamError for no folder."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: give a name that ends in {' or '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise NoizestreamError(f"{path}: the folder {path.parent} does not exist")
    if path.is_dir():
        raise NoizestreamError(f"{path}: is a folder, give a file name")
    return path


@contextlib.contextmanager
def sound_file(path: str | Path, sample_rate: int, channels: int) -> "Iterator[soundfile.SoundFile]":
    """Open `path` for streaming. It gets its name only when the `with` block ends well, so nothing half-written stays behind."""
    import soundfile

    path = check_output(path)
    form = FORMATS[path.suffix.lower()]
    try:
        with whole(path) as partial, soundfile.SoundFile(partial, "w", sample_rate, channels, SUBTYPE, format=form) as file:
            yield file
    except (OSError, soundfile.LibsndfileError) as error:
        raise NoizestreamError(f"{path}: cannot be written ({reason(error)})") from None


def reason(error: BaseException) -> str:
    """Why a sound file could not be written. libsndfile says "System error"; the system's own number was kept by cffi."""
    import soundfile

    number = 0 if isinstance(error, OSError) else soundfile._ffi.errno
    return os.strerror(number) if number else files.reason(error)
