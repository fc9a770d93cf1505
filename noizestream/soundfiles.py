"""Sound files: opened whatever their names are; written as 24-bit WAV or FLAC, streamed, whole or not at all. Needs no torch.

libsndfile takes no name that is longer than 1,023 bytes, and soundfile none that is not text: it gets files that Python has opened.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from noizestream import files
from noizestream.errors import NoizestreamError

if TYPE_CHECKING:
    import soundfile

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
SUBTYPE = "PCM_24"


def check_output(path: str | Path, option: str = "") -> Path:
    """Return `path` if audio can be written there; UsageError if not, or for an ending that we do not write."""
    return files.check_output(path, option, tuple(FORMATS))


@contextlib.contextmanager
def opened(path: str | Path) -> "Iterator[soundfile.SoundFile]":
    """Open the sound file `path` to read. OSError or soundfile.LibsndfileError if that cannot be."""
    import soundfile

    if os.path.exists(path) and not os.path.isfile(path):  # to open a pipe is to wait for someone
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    with open(path, "rb") as file, soundfile.SoundFile(handle(file), closefd=False) as sound:
        yield sound


@contextlib.contextmanager
def sound_file(path: str | Path, sample_rate: int, channels: int) -> "Iterator[soundfile.SoundFile]":
    """Open `path` for streaming. It gets its name only when the `with` block ends well, so nothing half-written stays behind.

    UsageError and NoizestreamError in one line where it cannot be written.
    """
    import soundfile

    path = check_output(path)
    form = FORMATS.get(path.suffix.lower(), "WAV")
    try:
        with (
            files.whole(path) as partial,
            open(partial, "wb+") as raw,
            soundfile.SoundFile(handle(raw), "w", sample_rate, channels, SUBTYPE, format=form, closefd=False) as file,
        ):
            yield file
    except (OSError, soundfile.LibsndfileError) as error:
        raise NoizestreamError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})") from None


def handle(file: IO[bytes]) -> int | IO[bytes]:
    """Return `file` as soundfile takes it: its descriptor, or where these are no system-wide numbers, the file itself."""
    return file.fileno() if os.name == "posix" else file
