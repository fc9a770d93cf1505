"""The networks in the form they are played in: the same functions of the same weights, in fewer and cheaper operators.

A step is hundreds of operators on a few hundred numbers, and most of its time goes into calling them. So, once a model is trained,
an LSTM layer has one matrix for input and state together, and its three sigmoids are one operator.

`lean` takes a whole player; export tests what it returns against the networks as they were trained.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from noizestream.nn.raw import RawPlayer
from noizestream.nn.recurrent import Recurrent


class LeanRecurrent(Recurrent):
    """LSTM layers that take single frames only."""

    def __init__(self, recurrent: Any):
        nn.Module.__init__(self)
        self.layers, self.hidden = recurrent.layers, recurrent.hidden
        self.gates = nn.ModuleList()
        for cell in recurrent.cells:
            weight, bias = cell.weight_ih, cell.bias_ih + cell.bias_hh
            self.gates.append(_linear(_sigmoids_first(torch.cat([weight, cell.weight_hh], 1)), _sigmoids_first(bias)))

    def frame(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """x [1, inputs], state [h0, c0, h1, c1, ...] each [1, hidden] -> ([1, hidden], state)."""
        after: list[Tensor] = []
        for layer, gates in enumerate(self.gates):
            sigmoids, new = gates(torch.cat([x, state[2 * layer]], 1)).split([3 * self.hidden, self.hidden], 1)
            enter, keep, leave = sigmoids.sigmoid_().chunk(3, 1)
            c = torch.addcmul(enter.mul_(new.tanh_()), keep, state[2 * layer + 1])
            x = torch.tanh(c).mul_(leave)
            after.append(x)
            after.append(c)
        return x, after


@torch.no_grad()
def lean(player: Any) -> Any:
    """A copy of a trained `UnitPlayer` or `RawPlayer` for playing only: same methods, same sound but for rounding."""
    copied = copy.deepcopy(player)
    if isinstance(copied, RawPlayer):
        copied.predictor.recurrent = LeanRecurrent(player.predictor.recurrent)
    else:
        copied.navigator.recurrent = LeanRecurrent(player.navigator.recurrent)
    for parameter in copied.parameters():
        parameter.requires_grad_(False)
    return copied.eval()


def _sigmoids_first(rows: Tensor) -> Tensor:
    """Rows of an LSTM's weights in torch's order (input, forget, cell, output) -> the cell's last."""
    enter, keep, new, leave = rows.chunk(4)
    return torch.cat([enter, keep, leave, new])


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight.copy_(weight)
    linear.bias.copy_(bias)
    return linear
