"""The weights beside a model file, NAME.safetensors: what a later training starts from (`train --base NAME`).

A TorchScript file is frozen and in int8: nothing can be learned from there. This file holds the networks in float16, by their
names in the code, with the settings and the genres in its header.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from noizestream import artifact
from noizestream.errors import NoizestreamError, UsageError
from noizestream.files import whole
from noizestream.nn.clock import CLOCK_FEATURES
from noizestream.nn.codec import Codec
from noizestream.nn.moods import Moods
from noizestream.nn.player import Player
from noizestream.nn.predictor import Predictor
from noizestream.training.config import Config

SUFFIX = ".safetensors"
NETWORK_KEYS = ("sample_rate", "block_ms", "latent", "codec_hidden", "hidden", "layers", "mixtures")
SLOWER = 0.5
"""Rates of a training that goes on from other weights, as a share of one from nothing: what they know is worth keeping."""
CODEC_SHARE = 0.1


@dataclass(frozen=True)
class Base:
    """What a training starts from: `tensors` are named codec.*, plan.*, predictor.* and moods.*."""

    config: Config
    genres: list[str]
    channels: int
    tensors: dict[str, Tensor]

    def adapt(self, config: Config) -> Config:
        """`config` with the sizes of these networks, and at slower rates."""
        sizes: dict[str, Any] = {key: getattr(self.config, key) for key in NETWORK_KEYS}
        rates = {"rate": config.rate * SLOWER, "codec_rate": config.codec_rate * SLOWER, "codec_share": CODEC_SHARE}
        return replace(config, channels=self.channels, **(sizes | rates))

    def fill(self, codec: Codec, predictor: Predictor, moods: Moods, genres: list[str]) -> None:
        """Copy the weights into networks of the same sizes. A genre that is new to them starts as the mean of those they know."""
        codec.load_state_dict({name.removeprefix("codec."): t for name, t in self.tensors.items() if name.startswith("codec.")})
        state = {name.removeprefix("predictor."): t for name, t in self.tensors.items() if name.startswith("predictor.")}
        before, latent = len(self.genres), predictor.latent
        enter = state["enter.weight"]
        parts = [enter[:, :latent], self._by_genre(enter[:, latent : latent + before], 1, genres), enter[:, latent + before :]]
        state["enter.weight"] = torch.cat(parts, 1)
        state["clock_in.weight"] = self._by_genre(state["clock_in.weight"], CLOCK_FEATURES, genres)
        state["clock_out.weight"] = self._by_genre(state["clock_out.weight"], predictor.clock_in.out_features, genres)
        for name in ("enter.weight", "notes_out.weight"):  # weights from before there were moods: nothing is known of them yet
            missing = predictor.state_dict()[name].shape[1] - state[name].shape[1]
            state[name] = torch.nn.functional.pad(state[name], (0, missing))
        predictor.load_state_dict(state)
        if "moods.projection" in self.tensors:
            moods.projection.copy_(self.tensors["moods.projection"])

    def _by_genre(self, weight: Tensor, width: int, genres: list[str]) -> Tensor:
        """weight [rows, genres of the base * width] -> [rows, genres * width]."""
        known = {genre.casefold(): number for number, genre in enumerate(self.genres)}
        slices = weight.unflatten(1, (len(self.genres), width))
        chosen = [slices[:, known[g.casefold()]] if g.casefold() in known else slices.mean(1) for g in genres]
        return torch.cat(chosen, 1)


def save(player: Player, config: Config, genres: list[str], model: Path) -> Path:
    """Write the weights of `player` beside the model file `model`, whole or not at all; returns where.

    NoizestreamError if it cannot be written.
    """
    from safetensors.torch import save_file

    path = model.with_suffix(SUFFIX)
    tensors = {
        f"{part}.{name}": tensor.detach().cpu().half().contiguous()
        for part, network in (("codec", player.codec), ("plan", player.plan), ("predictor", player.predictor))
        for name, tensor in network.state_dict().items()
    } | {"moods.projection": player.moods.projection.cpu()}
    header = {"config": config.to_json(), "genres": json.dumps(genres), "channels": str(player.channels)}
    try:
        with whole(path) as partial:
            save_file(tensors, str(partial), header)
    except OSError as error:
        raise NoizestreamError(f"{path}: cannot be written ({error.strerror})") from None
    return path


def load(model: str | Path) -> Base:
    """The weights beside a model file or a bundled model; UsageError if there are none, NoizestreamError if they are damaged."""
    from safetensors import SafetensorError, safe_open

    path = artifact.find_model(model).with_suffix(SUFFIX)
    if not path.is_file():
        raise UsageError(f"--base {model}: {path.name} must lie beside the model, and does not (train writes it)")
    try:
        with safe_open(str(path), "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (it is no dictionary)
        return Base(Config.from_json(header["config"]), json.loads(header["genres"]), int(header["channels"]), tensors)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        raise NoizestreamError(f"{path}: damaged, or not written by this version of noizestream") from None
