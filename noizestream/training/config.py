"""Everything that decides what a training does, in one frozen value."""

import json
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from typing import Any

from noizestream.errors import UsageError, option


@dataclass(frozen=True)
class Config:
    """Sizes of the networks and settings of both loops. Every value that a preset does not name is the default here."""

    preset: str = "base"
    sample_rate: int = 48000
    block_ms: float = 32 / 3  # length of a block, rounded to a power of two of samples
    seed: int = 0
    minutes: float = 15.0  # wall time from start to finished file; 0: no bound, `steps` decides
    base: str = ""  # model whose weights the training starts from
    steps: int = 0  # optimiser steps of the sequence model; 0: `minutes` decides

    # networks
    arch: str = "units"  # or "raw": an LSTM over blocks of samples, the baseline
    hidden: int = 256
    layers: int = 2
    codes: int = 384  # of each layer and genre, at most
    memory_mb: float = 25.0  # of music that the model file keeps, at most
    precision: str = "auto"  # of the exported model: float32, int8, or int8 where this machine has kernels for it

    # data
    channels: int = 0  # 1 or 2; 0: 2 where the music is stereo
    holdout: float = 0.1  # share of each training clip held out where a genre has no validation clips

    # loops
    batch: int = 16
    slots: int = 64  # of a row of a batch: four bars
    frames: int = 64  # raw: blocks of a row
    chunks: int = 12  # raw: a row reads chunks * frames blocks in order before it starts elsewhere
    rate: float = 2e-3
    loss: str = "nats"  # raw: "mse" or "mae"
    optimiser: str = "adam"  # raw also: "sgd"
    momentum: float = 0.9  # of "sgd"
    epochs: int = 60  # in which the rate falls to its lowest, where there is time for so many
    weight_decay: float = 0.05
    dropout: float = 0.3
    clip: float = 1.0
    patience: int = 12  # evaluations without a better validation before stopping early

    def to_json(self) -> str:
        """All settings, as `from_json` reads them."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Config":
        """What `to_json` wrote; ValueError or TypeError if it is anything else."""
        return cls(**json.loads(text))


RANGES = {"sample_rate": ("rate", 8000, 96000), "memory_mb": ("memory_mb", 0.5, 1000.0), "seed": ("seed", 0, 2**63 - 1)}
"""Setting -> the argument of `train` that sets it, the least and the most that it may be."""


def presets() -> dict[str, dict[str, Any]]:
    """Preset name -> what it changes."""
    return {name: values for name, values in _table().items() if name != "arch"}


def needs(arch: str) -> list[str]:
    """Which arrays, beside those that every piece of music has, an architecture learns from (data/dataset.py names them)."""
    return _table()["arch"][arch].get("needs", [])


def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("noizestream.training").joinpath("presets.toml").read_text(encoding="utf-8"))


def resolve(preset: str = "base", **overrides: Any) -> Config:
    """The preset's values, the architecture's, then `overrides` (None: not given) on top.

    UsageError for an unknown preset, architecture or key, for a value outside of `RANGES`, and for a loss or an optimiser that the
    architecture does not have.
    """
    table = presets()
    if preset not in table:
        raise UsageError(f"{option('preset')}: there is no {preset!r}, give one of {', '.join(table)}")
    given = {key: value for key, value in overrides.items() if value is not None}
    unknown = set(given) - {field.name for field in fields(Config)}
    if unknown:
        raise UsageError(f"unknown training setting {', '.join(sorted(unknown))}")
    for name, (argument, low, high) in RANGES.items():
        if name in given and not low <= given[name] <= high:
            raise UsageError(f"{option(argument)}: {given[name]:g} is out of range, give {low:g} to {high:g}")
    return replace(Config(preset=preset), **(table[preset] | _architecture(given) | given))


def _architecture(given: dict[str, Any]) -> dict[str, Any]:
    """What the architecture in `given` changes, with the loss and the optimiser in `given` checked."""
    table = _table()["arch"]
    name = given.get("arch", Config.arch)
    if name not in table:
        raise UsageError(f"{option('arch')}: there is no {name!r}, give one of {', '.join(table)}")
    chosen = {what: given.get(what, choices[0]) for what, choices in table[name]["offers"].items()}
    for what, choice in chosen.items():
        if choice not in table[name]["offers"][what]:
            offers = "; ".join(
                f"{option('arch')} {arch} offers {', '.join(entry['offers'][what])}" for arch, entry in table.items()
            )
            raise UsageError(f"{option(what)} {choice}: {offers}")
    return chosen | table[name].get(chosen["optimiser"], {})
