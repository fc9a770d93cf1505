"""The run folder of a training: where it is, what was asked for, and that nothing earlier is overwritten."""

import json
import os
from pathlib import Path
from typing import Any

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.training.config import Config


def read_run(folder: Path) -> tuple[dict[str, Any], Config]:
    """What was asked for, and the resolved settings; NoizestreamError if `folder` is no run folder."""
    try:
        return json.loads((folder / "run.json").read_text()), Config.from_json((folder / "config.json").read_text())
    except (OSError, ValueError, KeyError, TypeError):
        raise NoizestreamError(f"{folder}: is no run folder to resume (no run.json and config.json in it)") from None


def check_output(output: str | Path) -> Path:
    """The path, if a model file can be written there; UsageError if not."""
    path = Path(output)
    if path.suffix != ".ts":
        raise UsageError(f"{option('output')} {path}: a model file ends in .ts")
    if not path.parent.is_dir():
        raise UsageError(f"{option('output')} {path}: the folder {path.parent} does not exist, make it first")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(f"{option('output')} {path}: cannot be written")
    return path


def free_folder(output: Path) -> Path:
    """`NAME-run` beside the model, or the next free number: no earlier run is ever overwritten."""
    folder, number = output.with_name(f"{output.stem}-run"), 2
    while folder.exists():
        folder, number = output.with_name(f"{output.stem}-run-{number}"), number + 1
    return folder
