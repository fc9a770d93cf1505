"""What the values of the rows that act on the output mean for its samples. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from noizestream.control.parameters import BALANCE, MUTE, VOLUME


class Levels(NamedTuple):
    """Linear gains: `attenuation`, at most 1, and `boost`, at least 1, one of which is 1; `balance` as the row has it, -1 to 1."""

    attenuation: float = 1.0
    boost: float = 1.0
    balance: float = 0.0


def levels(values: Mapping[str, float]) -> Levels:
    """Return the levels that `values`, by name, of all that acts on the output ask for; the lowest volume is silence."""
    volume = values[VOLUME.name]
    gain = 0.0 if values[MUTE.name] > 0 or volume <= VOLUME.minimum else 10 ** (volume / 20)
    return Levels(min(gain, 1.0), max(gain, 1.0), values[BALANCE.name])
