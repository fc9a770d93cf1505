"""LSTM layers with two faces on one set of weights: whole sequences for training, one frame for streaming.

`nn.LSTM` repacks its weights at every call of one frame (6 ms on a laptop core); `LSTMCell` does not. Training on cells would
lose the fused sequence kernel. So the weights live in cells, and the sequence face hands them to the fused kernel.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class CellState(NamedTuple):
    """What one LSTM layer keeps between frames: its output `h` and its memory `c`, each [1, hidden]."""

    h: Tensor
    c: Tensor


class CellWeights(NamedTuple):
    """The weights of one LSTM layer in torch's order of gates (input, forget, cell, output).

    They are `inputs` [4 hidden, inputs], `recurrent` [4 hidden, hidden] and the sum `bias` [4 hidden] of the two biases.
    """

    inputs: Tensor
    recurrent: Tensor
    bias: Tensor


def at_rest(layers: int, hidden: int) -> list[CellState]:
    """Return the state of so many layers before their first frame: zeros."""
    return [CellState(torch.zeros(1, hidden), torch.zeros(1, hidden)) for _ in range(layers)]


def flat(cells: list[CellState]) -> list[Tensor]:
    """Return the states of layers as the list of tensors h0 c0 h1 c1 ... that a model file's state holds."""
    tensors: list[Tensor] = []
    for cell in cells:
        tensors += [cell.h, cell.c]
    return tensors


def paired(tensors: list[Tensor]) -> list[CellState]:
    """Return the states of layers from what `flat` returned."""
    cells: list[CellState] = []
    for h, c in zip(tensors[::2], tensors[1::2]):  # noqa: B905 (TorchScript knows no strict)
        cells.append(CellState(h, c))
    return cells


class Recurrent(nn.Module):
    """Stack of LSTM cells (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

    def __init__(self, inputs: int, hidden: int, layers: int, dropout: float = 0.0):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(inputs if i == 0 else hidden, hidden) for i in range(layers)])
        self.hidden, self.layers, self.dropout = hidden, layers, dropout

    def sequence(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Run over whole sequences: x [B, T, inputs], state [h, c] each [layers, B, hidden] -> ([B, T, hidden], state)."""
        # in the order that torch.lstm wants: input, recurrent, and their biases
        weights: list[Tensor] = [w for cell in self.cells for w in cell.parameters()]
        dropout = self.dropout if self.training else 0.0
        out, h, c = torch.lstm(x, state, weights, True, self.layers, dropout, self.training, False, True)
        return out, [h, c]

    def frame(self, x: Tensor, state: list[CellState]) -> tuple[Tensor, list[CellState]]:
        """Take one frame: x [1, inputs] and the state of every layer -> ([1, hidden], state)."""
        after: list[CellState] = []
        for layer, cell in enumerate(self.cells):
            was = state[layer]
            h, c = cell(x, (was.h, was.c))
            after.append(CellState(h, c))
            x = h
        return x, after

    def weights(self) -> list[CellWeights]:
        """Return the weights of every layer, the first one first."""
        found = []
        for cell in self.cells:
            inputs, recurrent, bias, other = cell.parameters()
            found.append(CellWeights(inputs, recurrent, bias + other))
        return found

    def initial_sequence_state(self, batch: int, device: torch.device | str = "cpu") -> list[Tensor]:
        """Return zeros for `sequence`: [h, c] each [layers, batch, hidden]."""
        return [torch.zeros(self.layers, batch, self.hidden, device=device) for _ in range(2)]
