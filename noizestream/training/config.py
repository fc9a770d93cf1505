"""Everything that decides what a training does, in one frozen value."""

import json
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from typing import Any

from noizestream.errors import UsageError


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
    arch: str = "spectral"  # or "raw": an LSTM over blocks of samples, the baseline
    latent: int = 64  # numbers per frame; stereo adds codec.IMAGE_LATENTS
    codec_hidden: int = 256
    hidden: int = 256
    layers: int = 2
    mixtures: int = 8
    codes: int = 256  # of each voice of the notes, at most
    plan_hidden: int = 192
    precision: str = "auto"  # of the exported model: float32, int8, or int8 where this machine has kernels for it

    # data
    channels: int = 0  # 1 or 2; 0: 2 where the music is stereo
    semitones: tuple[float, ...] = (-1.0, 1.0)  # speed variants of the training tracks, where there is little music
    holdout: float = 0.1  # share of each training clip held out where a genre has no validation clips

    # codec loop
    codec_share: float = 0.25  # of the time left after preparing
    codec_batch: int = 16
    codec_frames: int = 96
    codec_rate: float = 1e-3
    latent_noise: float = 0.1  # deviation of what the decoder learns to bear: at play it gets sampled latents, never exact ones

    # plan loop
    plan_rate: float = 4e-3  # its own: it begins from nothing on a base, too
    plan_share: float = 0.08  # of the time left after preparing

    # sequence loop
    batch: int = 16
    frames: int = 64
    chunks: int = 12  # a lane reads chunks * frames frames in order before it starts elsewhere
    rate: float = 4e-3
    loss: str = "nats"  # raw: "mse" or "mae"
    optimiser: str = "adam"  # raw also: "sgd"
    momentum: float = 0.9  # of "sgd"
    epochs: int = 30  # in which the rate falls to its lowest, where there is time for so many
    weight_decay: float = 0.01
    dropout: float = 0.2
    input_noise: float = 0.5  # largest deviation, in deviations of the latent
    hide_slow: float = 0.15  # share of lanes that do not see the slow periods of the clock
    hide_mood: float = 0.15  # share of lanes that do not hear the mood
    mood_noise: float = 0.3  # deviation added to the mood, in deviations of it
    hide_clock: float = 0.05  # share of lanes that do not see the clock at all, of music with an even beat
    clip: float = 1.0
    patience: int = 12  # evaluations without a better validation before stopping early

    # after the loops
    calibration_s: float = 8.0  # seconds generated for every try of the calibration
    least_spread: float = 0.65  # under it base's flux hardly falls any more, and the genre suffers
    recall_performances: int = 10  # 2.5 times as long, at most 20 s, of every genre whose music repeats itself
    calibration_tries: int = 20  # of every genre; performances differ as pieces do, so the tables get better with the square root

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Config":
        values = json.loads(text)
        values["semitones"] = tuple(values["semitones"])
        return cls(**values)


def presets() -> dict[str, dict[str, Any]]:
    """Preset name -> what it changes."""
    return {name: values for name, values in _table().items() if name != "arch"}


def architectures() -> tuple[str, ...]:
    """The names `Config.arch` may have, the default first."""
    return tuple(_table()["arch"])


def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("noizestream.training").joinpath("presets.toml").read_text())


def resolve(preset: str = "base", **overrides: Any) -> Config:
    """The preset's values, the architecture's, then `overrides` (None: not given) on top.

    UsageError for an unknown preset, architecture or key, and for a loss or an optimiser that the architecture does not have.
    """
    table = presets()
    if preset not in table:
        raise UsageError(f"--preset: there is no {preset!r}, give one of {', '.join(table)}")
    given = {key: value for key, value in overrides.items() if value is not None}
    unknown = set(given) - {field.name for field in fields(Config)}
    if unknown:
        raise UsageError(f"unknown training setting {', '.join(sorted(unknown))}")
    return replace(Config(preset=preset), **(table[preset] | _architecture(given) | given))


def _architecture(given: dict[str, Any]) -> dict[str, Any]:
    """What the architecture in `given` changes, with the loss and the optimiser in `given` checked."""
    table = _table()["arch"]
    name = given.get("arch", Config.arch)
    if name not in table:
        raise UsageError(f"--arch: there is no {name!r}, give one of {', '.join(table)}")
    chosen = {option: given.get(option, choices[0]) for option, choices in table[name]["offers"].items()}
    for option, choice in chosen.items():
        if choice not in table[name]["offers"][option]:
            offers = "; ".join(f"--arch {arch} offers {', '.join(entry['offers'][option])}" for arch, entry in table.items())
            raise UsageError(f"--{option} {choice}: {offers}")
    return chosen | table[name].get(chosen["optimiser"], {})
