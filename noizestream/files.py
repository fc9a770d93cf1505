"""Files on disk: written whole or not at all, and names made of what people call things. Needs nothing but Python."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from noizestream.errors import NoizestreamError

CUT_SHORT = ("requested and", "inline_container", "iostream", "PytorchStreamWriter")
"""How numpy and torch speak of a write that came to nothing."""


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to. It takes the place of `path` when the `with` block ends well, else it is removed.

    OSError, which the caller knows how to put: what was at `path` is still there then.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def not_a_file(path: str | Path) -> str:
    """Why there is no file to read at `path`, links followed, or "" where there is one.

    To be asked before anything is opened: to open a pipe is to wait until somebody writes into it.
    """
    path = Path(path)
    if path.is_file():
        return ""
    if path.is_dir():
        return "is a folder, not a file"
    return "is a pipe, a socket or a device, not a file" if path.exists() else "missing file"


@contextmanager
def writing(path: str | Path, knob: str = "") -> Iterator[None]:
    """Within, what a full or failing disk leads to is a NoizestreamError in one line that names `path`, and the `knob` to turn.

    RuntimeError is how torch says it.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise NoizestreamError(f"{path}: cannot be written ({reason(error)})" + (f"; {knob}" if knob else "")) from None


def reason(error: BaseException) -> str:
    """Why a file could not be read or written, in the system's words where `error`, or what it came of, has them."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return "the disk took less than it was given; is it full?" if any(sign in text for sign in CUT_SHORT) else text


def safe_name(genre: str) -> str:
    """A genre as a file name: letters and digits of any script stay, the rest becomes a dash."""
    return "".join(c if c.isalnum() else "-" for c in genre).strip("-") or "genre"
