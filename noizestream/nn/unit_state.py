"""What a `UnitPlayer` keeps between blocks, by name; the model file's contract wants it as a list of tensors.

Each NamedTuple here is the table of what is kept: its fields, in their order, are what is written and read again.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from noizestream.nn.recurrent import at_rest, flat


class LayerRow(NamedTuple):
    """What is kept of a layer, as numbers; the defaults are those of a layer that plays nothing."""

    slot: float = -1.0  # of the memory, -1 none
    shift: float = 6.0  # number of the transposition, 6 is none
    since: float = 0.0  # blocks since it jumped
    run: float = 0.0  # slots of its run in the memory
    chance: float = 0.0  # the number in 0..1 that decides whether it jumps in this slot
    gate: float = 0.0  # logit of going on
    new: float = -1.0  # last value of its control
    piece: float = -1.0  # that it prefers, -1 none
    frame: float = -1.0  # where the memory is read: whole frames, -1 none
    moved: float = 6.0  # transposition at which it is read
    sounding: float = -1.0  # slot of the last block
    old: float = -1.0  # the place that fades: whole frames, -1 none
    old_moved: float = 6.0  # its transposition
    fade: float = 0.0  # blocks for which it has faded
    end: float = 0.0  # last frame of its stretch
    frame_rest: float = 0.0  # share of a frame beyond `frame`
    old_rest: float = 0.0  # and beyond `old`


NOTHING = LayerRow()


class LayerState:
    """What one layer plays, to be changed in place; `LayerRow` says what each is. `frame` and `old` hold shares of a frame too."""

    def __init__(self, row: LayerRow = NOTHING):
        self.slot: int = int(row.slot)
        self.shift: int = int(row.shift)
        self.since: int = int(row.since)
        self.run: int = int(row.run)
        self.chance: float = row.chance
        self.gate: float = row.gate
        self.new: float = row.new
        self.piece: int = int(row.piece)
        self.frame: float = row.frame + row.frame_rest
        self.moved: int = int(row.moved)
        self.sounding: int = int(row.sounding)
        self.old: float = row.old + row.old_rest
        self.old_moved: int = int(row.old_moved)
        self.fade: int = int(row.fade)
        self.end: int = int(row.end)

    def unit(self) -> int:
        """Return slot and transposition as one number."""
        return self.slot * 12 + self.shift

    def play(self, unit: int) -> None:
        """Be at the slot and transposition of a `unit`."""
        self.slot, self.shift = unit // 12, unit % 12

    def numbers(self) -> list[float]:
        """Return the numbers of a `LayerRow`, in its order, from which the same state can be made again."""
        # TorchScript makes a list a tensor by way of float32: frames and shares of one apart, or what is transposed would stutter.
        frame, old = float(math.floor(self.frame)), float(math.floor(self.old))
        slot, shift, since, run = float(self.slot), float(self.shift), float(self.since), float(self.run)
        piece, moved, sounding = float(self.piece), float(self.moved), float(self.sounding)
        old_moved, fade, end = float(self.old_moved), float(self.fade), float(self.end)
        more, old_more = self.frame - frame, self.old - old
        # One list at once, not the row as a list: that would be an operator a number.
        return [
            slot, shift, since, run, self.chance, self.gate, self.new, piece,
            frame, moved, sounding, old, old_moved, fade, end, more, old_more,
        ]  # fmt: skip


def layer_row(numbers: list[float]) -> LayerRow:
    """Return the row that these numbers are."""
    slot, shift, since, run, chance, gate, new, piece, frame, moved, sounding, old, old_moved, fade, end, more, old_more = numbers
    return LayerRow(
        slot, shift, since, run, chance, gate, new, piece, frame, moved, sounding, old, old_moved, fade, end, more, old_more
    )


def layers_of(table: Tensor) -> list[LayerState]:
    """Return the layers that a table [V, 17] holds (`UnitState.layers`)."""
    rows: list[list[float]] = table.tolist()
    return [LayerState(layer_row(row)) for row in rows]


def table_of(layers: list[LayerState]) -> Tensor:
    """Return the table [V, 17] float64 of layers, which `layers_of` reads."""
    return torch.tensor([layer.numbers() for layer in layers], dtype=torch.float64)


class MomentRow(NamedTuple):
    """What is kept of where a performance is, as numbers; the defaults are those of its beginning."""

    beat: float = 0.0  # position in beats
    slot: float = -1.0  # number of the slot, -1 before the first
    phrase: float = 0.0  # slots since the piece was chosen
    temperature: float = 1.0  # last asked for
    chord: float = -1.0  # last asked for, -1 the model's own
    ahead: float = -1.0  # slot that `UnitState.ahead` is of, -1 none


BEGINNING = MomentRow()


class Moment:
    """Where a performance is, to be changed in place; `MomentRow` says what each is."""

    def __init__(self, row: MomentRow = BEGINNING):
        self.beat: float = row.beat
        self.slot: int = int(row.slot)
        self.phrase: int = int(row.phrase)
        self.temperature: float = row.temperature
        self.chord: int = int(row.chord)
        self.ahead: int = int(row.ahead)

    def numbers(self) -> list[float]:
        """Return the numbers of a `MomentRow`, in its order, from which the same moment can be made again."""
        return [self.beat, float(self.slot), float(self.phrase), self.temperature, float(self.chord), float(self.ahead)]


def moment_of(numbers: Tensor) -> Moment:
    """Return the moment that a tensor [6] holds (`UnitState.moment`)."""
    kept: list[float] = numbers.tolist()
    beat, slot, phrase, temperature, chord, ahead = kept
    return Moment(MomentRow(beat, slot, phrase, temperature, chord, ahead))


def numbers_of(moment: Moment) -> Tensor:
    """Return the tensor [6] float64 of a moment, which `moment_of` reads."""
    # TorchScript makes a list a tensor by way of float32: there the beat would drift.
    beat, rest = torch.full([1], moment.beat, dtype=torch.float64), moment.numbers()[1:]
    return torch.cat([beat, torch.tensor(rest, dtype=torch.float64)])


class UnitState(NamedTuple):
    """All that is kept between blocks: of V layers, G genres, an LSTM of `hidden` numbers a layer, a codec of one block.

    What comes `ahead` is that of the next slot, once it is known: no block is to do all the work. The newest slot is last.
    """

    cells: list[Tensor]  # state of the LSTM as `recurrent.flat` gives it: only the blocks that ask it take it apart
    ahead: list[Tensor]
    h: Tensor  # [1, hidden], what the LSTM says of this slot
    h_ahead: Tensor
    codes: Tensor  # [64, V] int64, of the last slots
    units: Tensor  # [16, V] int64, what was played in them (`LayerState.unit`), -1 nothing
    layers: Tensor  # [V, 17] float64, a `LayerRow` each
    moment: Tensor  # [6] float64, a `MomentRow`
    genre: Tensor  # [G], as last asked for
    overlap: Tensor  # [channels, block] of the codec


SINGLE = len(UnitState._fields) - 2
"""Fields that are one tensor each: all but those of the LSTM, which come first."""


def pack(state: UnitState) -> list[Tensor]:
    """Return the state as a list of tensors."""
    tensors = state.cells + state.ahead
    for one in state[2:]:
        tensors.append(one)
    return tensors


def unpack(state: list[Tensor], single: int = SINGLE) -> UnitState:
    """Return the state that `pack` returned as a list of tensors."""
    lstm = state[:-single]
    half = len(lstm) // 2
    h, h_ahead, codes, units, layers, moment, genre, overlap = state[-single:]
    return UnitState(lstm[:half], lstm[half:], h, h_ahead, codes, units, layers, moment, genre, overlap)


def initial(hidden: int, depth: int, layers: int, genres: int, codes: int, channels: int, block: int) -> UnitState:
    """Return the state of a player that has heard and played nothing, at beat 0; `codes` is the code that means nothing."""
    return UnitState(
        cells=flat(at_rest(depth, hidden)),
        ahead=flat(at_rest(depth, hidden)),
        h=torch.zeros(1, hidden),
        h_ahead=torch.zeros(1, hidden),
        codes=torch.full([64, layers], codes),
        units=torch.full([16, layers], -1),
        layers=table_of([LayerState() for _ in range(layers)]),
        moment=numbers_of(Moment()),
        genre=torch.zeros(genres),
        overlap=torch.zeros(channels, block),
    )
