"""The inference form: the networks as they are played, the same functions of the same weights in fewer and cheaper operators.

A step is hundreds of operators on a few hundred numbers, and most of its time goes into calling them. So, once a model is trained,
an LSTM layer has one matrix for input and state together, and its three sigmoids are one operator.

`inference_form` takes a whole player; export tests what it returns against the networks as they were trained.
"""

import copy
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from noizestream.nn.parts import Parts, Pulse
from noizestream.nn.raw import RawPlayer
from noizestream.nn.recurrent import CellState, CellWeights, Recurrent
from noizestream.nn.units import UnitPlayer

AnyPlayer = TypeVar("AnyPlayer", bound=UnitPlayer | RawPlayer)
AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


class InferenceRecurrent(nn.Module):
    """LSTM layers that take single frames only, made of the weights of trained ones."""

    def __init__(self, weights: list[CellWeights]):
        super().__init__()
        self.layers, self.hidden = len(weights), weights[0].recurrent.shape[1]
        self.gates = nn.ModuleList([_linear(one) for one in weights])

    def frame(self, x: Tensor, state: list[CellState]) -> tuple[Tensor, list[CellState]]:
        """Take one frame: x [1, inputs] and the state of every layer -> ([1, hidden], state)."""
        after: list[CellState] = []
        for layer, gates in enumerate(self.gates):
            was = state[layer]
            sigmoids, new = gates(torch.cat([x, was.h], 1)).split([3 * self.hidden, self.hidden], 1)
            enter, keep, leave = sigmoids.sigmoid_().chunk(3, 1)
            c = torch.addcmul(enter.mul_(new.tanh_()), keep, was.c)
            x = torch.tanh(c).mul_(leave)
            after.append(CellState(x, c))
        return x, after


@torch.no_grad()
def inference_form(player: AnyPlayer) -> AnyPlayer:
    """Return a trained player for playing only: the same methods, the same sound but for rounding.

    It shares what was not trained, such as the memory, with `player`, which is left as it was.
    """
    return with_recurrent(player, InferenceRecurrent(recurrent_of(player).weights()))


def recurrent_of(player: UnitPlayer | RawPlayer) -> Recurrent:
    """Return the LSTM of a trained player."""
    return player.predictor.recurrent if isinstance(player, RawPlayer) else player.navigator.recurrent


def with_recurrent(player: AnyPlayer, recurrent: nn.Module) -> AnyPlayer:
    """Return a player for playing only that is composed of the parts of `player`, but for its LSTM: that is `recurrent`."""
    if isinstance(player, RawPlayer):
        predictor = _copied(player.predictor, player.predictor.recurrent, recurrent)
        return cast(AnyPlayer, RawPlayer(predictor, player.sample_rate, player.deviation).eval())
    navigator = _copied(player.navigator, player.navigator.recurrent, recurrent)
    parts = Parts(player.hearing.front, player.hearing.codec, player.layers, player.memory, navigator)
    return cast(AnyPlayer, UnitPlayer(parts, Pulse(player.log_tempos, player.beaten)).eval())


def _copied(network: AnyNetwork, trained: nn.Module, recurrent: nn.Module) -> AnyNetwork:
    """A copy of `network` that has `recurrent` where it has `trained`, which is not copied; nothing of it is trained further."""
    copied = copy.deepcopy(network, {id(trained): recurrent})
    return copied.requires_grad_(False)


def _linear(weights: CellWeights) -> nn.Linear:
    """One layer for input and state together, the three sigmoids first."""
    both = torch.cat([weights.inputs, weights.recurrent], 1)
    linear = nn.Linear(both.shape[1], both.shape[0])
    linear.weight.copy_(_sigmoids_first(both))
    linear.bias.copy_(_sigmoids_first(weights.bias))
    return linear


def _sigmoids_first(rows: Tensor) -> Tensor:
    """Rows of an LSTM's weights in torch's order (input, forget, cell, output) -> the cell's last."""
    enter, keep, new, leave = rows.chunk(4)
    return torch.cat([enter, keep, leave, new])
