"""From a trained player to the model file: its forms, tested, and what it says of its training."""

import json
import platform
from pathlib import Path
from typing import Any

import torch

from noizestream.modelfile import archive
from noizestream.modelfile.metadata import Metadata
from noizestream.modelfile.precision import AUTO, INT8, resolve
from noizestream.nn.inference import inference_form
from noizestream.system.names import one_line
from noizestream.training.config import Config
from noizestream.training.data.dataset import Prepared
from noizestream.training.export.script import quantised, script
from noizestream.training.export.self_test import Streamed, self_test


def export(
    player: Any, streamed: Streamed, path: Path, genres: list[str], summary: dict[str, Any], precision: str = AUTO
) -> Metadata:
    """Script `player`, test it and write it to `path` with `summary` (preset, training, licence ...) in its metadata.

    `precision` is float32, int8 (the file then carries both forms) or auto; UsageError for int8 where it has no kernels.
    """
    precision = resolve(precision)
    scripted = script(inference_form(player))
    self_test(player, scripted, streamed)
    float32 = None
    if precision == INT8:
        player, float32 = quantised(player), scripted
        scripted = script(player)
        self_test(player, scripted, streamed)
    metadata = Metadata(
        name=one_line(path.stem),
        sample_rate=player.sample_rate,
        channels=player.channels,
        block_frames=player.block,
        latency_frames=player.latency_frames,
        genres=genres,
        controls=[dict(control) for control in player.controls],
        noise_size=player.noise_size,
        extra=summary
        | {"precision": precision, "torch": torch.__version__, "machine": f"{platform.machine()} {platform.system()}"},
    )
    return archive.save(scripted, metadata, path, float32)


def summary_of(prepared: Prepared, config: Config, data: str | Path, figures: dict[str, Any], wall_s: float) -> dict[str, Any]:
    """What goes into the model file beside the required keys: the settings, the `figures` of the training, licence, works."""
    plain = {key: value for key, value in figures.items() if key != "history"}
    return {
        "preset": config.preset,
        "config": json.loads(config.to_json()),
        "tempos": dict(zip(prepared.genres, prepared.tempos, strict=True)),
        "training": {
            "tracks": dict(zip(prepared.genres, prepared.tracks, strict=True)),
            "seconds": dict(zip(prepared.genres, prepared.seconds, strict=True)),
            "wall_s": round(wall_s, 1),
            "skipped": sum(not row.get("used") for row in prepared.skipped),
        }
        | plain,
        "licence": _licence(data, prepared.credits),
        "attribution": prepared.credits,
    }


def _licence(data: str | Path, credits: list[dict[str, str]]) -> str:
    """What the music says of its licence: a LICENSE.txt beside it, or the works' own licences, or that it says nothing."""
    try:
        lines = (Path(data) / "LICENSE.txt").read_text(encoding="utf-8").splitlines()
        return " ".join(line.strip() for line in lines if line.strip())[:500]
    except (OSError, UnicodeDecodeError):
        named = sorted({credit["licence"] for credit in credits if credit["licence"]})
        return "of the music learned from: " + ", ".join(named) if named else "of the music learned from, which names none"
