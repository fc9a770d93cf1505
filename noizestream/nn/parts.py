"""What a `UnitPlayer` is made of, by name: its tables and networks, and the pulse of its genres."""

from dataclasses import dataclass

import torch
from torch import Tensor

from noizestream.nn.codec import Codec
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import Navigator
from noizestream.nn.spectral import SpectralFront


@dataclass(frozen=True)
class Parts:
    """The tables and networks of one player: all of one sample rate, block and number of channels."""

    front: SpectralFront
    codec: Codec
    layers: LayerFront
    memory: Memory
    navigator: Navigator


@dataclass(frozen=True)
class Pulse:
    """The tempo of each genre as the logarithm of BPM, `log_tempos` [G], and 1 where it has a beat, else 0, `beaten` [G]."""

    log_tempos: Tensor
    beaten: Tensor

    @classmethod
    def of(cls, tempos: Tensor, confidence: Tensor) -> "Pulse":
        """Return the pulse of genres of `tempos` [G] in BPM; one has a beat where its `confidence` [G] is at least a half."""
        return cls(torch.log(tempos), (confidence >= 0.5).float())
