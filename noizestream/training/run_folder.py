"""The run folder of a training: where it is, what was asked for, and that nothing earlier is overwritten.

RUN/run.json  config.json      what was asked for
RUN/prepared/  memory.pt       what the loops read
RUN/checkpoint.pt              where a killed training goes on
RUN/previews/STEP/             a WAV and a spectrogram per genre
RUN/training.json              what was measured
"""

import json
import os
from pathlib import Path
from typing import Any

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.system import files
from noizestream.system.jsonfile import write_text
from noizestream.training.config import Config


def read_run(folder: Path) -> tuple[dict[str, Any], Config]:
    """What was asked for, and the resolved settings; NoizestreamError if `folder` is no run folder."""
    try:
        return json.loads(_text(folder / "run.json")), Config.from_json(_text(folder / "config.json"))
    except (OSError, ValueError, KeyError, TypeError):
        raise NoizestreamError(f"{folder}: is no run folder to resume (no run.json and config.json in it)") from None


def write_run(folder: Path, asked: dict[str, Any], config: Config) -> None:
    """Write what `read_run` reads."""
    # Escaped, not replaced: who resumes finds the same files, whatever their names are.
    write_text(folder / "run.json", json.dumps(asked, indent=1) + "\n")
    write_text(folder / "config.json", config.to_json())


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
