"""The run folder of a training: where it is, what was asked for, and that nothing earlier is overwritten."""

import json
import os
from pathlib import Path
from typing import Any

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.system import files
from noizestream.training.config import Config


def read_run(folder: Path) -> tuple[dict[str, Any], Config]:
    """What was asked for, and the resolved settings; NoizestreamError if `folder` is no run folder."""
    try:
        return json.loads(_text(folder / "run.json")), Config.from_json(_text(folder / "config.json"))
    except (OSError, ValueError, KeyError, TypeError):
        raise NoizestreamError(f"{folder}: is no run folder to resume (no run.json and config.json in it)") from None


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def check_output(output: str | Path) -> Path:
    """The path, if a model file can be written there and its weights beside it; UsageError if not."""
    path = Path(output)
    if path.suffix != ".ts":
        raise UsageError(f"{option('output')} {path}: a model file ends in .ts")
    files.check_output(path.with_suffix(".safetensors"), option("output"))
    return files.check_output(path, option("output"))


def free_folder(output: Path) -> Path:
    """`NAME-run` beside the model, or the next free number: no earlier run is ever overwritten."""
    folder, number = output.with_name(f"{output.stem}-run"), 2
    while os.path.lexists(folder):
        folder, number = output.with_name(f"{output.stem}-run-{number}"), number + 1
    return folder
