"""Which layers there are, and which bands of a frame are theirs."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from noizestream.nn.spectral import IMAGE_EDGES_HZ, SpectralFront


@dataclass(frozen=True)
class Layer:
    """`part` is percussive, harmonic or whole; `latents` are the numbers of a frame at most; it jumps every `every` slots at most.

    `together` is the chance that, when it jumps, it goes to where the layer is that it `follows`, one before it.
    `apart` times the temperature is the chance that for a phrase it plays a piece of its own.
    """

    name: str
    part: str
    from_hz: float
    to_hz: float
    latents: int
    every: int
    together: float
    follows: str = "harmony"
    apart: float = 0.0


LAYERS = (
    Layer("harmony", "harmonic", 200.0, 2000.0, 64, 8, 1.0),
    Layer("bass", "harmonic", 0.0, 200.0, 14, 8, 0.9),
    Layer("top", "harmonic", 2000.0, math.inf, 24, 8, 0.9),
    Layer("drums", "percussive", 0.0, math.inf, 32, 64, 0.9, apart=0.35),
)
"""In the order in which they decide, each in the knowledge of those before; the first one leads."""
PARTS = ("percussive", "harmonic", "whole")


class Cut(NamedTuple):
    """How the bands of a front are cut into layers, the columns of one after those of the other.

    Column by column: which band it is (`band_of`), which layer's (`layer_of`) and, by number, which of `PARTS` (`part_of`). Layer
    by layer: its first column (`starts`) and how many (`sizes`), its first latent (`first_latent`) and how many (`latents`).
    """

    band_of: Tensor
    layer_of: Tensor
    part_of: Tensor
    starts: list[int]
    sizes: list[int]
    first_latent: list[int]
    latents: list[int]


def cut(front: SpectralFront, layers: tuple[Layer, ...]) -> Cut:
    """Return how `layers` cut the bands of `front`.

    A band of the stereo image goes with the first layer of what lasts that has its lowest frequency.
    """
    hz, columns = front.band_hz, []
    owner = [
        next((v for v, layer in enumerate(layers) if layer.part != "percussive" and layer.from_hz <= edge < layer.to_hz), 0)
        for edge in IMAGE_EDGES_HZ[: front.image]
    ]
    for v, layer in enumerate(layers):
        own = [front.tones + k for k, o in enumerate(owner) if o == v]
        image = torch.tensor([*own, *(k + front.image for k in own)], dtype=torch.long)
        columns.append(torch.cat([torch.where((hz >= layer.from_hz) & (hz < layer.to_hz))[0], image]))
    sizes = [len(own) for own in columns]
    latents = [min(layer.latents, size) for layer, size in zip(layers, sizes, strict=True)]
    layer_of = torch.arange(len(layers)).repeat_interleave(torch.tensor(sizes))
    part_of = torch.tensor([PARTS.index(layer.part) for layer in layers])[layer_of]
    return Cut(torch.cat(columns), layer_of, part_of, _starts(sizes), sizes, _starts(latents), latents)


def _starts(sizes: list[int]) -> list[int]:
    """Where each of some stretches begins that lie one after the other."""
    return [sum(sizes[:v]) for v in range(len(sizes))]
