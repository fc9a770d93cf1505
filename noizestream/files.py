"""Files on disk: written whole or not at all, and names made of what people call things. Needs nothing but Python."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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


def reason(error: BaseException) -> str:
    """Why a file could not be read or written, in the system's words; `error` need not be one of the system's."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def safe_name(genre: str) -> str:
    """A genre as a file name: letters and digits of any script stay, the rest becomes a dash."""
    return "".join(c if c.isalnum() else "-" for c in genre).strip("-") or "genre"
