"""Files on disk: written whole or not at all. Needs nothing but Python."""

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
