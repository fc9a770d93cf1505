"""How a unit player takes up prime audio: it hears it, and finds the place in the memory from which to go on."""

import math

import torch
from torch import Tensor

from noizestream.nn.parts import Parts, Pulse
from noizestream.nn.recurrent import at_rest, flat
from noizestream.nn.unit_base import UnitBase
from noizestream.nn.unit_state import LayerState, Moment, UnitState, pack, table_of, unpack

COMPARED = 24
"""Slots that are compared to find where the memory is like the prime audio: a single frame says little."""


class Priming(UnitBase):
    """A player that takes up prime audio."""

    def __init__(self, parts: Parts, pulse: Pulse):
        super().__init__(parts, pulse)
        self.compared: int = COMPARED

    def prime(self, audio: Tensor, genre: Tensor) -> list[Tensor]:
        """Return the state after prime audio [channels, n], taken to begin on a beat and to run at the genre's own tempo."""
        pace, strongest = self.own_pace(genre), int(genre.argmax())
        z = self.hearing.encode(audio)[0]
        codes, cells = torch.full([64, self.count], self.codes), flat(at_rest(self.layers_of_lstm, self.hidden))
        h = torch.zeros(1, self.hidden)
        if z.shape[0] > 0:
            slots = self.hearing.slotted(z, (torch.arange(z.shape[0], dtype=torch.float64) + 2.0) * pace, strongest)
            for s in range(slots.codes.shape[0]):
                h, cells = self.listen(codes, genre, int(slots.number[s]), -1, cells)
                codes = torch.cat([codes[1:], slots.codes[s : s + 1]])
        else:
            z = torch.zeros(1, self.layers.size)
        place = self.nearest(z, strongest)
        moment = Moment()
        moment.beat = math.fmod(float(audio.shape[1]) / self.block * pace, self.wrap)
        # The last slot that was heard is over where the next one begins.
        moment.slot = math.floor(moment.beat * self.per_beat) - 1
        fresh = unpack(self.initial_state())
        return pack(
            UnitState(
                cells=cells,
                ahead=fresh.ahead,
                h=h,
                h_ahead=h,
                codes=codes,
                units=fresh.units,
                layers=table_of([self.begun(place) for _ in range(self.count)]),
                moment=torch.tensor(moment.numbers(), dtype=torch.float64),
                genre=genre,
                overlap=self.tail(place),
            )
        )

    def begun(self, place: int) -> LayerState:
        """Return a layer that has played slot `place` to its end and is sure to go on."""
        layer = LayerState()
        layer.slot, layer.sounding, layer.gate = place, place, self.chooser.sure
        layer.piece = int(self.memory.piece[place])
        layer.since, layer.frame = 1, float(self.memory.first[place] + self.memory.length[place] - 1)
        return layer

    def tail(self, place: int) -> Tensor:
        """Return what of slot `place` sounds on when it is over: the overlap [channels, block], of middle and side."""
        last = int(self.memory.first[place] + self.memory.length[place]) - 1
        codec = self.hearing.codec
        coefficients, _ = codec.decode(self.memory.frames.narrow(0, last, 1))
        return codec.inverse(coefficients[0]).narrow(1, self.block, self.block)

    def nearest(self, z: Tensor, genre: int) -> int:
        """Return the slot of `genre` whose last frames are most like the end of z [T, latents], in the sum of all layers."""
        first, last = self.memory.piece_from[genre], self.memory.piece_from[genre + 1] - 1
        begin = int(self.memory.piece_first[first])
        end = int(self.memory.piece_first[last] + self.memory.piece_slots[last])
        cost = torch.zeros(end - begin)
        # The last frames of its slot and of those before, as far as they were heard.
        length = max(1.0, float(self.memory.length[begin:end].float().mean()))
        slots = torch.arange(begin, end)
        for back in range(min(self.compared, int(float(z.shape[0] - 1) / length) + 1)):
            rows = self.memory.ends.index_select(0, (slots - back).clamp(min=begin)).float() * self.layers.step
            cost += (rows - z[z.shape[0] - 1 - int(float(back) * length)]).abs().mean(1)
        return begin + int(cost.argmin())
