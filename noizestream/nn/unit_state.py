"""What a `UnitPlayer` keeps between blocks, by name; the model file's contract wants it as a list of tensors."""

from typing import NamedTuple

import torch
from torch import Tensor


class LayerState:
    """What one layer plays.

    `slot` of the memory (-1 none), number of the transposition `shift` (6 is none), blocks `since` it jumped, slots of its `run`
    in the memory, the number `chance` in 0..1 that decides whether it jumps in this slot and the logit `gate` of going on, the
    last value `new` of its control, the `piece` that it prefers (-1 none), and the position `frame` in the memory's frames.
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
        self.frame: float = row[8]

    def unit(self) -> int:
        """Slot and transposition as one number."""
        return self.slot * 12 + self.shift

    def play(self, unit: int) -> None:
        """Be at slot and transposition of a `unit`."""
        self.slot, self.shift = unit // 12, unit % 12

    def row(self) -> list[float]:
        """As numbers."""
        counts = [float(self.slot), float(self.shift), float(self.since), float(self.run)]
        return counts + [self.chance, self.gate, self.new, float(self.piece), self.frame]  # noqa: RUF005 (TorchScript knows no unpacking)


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
    newest last. `layers` [V, 9] and `moment` [6] float64 hold a `LayerState` each and a `Moment`. `genre` [G] as last asked for,
    `columns` [columns] and `latents` [latents] of the last block, `sound` of the synthesis (phases.py).
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
    columns: Tensor
    latents: Tensor
    sound: list[Tensor]


def pack(state: UnitState) -> list[Tensor]:
    """As a list of tensors."""
    middle = [
        state.h,
        state.h_ahead,
        state.codes,
        state.units,
        state.layers,
        state.moment,
        state.genre,
        state.columns,
        state.latents,
    ]
    return state.cells + state.ahead + middle + state.sound


def unpack(state: list[Tensor], cells: int) -> UnitState:
    """From a list of tensors, the first `cells` of which are the LSTM's."""
    middle = state[2 * cells : 2 * cells + 9]
    return UnitState(
        state[:cells],
        state[cells : 2 * cells],
        middle[0],
        middle[1],
        middle[2],
        middle[3],
        middle[4],
        middle[5],
        middle[6],
        middle[7],
        middle[8],
        state[2 * cells + 9 :],
    )


def initial(
    hidden: int, depth: int, layers: int, genres: int, codes: int, columns: int, latents: int, sound: list[Tensor]
) -> UnitState:
    """Nothing heard, nothing plays, beat 0; `codes` is the code that means so."""
    return UnitState(
        [torch.zeros(1, hidden) for _ in range(2 * depth)],
        [torch.zeros(1, hidden) for _ in range(2 * depth)],
        torch.zeros(1, hidden),
        torch.zeros(1, hidden),
        torch.full([64, layers], codes),
        torch.full([16, layers], -1),
        torch.tensor([[-1.0, 6.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0, -1.0] for _ in range(layers)], dtype=torch.float64),
        torch.tensor([0.0, -1.0, 0.0, 1.0, -1.0, -1.0], dtype=torch.float64),
        torch.zeros(genres),
        torch.full([columns], -9.0),
        torch.zeros(latents),
        sound,
    )
