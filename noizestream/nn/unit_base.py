"""The parts of a unit player in one module, which its step, its scoring and its priming share.

They are classes of their own on this base rather than modules of their own: TorchScript hands no module to a function, and a
module that held the networks once more would name every weight once more.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.chooser import Chooser
from noizestream.nn.director import Director
from noizestream.nn.hearing import Hearing
from noizestream.nn.navigator import WRAP
from noizestream.nn.parts import Parts, Pulse
from noizestream.nn.reading import Reader
from noizestream.nn.unit_state import initial, pack

PER_BEAT = 4.0
"""Slots of a beat."""
BEAT_WRAP = WRAP / PER_BEAT
"""Beats after which positions begin at 0 again."""


class UnitBase(nn.Module):
    """The tables and networks of a player, and what follows from their sizes."""

    log_tempos: Tensor
    beaten: Tensor

    def __init__(self, parts: Parts, pulse: Pulse):
        super().__init__()
        self.layers, self.memory, self.navigator = parts.layers, parts.memory, parts.navigator
        self.hearing = Hearing(parts)
        self.chooser = Chooser(parts.layers, parts.memory, parts.navigator, self.hearing)
        self.director = Director(parts.memory, parts.navigator, self.chooser)
        self.reader = Reader(parts.codec, parts.memory, parts.layers)
        self.register_buffer("log_tempos", pulse.log_tempos)
        self.register_buffer("beaten", pulse.beaten)
        self.count: int = parts.layers.count
        self.genres: int = parts.memory.genres
        self.layers_of_lstm: int = parts.navigator.recurrent.layers
        self.hidden: int = parts.navigator.hidden
        self.codes: int = parts.memory.codes
        self.block: int = parts.front.block
        self.channels: int = parts.front.channels
        self.sample_rate: int = parts.front.sample_rate
        self.per_beat: float = PER_BEAT
        self.wrap: float = BEAT_WRAP
        self.beats_per_bpm: float = parts.front.block / parts.front.sample_rate / 60.0

    def initial_state(self) -> list[Tensor]:
        """Return the state of a player that has heard and played nothing, at beat 0."""
        sizes = (self.hidden, self.layers_of_lstm, self.count, self.genres, self.codes, self.channels, self.block)
        return pack(initial(*sizes))

    def has_beat(self, genre: Tensor) -> float:
        """Return by how much weights genre [G] are of genres that have a beat, 0..1."""
        return float(torch.dot(self.beaten, genre))

    def own_pace(self, genre: Tensor) -> float:
        """Return the beats of a block at the tempo of weights genre [G]."""
        return math.exp(float(torch.dot(self.log_tempos, genre))) * self.beats_per_bpm

    def listen(self, codes: Tensor, genre: Tensor, slot: int, piece: int, cells: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return what the LSTM says [1, hidden] of `slot` after `codes` [64, V], and its state.

        `piece` is -1 where none is known.
        """
        known = self.navigator.pieces if piece < 0 else piece
        return self.hearing.listen(codes, genre, slot, self.has_beat(genre), known, cells)
