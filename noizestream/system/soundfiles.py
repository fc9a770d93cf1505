"""Sound files: opened whatever their names are; written as 24-bit WAV or FLAC, streamed, whole or not at all. Needs no torch.

soundfile takes no name that is not text, but its bytes, and libsndfile none that is longer than 1,023 bytes.

What soundfile keeps private (`soundfile._...`) is used in this module only: libsndfile's commands, which it has no names for, and
the system's error number. pyproject.toml bounds its version, and tests/system/test_soundfiles.py shows that they work.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from noizestream.errors import NoizestreamError
from noizestream.system import files

if TYPE_CHECKING:
    import soundfile

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
SUBTYPE = "PCM_24"
LONGEST_NAME = 1000
"""Bytes of a path that libsndfile surely takes. Beyond, it is given the open file, and then knows no MP3 by its ending."""
RF64_AUTO_DOWNGRADE, UPDATE_HEADER_NOW = 0x1210, 0x1060
"""Commands of libsndfile, by their numbers in sndfile.h."""


def check_output(path: str | Path, option: str = "") -> Path:
    """Return `path` if audio can be written there; UsageError if not, or for an ending that we do not write."""
    return files.check_output(path, option, tuple(FORMATS))


@contextlib.contextmanager
def opened(path: str | Path, kind: "type[soundfile.SoundFile] | None" = None) -> "Iterator[soundfile.SoundFile]":
    """Open the sound file `path` to read, as a `kind` of SoundFile. OSError or soundfile.LibsndfileError if that cannot be."""
    import soundfile

    if reason := files.not_a_file(path):
        raise OSError(errno.EINVAL, reason, str(path))
    with open(path, "rb") as file:
        name = os.fsencode(path) if os.name == "posix" else b""
        given = name if 0 < len(name) < LONGEST_NAME else handle(file)
        with (kind or soundfile.SoundFile)(given, closefd=False) as sound:
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
        raise NoizestreamError(f"{path}: cannot be written ({reason(error)})") from None


def shorten_header(file: "soundfile.SoundFile") -> None:
    """Have an RF64 `file`, open for writing, become an ordinary WAV when it is closed with less than 4 GB in it."""
    _command(file, RF64_AUTO_DOWNGRADE, 1)


def update_header(file: "soundfile.SoundFile") -> None:
    """Bring the header of `file`, open for writing, up to date with what has been written: what is there can be read from now."""
    _command(file, UPDATE_HEADER_NOW, 0)


def handle(file: IO[bytes]) -> int | IO[bytes]:
    """Return `file` as soundfile takes it: its descriptor, or where these are no system-wide numbers, the file itself."""
    return file.fileno() if os.name == "posix" else file


def reason(error: BaseException) -> str:
    """Return why a sound file could not be written. libsndfile says "System error"; the system's own number was kept by cffi."""
    import soundfile

    number = 0 if isinstance(error, OSError) else soundfile._ffi.errno
    return os.strerror(number) if number else files.reason(error)


def _command(file: "soundfile.SoundFile", command: int, value: int) -> None:
    import soundfile

    soundfile._snd.sf_command(file._file, command, soundfile._ffi.NULL, value)
