"""The step of a unit player: one block of sound from one state to the next.

slot begins: LSTM -> layer by layer, go on in the memory or jump (director.py, chooser.py)
every block: frame of every layer, and what fades -> coefficients -> levels -> sound (reading.py, codec.py)
"""

import math

import torch
from torch import Tensor

from noizestream.nn.chooser import Slot
from noizestream.nn.navigator import WRAP
from noizestream.nn.parts import Parts, Pulse
from noizestream.nn.unit_base import UnitBase
from noizestream.nn.unit_controls import Asked, asked_for
from noizestream.nn.unit_draws import OF_ALL, OF_LAYER, drawn
from noizestream.nn.unit_state import UnitState, layers_of, moment_of, numbers_of, pack, table_of, unpack


class UnitStep(UnitBase):
    """A player that steps."""

    def __init__(self, parts: Parts, pulse: Pulse):
        super().__init__(parts, pulse)
        self.noise_size: int = OF_LAYER * self.count + OF_ALL
        self.latency_frames: int = 0  # the block in which a slot begins is that of the recording
        self.slots: float = float(WRAP)

    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Make one block: genre [G], controls [5 + 5 V], noise [noise_size], state -> block [channels, block], state."""
        was, asked = unpack(state), asked_for(genre, controls)
        moment, playing = moment_of(was.moment), layers_of(was.layers)
        beat = asked.beat if asked.beat >= 0 else moment.beat
        whole = math.floor(beat * self.per_beat)
        number = int(math.fmod(whole, self.slots))
        slot = Slot(number, number != moment.slot)
        h, cells, h_ahead, ahead, codes, units = was.h, was.cells, was.h_ahead, was.ahead, was.codes, was.units
        if slot.begins:
            if moment.ahead == number:
                h, cells = h_ahead, ahead
            else:
                h, cells = self.listen(codes, genre, number, playing[0].piece, cells)
        if slot.begins or self.director.disturbed(asked, was, playing, moment):
            taken = self.director.decide(asked, drawn(noise, self.count), was, h, playing, moment, slot)
            here = torch.tensor([[one.unit() for one in playing]])
            # What is decided anew within a slot takes the place of what was.
            kept = 1 if slot.begins else 0
            codes = torch.cat([codes[kept : 63 + kept], torch.tensor([taken])])
            units = torch.cat([units[kept : 15 + kept], here])
            moment.ahead = -1
        elif moment.ahead < 0:
            moment.ahead = int(math.fmod(number + 1, self.slots))
            h_ahead, ahead = self.listen(codes, genre, moment.ahead, playing[0].piece, cells)
        way = beat * self.per_beat - whole
        self.reader.move(playing, way)
        audio, overlap = self.reader.sound(playing, self.gains(asked), was.overlap)
        passed = self.passed(playing[0].slot, way) if asked.tempo <= 0 else asked.tempo * self.beats_per_bpm
        moment.beat, moment.slot = math.fmod(beat + passed, self.wrap), number
        for one in playing:
            one.since += 1
        table, numbers = table_of(playing), numbers_of(moment)
        return audio, pack(UnitState(cells, ahead, h, h_ahead, codes, units, table, numbers, genre, overlap))

    def passed(self, slot: int, way: float) -> float:
        """Return the beats of a block, a share `way` into `slot`, if the music moves as it was played.

        Slots are not all as long.
        """
        lasts = float(self.memory.duration[slot])
        left = (1.0 - way) * lasts  # frames
        after = self.memory.next(slot) if left < 1.0 else -1
        if after < 0:
            return 1.0 / (self.per_beat * lasts)
        return (1.0 - way + (1.0 - left) / float(self.memory.duration[after])) / self.per_beat

    def gains(self, asked: Asked) -> list[float]:
        """Return the linear gain of every layer."""
        factors: list[float] = []
        for own in asked.layers:
            silent = own.mute >= 0.5 or own.level <= -60.0
            factors.append(0.0 if silent else 10.0 ** (own.level / 20.0))
        return factors

    def places(self, state: list[Tensor]) -> Tensor:
        """Return which slot of the memory each layer plays: int64 [V], -1 for none. Numbers in a row have gone on."""
        return torch.tensor([one.slot for one in layers_of(unpack(state).layers)])
