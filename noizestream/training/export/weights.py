"""The weights beside a model file, NAME.safetensors: what a later training starts from (`train --base NAME`).

A TorchScript file is in int8: nothing can be learned from there. This file holds the navigator and the layers'
components in float16, by their names in the code, and the books of codes, with the settings and the genres in its header.
"""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.modelfile import archive
from noizestream.modelfile.genres import find
from noizestream.music.cache import cache_root
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import AGO, EMBEDDED, Navigator
from noizestream.nn.units import UnitPlayer
from noizestream.system.files import whole, writing
from noizestream.system.machine import version
from noizestream.training.config import Config

SUFFIX = ".safetensors"
NETWORK_KEYS = ("sample_rate", "block_ms", "hidden", "layers")
SLOWER = 0.5
"""Rates of a training that goes on from other weights, as a share of one from nothing: what they know is worth keeping."""
COMPONENTS = ("mean", "basis", "step")
BY_CODE = ("embed", "out", "out_bias")
"""Tables of the navigator with a row for every code."""


@dataclass(frozen=True)
class Base:
    """What a training starts from: `tensors` are named navigator.*, layers.* and book; `code_first` as in `Memory`."""

    config: Config
    genres: list[str]
    channels: int
    code_first: list[int]
    tensors: dict[str, Tensor]

    def adapt(self, config: Config) -> Config:
        """`config` with the sizes of these networks, and at a slower rate."""
        sizes: dict[str, Any] = {key: getattr(self.config, key) for key in NETWORK_KEYS}
        return replace(config, channels=self.channels, rate=config.rate * SLOWER, **sizes)

    def fill_layers(self, layers: LayerFront) -> None:
        """Set the components of `layers` to these: then codes can be compared."""
        for name in COMPONENTS:
            getattr(layers, name).copy_(self.tensors[f"layers.{name}"])

    def fill_navigator(self, navigator: Navigator, memory: Memory, layers: LayerFront, genres: list[str]) -> None:
        """Copy the weights. A code takes those of the nearest code of its genre here, or of any genre if it is a new one.

        So does a new genre take the mean of those that are known; pieces are learned anew.
        """
        own = {name.removeprefix("navigator."): t for name, t in self.tensors.items() if name.startswith("navigator.")}
        known = [find(genre, self.genres) for genre in genres]
        state = navigator.state_dict()
        unknown = torch.tensor([self.code_first[-1]])
        for v in range(layers.count):
            nearest = torch.cat(
                [self._nearest(memory, layers, v, g, -1 if before is None else before) for g, before in enumerate(known)]
            )
            state["out"][v], state["out_bias"][v] = own["out"][v][nearest], own["out_bias"][v][nearest]
            state["embed"][v] = own["embed"][v][torch.cat([nearest, unknown])]
        first = len(AGO) * layers.count * EMBEDDED
        enter, before = own["enter.weight"], len(self.genres)
        labels = enter[:, first : first + before]
        chosen = [labels.mean(1, keepdim=True) if c is None else labels[:, c : c + 1] for c in known]
        state["enter.weight"] = torch.cat([enter[:, :first], *chosen, enter[:, first + before :]], 1)
        for name, tensor in own.items():
            if name not in (*BY_CODE, "piece.weight", "enter.weight"):
                state[name] = tensor
        navigator.load_state_dict(state)

    def _nearest(self, memory: Memory, layers: LayerFront, layer: int, genre: int, known: int) -> Tensor:
        """For every code of `genre` the nearest one of the genre `known` of the base, of all if that is -1."""
        book = memory.book[memory.code_first[genre] : memory.code_first[genre + 1]].float()
        first, last = (0, self.code_first[-1]) if known < 0 else (self.code_first[known], self.code_first[known + 1])
        ours = _of_layer(book, layers, layer)
        theirs = _of_layer(self.tensors["book"][first:last], layers, layer)
        return first + torch.cdist(ours, theirs).argmin(1)


def _of_layer(book: Tensor, layers: LayerFront, layer: int) -> Tensor:
    start = layers.first_latent[layer]
    return book.view(len(book), 3, -1)[:, :, start : start + layers.latents[layer]].flatten(1).contiguous()


def save(player: UnitPlayer, config: Config, genres: list[str], model: Path) -> Path:
    """Write the weights of `player` beside the model file `model`, whole or not at all; returns where.

    NoizestreamError if it cannot be written.
    """
    from safetensors.torch import save as packed

    path = model.with_suffix(SUFFIX)
    tensors = {
        f"navigator.{name}": t.detach().cpu().half().contiguous()
        for name, t in player.navigator.state_dict().items()
        if t.is_floating_point()
    }
    tensors |= {f"layers.{name}": getattr(player.layers, name).float().contiguous() for name in COMPONENTS}
    tensors["book"] = player.memory.book.clone()
    header = {
        "config": config.to_json(),
        "genres": json.dumps(genres),
        "channels": str(player.channels),
        "code_first": json.dumps(player.memory.code_first),
    }
    with writing(path), whole(path) as partial:
        partial.write_bytes(packed(tensors, header))  # not to its name: safetensors takes none that is no text
    return path


def load(model: str | Path) -> Base:
    """The weights of a model: of a file, a bundled model by name, or a file of weights itself.

    UsageError if there are none, which says where they were looked for; NoizestreamError if they are damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as unpacked

    path = find_weights(model)
    try:
        content = path.read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        tensors = {name: tensor.float() for name, tensor in unpacked(content).items()}
        first = json.loads(header["code_first"])
        return Base(Config.from_json(header["config"]), json.loads(header["genres"]), int(header["channels"]), first, tensors)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        raise NoizestreamError(f"{path}: damaged, or not written by this version of noizestream") from None


def find_weights(model: str | Path) -> Path:
    """The file of the weights of `model`: itself, beside the model file, or, of a bundled model, in the folder of caches.

    Bundled models come without theirs. UsageError, which says where it looked and how to get them, if there are none.
    """
    if Path(model).suffix == SUFFIX and os.path.isfile(model):
        return Path(model)
    file = archive.find_model(model)
    beside = file.with_suffix(SUFFIX)
    if os.path.isfile(beside):
        return beside
    if file not in archive.bundled_models().values():
        raise UsageError(f"{option('base')} {model}: {beside.name} must lie beside the model, and does not (train writes it)")
    kept = cache_root() / "weights" / beside.name
    if os.path.isfile(kept):
        return kept
    raise UsageError(
        f"{option('base')} {model}: its weights are neither {beside} nor {kept}; "
        f"put {beside.name} of the release's noizestream-weights-{version('noizestream')} there, or give its path"
    )
