"""Reads the memory: where each layer is, how one place fades into another, and the block that all of them together sound as.

A layer reads frame by frame as it was recorded. Where it jumps, or has lost the beat, the place before sounds on for some blocks
and fades, of what lasts for longer than of drums, but no further than its stretch of the music goes. All that sounds is added as
coefficients and transformed once; what is transposed is read faster or slower instead, and added as samples.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.codec import Codec
from noizestream.nn.harmony import UNMOVED
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.unit_state import LayerState

LASTING_S, TRANSPOSED_S, PERCUSSIVE_S = 0.12, 0.03, 0.01
"""For so long the place before is heard."""
STRAY, FAR = 1.5, 8.0
"""Frames by which reading may be off the beat; and what is transposed, within a slot."""
AROUND = 4
"""Frames that a block which is read at another speed may need."""


class Reader(nn.Module):
    """`member` [V, coefficients] is 1 where a coefficient is a layer's."""

    member: Tensor
    percussive: Tensor
    samples: Tensor

    def __init__(self, codec: Codec, memory: Memory, layers: LayerFront):
        super().__init__()
        self.codec, self.memory = codec, memory
        member = [(codec.hz >= layer.from_hz) & (codec.hz < layer.to_hz) for layer in layers.layers]
        self.register_buffer("member", torch.stack(member).float())
        pitched = torch.tensor(layers.pitched_layers)
        self.register_buffer("percussive", (~pitched).float().repeat(2).unsqueeze(1))
        self.struck, self.members = self.percussive > 0, self.member.repeat(2, 1)  # of what is read, and of what fades
        self.register_buffer("samples", torch.arange(codec.block, dtype=torch.float64) / codec.block)
        seconds = [LASTING_S if lasts else PERCUSSIVE_S for lasts in layers.pitched_layers]
        self.fades = [max(1, round(s * codec.sample_rate / codec.block)) for s in seconds]
        self.short: int = max(1, round(TRANSPOSED_S * codec.sample_rate / codec.block))
        self.block: int = codec.block
        self.channels: int = codec.channels
        self.stray: float = STRAY
        self.far: float = FAR
        self.around: int = AROUND
        self.unmoved: int = UNMOVED
        self.ratios = [2.0 ** ((number - UNMOVED) / 12) for number in range(12)]

    def move(self, playing: list[LayerState], way: float) -> None:
        """Let every layer be where it is to read, a share `way` of its slot into it."""
        slot, due = -1, 0.0
        for v, state in enumerate(playing):
            going = state.frame + self.ratios[state.moved]
            if v == 0 or state.slot != slot:  # layers most often play one slot: it is looked up once
                slot, due = state.slot, float(self.memory.first[state.slot]) + way * float(self.memory.duration[state.slot])
                due -= float(self.memory.late[state.slot])
            right = due
            asked, joins = state.since == 0, False
            if asked:
                for other in playing[:v]:
                    if other.slot == state.slot and other.moved == state.shift:
                        right, joins = other.frame, True  # together to the frame, and to the share of one
            if state.frame >= 0 and state.shift == state.moved and (not asked or going == right):
                # What is read faster or slower strays by itself: it is brought back where a slot begins.
                turned = state.moved != self.unmoved
                asked = abs(going - right) > (self.stray if not turned or state.sounding != state.slot else self.far)
            if state.old >= 0:
                state.fade += 1
                state.old += self.ratios[state.old_moved]
                # It is over where its stretch is: the last frame again and again would buzz.
                if state.fade >= self.lasts(v, state.moved) or state.old > self.last(state.end, state.old_moved):
                    state.old = -1.0
            if not asked:
                state.frame = going
            else:
                self.leave(v, state, going)
                state.frame, state.moved = right if joins else max(0.0, math.floor(right + 0.5)), state.shift
        for state in playing:
            state.sounding = state.slot
            if self.memory.next(state.slot) < 0:  # what is ahead of the beat does not read on into another piece
                state.frame = min(state.frame, self.last(self.memory.last_frame(state.slot), state.moved))

    def last(self, end: int, number: int) -> float:
        """Return from where on the last block can be read that lies within frame `end`, at transposition `number`."""
        return float(end + 1) - self.ratios[number]

    def leave(self, layer: int, state: LayerState, going: float) -> None:
        """Let the place from which the layer would be `going` on be the one that fades, if it can and is to.

        Two places sound at most. If one fades already, the louder of it and the one left fades on from the weight that it has, and
        the new one takes that of the other: so the level stays, and what is cut off is the quieter.
        """
        faded = float(state.fade + 1) / float(self.lasts(layer, state.moved) + 1) if state.old >= 0 else 0.0
        end = self.memory.last_frame(state.sounding) if state.sounding >= 0 else -1
        if state.frame >= 0 and going <= self.last(end, state.moved) and (state.old < 0 or faded > 0.5):
            faded = 1.0 - faded if state.old >= 0 else 0.0
            state.old, state.old_moved, state.end = going, state.moved, end
        blocks = self.lasts(layer, state.shift)
        state.fade = max(0, min(blocks, math.floor(faded * float(blocks + 1) + 0.5)) - 1)

    def lasts(self, layer: int, number: int) -> int:
        """Return the blocks that a fade lasts to a place read at transposition `number`: it comes often there."""
        return self.fades[layer] if number == self.unmoved else min(self.short, self.fades[layer])

    def sound(self, playing: list[LayerState], gains: list[float], overlap: Tensor) -> tuple[Tensor, Tensor]:
        """Return the block [channels, block] of left and right at linear `gains` [V], and the next's overlap [channels, block]."""
        frames: list[int] = []
        weights: list[float] = []
        turned = False
        for old in (False, True):
            for v, state in enumerate(playing):
                frame, moved = (state.old, state.old_moved) if old else (state.frame, state.moved)
                weight = self.weight(v, state, old) * gains[v] if frame >= 0 else 0.0
                if moved != self.unmoved and weight > 0:
                    turned, weight = True, 0.0
                frames.append(self.inside(frame))
                weights.append(weight)
        coefficients, share = self.codec.decode(self.memory.frames.index_select(0, torch.tensor(frames)))
        part = torch.where(self.struck, share, 1.0 - share) * self.members * torch.tensor(weights).unsqueeze(1)
        made = self.codec.inverse((coefficients * part.unsqueeze(1)).sum(0))
        block, overlap = overlap + made.narrow(1, 0, self.block), made.narrow(1, self.block, self.block)
        if turned:
            for v, state in enumerate(playing):
                if state.moved != self.unmoved:
                    block = block + self.moved(v, state.frame, state.moved) * (self.weight(v, state, False) * gains[v])
                if state.old >= 0 and state.old_moved != self.unmoved:
                    block = block + self.moved(v, state.old, state.old_moved) * (self.weight(v, state, True) * gains[v])
        return self.codec.sides(block), overlap

    def weight(self, layer: int, state: LayerState, old: bool) -> float:
        """Return the weight of the place that is read, or of the `old` one that fades: their powers add up to 1."""
        if state.old < 0:
            return 0.0 if old else 1.0
        angle = 0.5 * math.pi * (state.fade + 1) / (self.lasts(layer, state.moved) + 1)
        return math.cos(angle) if old else math.sin(angle)

    def moved(self, layer: int, frame: float, number: int) -> Tensor:
        """Return the block [channels, block] of a layer from `frame` on, read as fast as transposition `number` asks."""
        first = math.floor(frame)
        rows: list[int] = []
        for k in range(self.around):
            rows.append(self.inside(first - 1.0 + k))
        coefficients, share = self.codec.decode(self.memory.frames.index_select(0, torch.tensor(rows)))
        made = self.codec.inverse(coefficients * (self.member[layer] * (1.0 - share)).unsqueeze(1))  # [around, channels, 2 block]
        whole = made[:-1, :, self.block :] + made[1:, :, : self.block]
        line = whole.transpose(0, 1).flatten(1)
        at = (frame - first + self.samples * self.ratios[number]) * self.block
        left = at.long()
        x = (at - left).float()
        a, b = line.index_select(1, (left - 1).clamp(min=0)), line.index_select(1, left)
        c, d = line.index_select(1, left + 1), line.index_select(1, (left + 2).clamp(max=line.shape[1] - 1))
        # Catmull-Rom
        return b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))

    def inside(self, frame: float) -> int:
        """Return the nearest frame of the memory."""
        return min(max(math.floor(frame + 0.5), 0), len(self.memory.frames) - 1)
