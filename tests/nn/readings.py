"""Slots of a random memory, read block by block."""

import math

import torch

from noizestream.nn.codec import Codec
from noizestream.nn.harmony import UNMOVED
from noizestream.nn.layer_table import LAYERS
from noizestream.nn.layers import LayerFront
from noizestream.nn.reading import Reader
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import LayerState
from rig.made_up import SLOT, memory

V = len(LAYERS)
UNITY = [1.0] * V


def made_up(channels: int) -> Reader:
    """Of two pieces of 64 slots."""
    codec, layers = Codec(16000, 128, channels), LayerFront(SpectralFront(16000, 128, channels))
    return Reader(codec, memory(layers, 8, 2, 64, genres=1, codec=codec), layers).eval()


class Reading:
    """Slots that follow each other, read block by block at a share `speed` of their own tempo."""

    def __init__(self, reader: Reader, slot: int, speed: float = 1.0, shift: int = UNMOVED, per_slot: float = SLOT):
        self.reader, self.at, self.passed = reader, float(slot), speed / per_slot
        self.playing = [LayerState() for _ in range(V)]
        self.overlap = torch.zeros(reader.channels, reader.block)
        self.right: list[float] = []  # where each layer should be
        for state in self.playing:
            state.slot, state.shift = slot, shift

    def jump(self, slot: int, *layers: int, shift: int = UNMOVED) -> None:
        """Let layers be in the next block as far into `slot` as they are into theirs."""
        for v in layers:
            self.playing[v].slot, self.playing[v].since, self.playing[v].shift = slot, 0, shift

    @torch.inference_mode()
    def step(self, gains: list[float] = UNITY) -> torch.Tensor:
        way = self.at - math.floor(self.at)
        self.reader.move(self.playing, way)
        made = self.reader.memory
        self.right = [float(made.first[s.slot] - made.late[s.slot] + way * made.duration[s.slot]) for s in self.playing]
        block, self.overlap = self.reader.sound(self.playing, gains, self.overlap)
        before, self.at = math.floor(self.at), self.at + self.passed
        for state in self.playing:
            state.since += 1
            state.slot += math.floor(self.at) - before
        return block

    def play(self, blocks: int, gains: list[float] = UNITY) -> torch.Tensor:
        """Audio [channels, n]."""
        return torch.cat([self.step(gains) for _ in range(blocks)], 1)


def recorded(reader: Reader, frame: float, blocks: int) -> torch.Tensor:
    """The same number of blocks of the memory as it was recorded, from `frame` on."""
    rows = reader.memory.frames[: int(frame) + blocks + 1]
    return reader.codec.stream(rows)[:, int(frame) * reader.block : (int(frame) + blocks) * reader.block]


def levels(audio: torch.Tensor, block: int) -> torch.Tensor:
    """Root mean squares of the blocks."""
    return audio.unflatten(1, (-1, block)).square().mean((0, 2)).sqrt()
