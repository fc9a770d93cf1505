"""Writing JSON files, whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

from noizestream.errors import NoizestreamError


def write_json(path: str | Path, values: Any, option: str = "") -> None:
    """Write `values` to `path`; what was there stays until the new file is complete.

    NoizestreamError if it cannot be written, which names the `option` that asked for it.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n")
        os.replace(beside, path)
    except OSError as error:
        raise NoizestreamError(f"{option} {path}".strip() + f": cannot be written ({error.strerror})") from None
    finally:
        beside.unlink(missing_ok=True)
