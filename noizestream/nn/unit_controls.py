"""The controls that a `UnitPlayer` declares, and those of a step by name; docs/model-format.md explains each."""

from typing import Any, NamedTuple

from torch import Tensor


class LayerControls(NamedTuple):
    """What is asked of one layer: `level` in dB; `mute` and `hold` from 0.5 on; `new`, each other value of which is another
    place; and the number of its own `genre`, -1 for the one of all."""

    level: float
    mute: float
    hold: float
    new: float
    genre: float


class Asked(NamedTuple):
    """What is asked for in a block, in the order of the controls.

    `genre` [G] weights; `temperature`; `tempo` in BPM (0 the music's own); `beat`, a position to follow (-1 none); `chord`
    (-1 none); `harmony` (0 stays, 0.5 as it comes, 1 moves); and what is asked of every layer.
    """

    genre: Tensor
    temperature: float
    tempo: float
    beat: float
    chord: int
    harmony: float
    layers: list[LayerControls]


OF_ALL = len(Asked._fields) - 2
OF_LAYER = len(LayerControls._fields)
"""Controls before those of the layers, and controls of each layer."""


def asked_for(genre: Tensor, controls: Tensor, of_all: int = OF_ALL, of_layer: int = OF_LAYER) -> Asked:
    """Return genre [G] and controls [5 + 5 V] by name.

    As numbers, not tensors: what is done with them costs nothing beside calling an operator.
    """
    numbers: list[float] = controls.tolist()
    temperature, tempo, beat, chord, harmony = numbers[:of_all]
    layers: list[LayerControls] = []
    for at in range(of_all, len(numbers), of_layer):
        level, mute, hold, new, own = numbers[at : at + of_layer]
        layers.append(LayerControls(level, mute, hold, new, own))
    return Asked(genre, temperature, tempo, beat, int(chord), harmony, layers)


def controls_of(layers: list[str], genres: int) -> list[dict[str, Any]]:
    """Return name, range, default and unit of each control, for so many genres and the names of the layers in order."""
    rows: list[tuple[str, float, float, float, str]] = [
        ("temperature", 0.0, 2.0, 1.0, ""),
        ("tempo", 0.0, 220.0, 0.0, "BPM"),
        ("beat", -1.0, 1e6, -1.0, "beats"),
        ("chord", -1.0, 23.0, -1.0, ""),
        ("harmony", 0.0, 1.0, 0.5, ""),
    ]
    for name in layers:
        rows += [
            (f"{name}_level", -60.0, 6.0, 0.0, "dB"),
            (f"{name}_mute", 0.0, 1.0, 0.0, ""),
            (f"{name}_hold", 0.0, 1.0, 0.0, ""),
            (f"{name}_new", 0.0, 127.0, 0.0, ""),
            (f"{name}_genre", -1.0, float(max(0, genres - 1)), -1.0, ""),
        ]
    return [dict(zip(("name", "min", "max", "default", "unit"), row, strict=True)) for row in rows]
