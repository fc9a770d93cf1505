"""The random numbers that a `UnitPlayer` takes in a block, by name; each lies in 0..1 and is given from outside."""

from typing import NamedTuple

from torch import Tensor


class LayerDraws(NamedTuple):
    """Of one layer: whether it jumps, which genre, code, members and piece it takes, whether it goes where its lead is."""

    jump: float
    genre: float
    code: float
    members: float
    piece: float
    together: float


class Draws(NamedTuple):
    """Of every layer, and of all: whether a phrase ends, whether `harmony` asks, for which `chord`, whether drums are apart."""

    layers: list[LayerDraws]
    phrase: float
    harmony: float
    chord: float
    apart: float


OF_LAYER = len(LayerDraws._fields)
OF_ALL = len(Draws._fields) - 1
"""Random numbers of each layer, and those after them."""


def drawn(noise: Tensor, layers: int, of_layer: int = OF_LAYER, of_all: int = OF_ALL) -> Draws:
    """Return noise [6 V + 4] by name, for V `layers`."""
    numbers: list[float] = noise.tolist()
    own: list[LayerDraws] = []
    end = layers * of_layer
    for at in range(0, end, of_layer):
        jump, genre, code, members, piece, together = numbers[at : at + of_layer]
        own.append(LayerDraws(jump, genre, code, members, piece, together))
    phrase, harmony, chord, apart = numbers[end : end + of_all]
    return Draws(own, phrase, harmony, chord, apart)
