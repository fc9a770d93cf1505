"""What a `UnitPlayer` keeps between blocks, by name; the model file's contract wants it as a list of tensors."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class LayerState:
    """What one layer plays.

    `slot` of the memory (-1 none), number of the transposition `shift` (6 is none), blocks `since` it jumped, slots of its `run`
    in the memory, the number `chance` in 0..1 that decides whether it jumps in this slot and the logit `gate` of going on, the
    last value `new` of its control, and the `piece` that it prefers (-1 none).

    What is read (reading.py): the position `frame` in the memory's frames (-1 none) and the transposition `moved` at which it is
    read, slot `sounding` of the last block; the position `old` that fades (-1 none), its transposition `old_moved`, for how many
    blocks it has done so (`fade`), and the last frame `end` of its stretch.
    """

    def __init__(self, row: list[float]):
        self.slot: int = int(row[0])
        self.shift: int = int(row[1])
        self.since: int = int(row[2])
        self.run: int = int(row[3])
        self.chance: float = row[4]
        self.gate: float = row[5]
        self.new: float = row[6]
        self.piece: int = int(row[7])
        self.frame: float = row[8] + row[15]
        self.moved: int = int(row[9])
        self.sounding: int = int(row[10])
        self.old: float = row[11] + row[16]
        self.old_moved: int = int(row[12])
        self.fade: int = int(row[13])
        self.end: int = int(row[14])

    def unit(self) -> int:
        """Slot and transposition as one number."""
        return self.slot * 12 + self.shift

    def play(self, unit: int) -> None:
        """Be at slot and transposition of a `unit`."""
        self.slot, self.shift = unit // 12, unit % 12

    def row(self) -> list[float]:
        """As numbers."""
        counts = [float(self.slot), float(self.shift), float(self.since), float(self.run)]
        # TorchScript makes a list a tensor by way of float32: frames and shares of one apart, or what is transposed would stutter.
        frame, old = float(math.floor(self.frame)), float(math.floor(self.old))
        read = [frame, float(self.moved), float(self.sounding), old, float(self.old_moved), float(self.fade), float(self.end)]
        return counts + [self.chance, self.gate, self.new, float(self.piece)] + read + [self.frame - frame, self.old - old]  # noqa: RUF005 (TorchScript knows no unpacking)


def nothing() -> list[float]:
    """The row of a `LayerState` that plays nothing."""
    return [-1.0, 6.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0, -1.0, 6.0, -1.0, -1.0, 6.0, 0.0, 0.0, 0.0, 0.0]


class Moment:
    """Where a performance is: position in beats, number of the slot (-1 before the first), slots since the piece was chosen,
    what was asked for last: temperature, chord (-1 the model's own); and the slot that `UnitState.ahead` is of (-1 none)."""

    def __init__(self, numbers: list[float]):
        self.beat: float = numbers[0]
        self.slot: int = int(numbers[1])
        self.phrase: int = int(numbers[2])
        self.temperature: float = numbers[3]
        self.chord: int = int(numbers[4])
        self.ahead: int = int(numbers[5])

    def numbers(self) -> list[float]:
        """As numbers."""
        return [self.beat, float(self.slot), float(self.phrase), self.temperature, float(self.chord), float(self.ahead)]


class UnitState(NamedTuple):
    """`cells` h0 c0 h1 c1 ... [1, hidden] of the LSTM, `h` [1, hidden] what it says of this slot; `ahead` and `h_ahead` the same of
    the next slot, once they are known: no block is to do all the work.

    `codes` [64, V] int64 of the last slots and `units` [16, V] int64 of what was played in them (`LayerState.unit`, -1 nothing);
    newest last. `layers` [V, 17] and `moment` [6] float64 hold a `LayerState` each and a `Moment`. `genre` [G] as last asked for,
    `overlap` [channels, block] of the codec.
    """

    cells: list[Tensor]
    ahead: list[Tensor]
    h: Tensor
    h_ahead: Tensor
    codes: Tensor
    units: Tensor
    layers: Tensor
    moment: Tensor
    genre: Tensor
    overlap: Tensor


def pack(state: UnitState) -> list[Tensor]:
    """As a list of tensors."""
    middle = [state.h, state.h_ahead, state.codes, state.units, state.layers, state.moment, state.genre, state.overlap]
    return state.cells + state.ahead + middle


def unpack(state: list[Tensor], cells: int) -> UnitState:
    """From a list of tensors, the first `cells` of which are the LSTM's."""
    h, h_ahead, codes, units, layers, moment, genre, overlap = state[2 * cells :]
    return UnitState(state[:cells], state[cells : 2 * cells], h, h_ahead, codes, units, layers, moment, genre, overlap)


def initial(hidden: int, depth: int, layers: int, genres: int, codes: int, channels: int, block: int) -> UnitState:
    """Nothing heard, nothing plays, beat 0; `codes` is the code that means so."""
    return UnitState(
        [torch.zeros(1, hidden) for _ in range(2 * depth)],
        [torch.zeros(1, hidden) for _ in range(2 * depth)],
        torch.zeros(1, hidden),
        torch.zeros(1, hidden),
        torch.full([64, layers], codes),
        torch.full([16, layers], -1),
        torch.tensor([nothing() for _ in range(layers)], dtype=torch.float64),
        torch.tensor([0.0, -1.0, 0.0, 1.0, -1.0, -1.0], dtype=torch.float64),
        torch.zeros(genres),
        torch.zeros(channels, block),
    )
