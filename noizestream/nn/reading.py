"""Reads the memory: where each layer is, how one place fades into another, and the block that all of them together sound as.

A layer reads frame by frame as it was recorded. Where it jumps, or has lost the beat, the place before sounds on for some blocks
and fades: of what lasts for longer than of drums. All that sounds is added as coefficients and transformed once; what is transposed
is read faster or slower instead, and added as samples.
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
        self.register_buffer("samples", torch.arange(codec.block, dtype=torch.float64) / codec.block)
        seconds = [LASTING_S if lasts else PERCUSSIVE_S for lasts in layers.pitched_layers]
        self.fades = [max(1, round(s * codec.sample_rate / codec.block)) for s in seconds]
        self.short: int = max(1, round(TRANSPOSED_S * codec.sample_rate / codec.block))
        self.count: int = layers.count
        self.block: int = codec.block
        self.channels: int = codec.channels
        self.stray: float = STRAY
        self.far: float = FAR
        self.around: int = AROUND
        self.unmoved: int = UNMOVED
        self.ratios = [2.0 ** ((number - UNMOVED) / 12) for number in range(12)]

    def move(self, playing: list[LayerState], way: float) -> None:
        """Let every layer be where it is to read, a share `way` of its slot into it."""
        for v, state in enumerate(playing):
            going = state.frame + self.ratios[state.moved]
            right = float(self.memory.first[state.slot]) + way * float(self.memory.duration[state.slot])
            right -= float(self.memory.late[state.slot])
            asked = state.since == 0
            if asked:
                for other in playing[:v]:
                    if other.slot == state.slot and other.moved == self.unmoved:
                        right = other.frame  # together to the frame
            if state.frame >= 0 and state.shift == state.moved and (not asked or going == right):
                # What is read faster or slower strays by itself: it is brought back where a slot begins.
                turned = state.moved != self.unmoved
                asked = abs(going - right) > (self.stray if not turned or state.sounding != state.slot else self.far)
            if not asked:
                state.frame = going
            else:
                state.end = self.memory.last_frame(state.sounding) if state.sounding >= 0 else 0
                state.old = min(going, float(state.end)) if state.frame >= 0 else -1.0
                state.old_moved, state.fade = state.moved, 0
                state.frame, state.moved = max(0.0, math.floor(right + 0.5)), state.shift
                continue
            if state.old >= 0:
                state.fade += 1
                state.old = min(state.old + self.ratios[state.old_moved], float(state.end))
                if state.fade >= (self.fades[v] if state.moved == self.unmoved else self.short):
                    state.old = -1.0
        for state in playing:
            state.sounding = state.slot
            if self.memory.next(state.slot) < 0:  # what is ahead of the beat does not read on into another piece
                state.frame = min(state.frame, float(self.memory.last_frame(state.slot)))

    def sound(self, playing: list[LayerState], gains: list[float], overlap: Tensor) -> tuple[Tensor, Tensor]:
        """The block [channels, block] of left and right, and the overlap [channels, block] for the next, at linear `gains` [V]."""
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
        part = torch.where(self.percussive > 0, share, 1.0 - share) * self.member.repeat(2, 1) * torch.tensor(weights).unsqueeze(1)
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
        """Of the place that is read, or of the `old` one that fades: their powers add up to 1."""
        if state.old < 0:
            return 0.0 if old else 1.0
        blocks = self.fades[layer] if state.moved == self.unmoved else min(self.short, self.fades[layer])
        angle = 0.5 * math.pi * (state.fade + 1) / (blocks + 1)
        return math.cos(angle) if old else math.sin(angle)

    def moved(self, layer: int, frame: float, number: int) -> Tensor:
        """The block [channels, block] of a layer from `frame` on, read as fast as transposition `number` asks."""
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
        """A frame of the memory: the nearest."""
        return min(max(math.floor(frame + 0.5), 0), len(self.memory.frames) - 1)
