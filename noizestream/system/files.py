"""Files on disk: found, and written whole or not at all. Needs nothing but Python."""

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from noizestream.errors import NoizestreamError, UsageError

MOST_LINKS = 40
"""As Linux follows them."""
CUT_SHORT = ("requested and", "inline_container", "iostream", "PytorchStreamWriter")
"""How numpy and torch speak of a write that came to nothing."""
OWN_HOME = "set HOME to a folder of your own"


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to, with seeking. What is there takes the place of `path` when the `with` block ends well.

    A link is followed, and what was at its end keeps its mode. What is no regular file, such as a pipe, is not replaced: all is
    written into it at the end. OSError, which the caller knows how to put: what was at `path` is still there then.
    """
    path = Path(path)
    mode = None if (found := _stat(path)) is None else found.st_mode
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    descriptor = _descriptor(path)
    straight = descriptor is not None or not (mode is None or stat.S_ISREG(mode))
    target = Path(os.path.realpath(path))
    folder = Path(tempfile.gettempdir()) if straight else target.parent
    # The name of `path` is no part of it: with anything added it might be too long.
    partial = folder / f".noizestream-{os.getpid()}-{secrets.token_hex(4)}.part"
    try:
        yield partial
        if straight:
            with partial.open("rb") as source, _opened(path, descriptor) as sink:
                shutil.copyfileobj(source, sink)
        else:
            if mode is not None:
                partial.chmod(stat.S_IMODE(mode))
            os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def check_output(path: str | Path, option: str = "", endings: Sequence[str] = ()) -> Path:
    """Return `path` if `whole` can write there; its name must have one of the `endings`, unless it is a device, a pipe or so.

    UsageError in one line that names the `option` if not.
    """
    path = Path(path)
    named = f"{option} {path}".strip()
    try:
        found = _stat(path)
    except OSError as error:
        raise UsageError(f"{named}: cannot be written ({error.strerror})") from None
    special = _descriptor(path) is not None or (found is not None and not _is_plain(found.st_mode))
    if endings and not special and path.suffix.lower() not in endings:
        raise UsageError(f"{named}: give a name that ends in {' or '.join(endings)}")
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{named}: is a folder, give a file name")
    if found is not None and stat.S_ISSOCK(found.st_mode) and _descriptor(path) is None:
        raise UsageError(f"{named}: is a socket, give a file name")
    folder = os.path.dirname(os.path.realpath(path))
    if not special and not os.path.isdir(folder):
        raise UsageError(f"{named}: the folder {folder} does not exist, make it first")
    if not special and not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{named}: cannot be written, its folder is closed to you")
    if found is not None and not os.access(path, os.W_OK):
        raise UsageError(f"{named}: cannot be written, it is closed to you")
    return path


def look(path: str | Path, option: str = "") -> os.stat_result | None:
    """Return what is at `path`, links followed, or None where nothing is.

    NoizestreamError in one line where that cannot be told: a name that is too long, a folder that is closed to us.
    """
    try:
        return _stat(path)
    except OSError as error:
        raise NoizestreamError(f"{option} {path}".strip() + f": cannot be read ({error.strerror})") from None


def not_a_file(path: str | Path) -> str:
    """Return why there is no file to read at `path`, links followed, or "" where there is one.

    To be asked before anything is opened: to open a pipe is to wait until somebody writes into it.
    """
    try:
        found = _stat(path)
    except OSError as error:  # a name that is too long, a folder that is closed, links in a circle
        return f"cannot be read ({error.strerror})"
    if found is None:
        return "a link to nothing" if os.path.islink(path) else "missing file"
    if stat.S_ISDIR(found.st_mode):
        return "is a folder, not a file"
    return "" if stat.S_ISREG(found.st_mode) else "is a pipe, a socket or a device, not a file"


def expanded(path: str | Path, folder: str | Path = "") -> Path:
    """Return `path`, in `folder` unless it is absolute. `~` is a home where nothing is called so, and there is such a home."""
    literal = Path(folder, path)
    return literal if os.path.lexists(literal) else Path(folder, os.path.expanduser(path))


def home() -> Path:
    """Return the user's home. Who has none is given one for this process and its children, as libraries ask for it too.

    It is the same every time, among the temporary files. NoizestreamError where others may write to it: what is cached is run.
    """
    found = os.path.expanduser("~")
    if not os.path.isabs(found):  # neither HOME nor an entry for the user
        found = os.environ["HOME"] = str(_temporary_home())
    return Path(found)


@contextmanager
def writing(path: str | Path, knob: str = "") -> Iterator[None]:
    """Turn what a full or failing disk raises in the `with` block into a NoizestreamError with `path` and the `knob` to turn.

    RuntimeError is how torch says it.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise NoizestreamError(f"{path}: cannot be written ({reason(error)})" + (f"; {knob}" if knob else "")) from None


def reason(error: BaseException) -> str:
    """Return why a file could not be read or written, in the system's words where `error`, or what it came of, has them."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return "the disk took less than it was given; is it full?" if any(sign in text for sign in CUT_SHORT) else text


def _temporary_home() -> Path:
    user = getattr(os, "getuid", int)()
    folder = Path(tempfile.gettempdir(), f"noizestream-{user}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise NoizestreamError(f"{folder}: cannot be made ({error.strerror}); {OWN_HOME}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o022:
        raise NoizestreamError(f"{folder}: others may write there; {OWN_HOME}")
    return folder


def _stat(path: str | Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:  # a zero byte
        raise OSError(errno.EINVAL, str(error), str(path)) from None


def _is_plain(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _descriptor(path: Path) -> int | None:
    """The open file of this process that `path` leads to: 1 of /dev/stdout. To open it anew would begin at its start."""
    for _ in range(MOST_LINKS):
        if path.name.isdigit() and os.path.realpath(path.parent) in (f"/proc/{os.getpid()}/fd", "/dev/fd"):
            return int(path.name)
        try:
            path = path.parent / os.readlink(path)
        except (OSError, ValueError):
            return None
    return None


def _opened(path: Path, descriptor: int | None):
    """To write into what is there. Never made: where a pipe is shared, Linux refuses to open it in a way that would make it."""
    return open(os.dup(descriptor) if descriptor is not None else os.open(path, os.O_WRONLY), "wb")
