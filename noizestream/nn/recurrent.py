"""LSTM layers with two faces on one set of weights: whole sequences for training, one frame for streaming.

`nn.LSTM` repacks its weights at every call of one frame (6 ms on a laptop core); `LSTMCell` does not. Training on cells would
lose the fused sequence kernel. So the weights live in cells, and the sequence face hands them to the fused kernel.
"""

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """Stack of LSTM cells (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

    def __init__(self, inputs: int, hidden: int, layers: int, dropout: float = 0.0):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(inputs if i == 0 else hidden, hidden) for i in range(layers)])
        self.hidden, self.layers, self.dropout = hidden, layers, dropout

    def sequence(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """x [B, T, inputs], state [h, c] each [layers, B, hidden] -> ([B, T, hidden], state)."""
        # in the order that torch.lstm wants: input, recurrent, and their biases
        weights: list[Tensor] = [w for cell in self.cells for w in cell.parameters()]
        dropout = self.dropout if self.training else 0.0
        out, h, c = torch.lstm(x, state, weights, True, self.layers, dropout, self.training, False, True)
        return out, [h, c]

    def frame(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """x [1, inputs], state [h0, c0, h1, c1, ...] each [1, hidden] -> ([1, hidden], state)."""
        after: list[Tensor] = []
        for i, cell in enumerate(self.cells):
            h, c = cell(x, (state[2 * i], state[2 * i + 1]))
            after.append(h)
            after.append(c)
            x = h
        return x, after

    def initial_sequence_state(self, batch: int, device: torch.device | str = "cpu") -> list[Tensor]:
        """Zeros: [h, c] each [layers, batch, hidden]."""
        return [torch.zeros(self.layers, batch, self.hidden, device=device) for _ in range(2)]
