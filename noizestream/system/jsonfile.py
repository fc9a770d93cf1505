"""Writing JSON files and text, in UTF-8, whole or not at all."""

import json
from pathlib import Path
from typing import Any

from noizestream.system.files import whole, writing
from noizestream.system.names import as_text


def write_json(path: str | Path, values: Any, option: str = "") -> None:
    """Write `values` to `path`; what was there stays until the new file is complete.

    What is no text, as in the name of a file, becomes replacement characters.
    NoizestreamError if it cannot be written, which names the `option` that asked for it.
    """
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n", option)


def write_text(path: str | Path, text: str, option: str = "") -> None:
    """Write `text` to `path`; what was there stays until the new file is complete. Faults and odd characters as in `write_json`."""
    with writing(f"{option} {path}".strip()), whole(path) as partial:
        partial.write_text(as_text(text), encoding="utf-8")
