"""The networks in the form they are played in: the same functions of the same weights, in fewer and cheaper operators.

A step is hundreds of operators on a few hundred numbers, and most of its time goes into calling them. So, once a model is trained:

- an LSTM layer has one matrix for input and state together, and its three sigmoids are one operator; the linear layer before the
  first one is in that matrix too, for nothing bends between them;
- what is known before the draw (biases, Gumbel noise, the persistence of the last latent) is added for all groups at once, and of a
  head only the logits and the rows of the chosen component are computed;
- GELU is x (1 + erf(x / sqrt 2)) / 2 with its factors in the weights around it: torch's own takes ten times as long on a vector;
- the codec's scales are in its weights, and its linear and learned parts are one matrix;
- the synthesis asks for one Fourier transform in place of three (lean_phases.py);
- what an operator has just made, the next one overwrites where it can: half of a small operator's time makes its result's memory.

`lean` takes a whole player; export tests what it returns against the networks as they were trained.
"""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from noizestream.nn.codec import Codec
from noizestream.nn.lean_phases import LeanSynthesis
from noizestream.nn.predictor import Predictor
from noizestream.nn.recurrent import Recurrent

INTO_ERF = 1 / math.sqrt(2)
"""What the layer before a GELU is scaled by, so that the error function takes its output as it is."""


class LeanGELU(nn.Module):
    """y [...] -> y (1 + erf(y)), written over y: sqrt 2 times GELU(x) for y = x / sqrt 2."""

    def forward(self, y: Tensor) -> Tensor:
        return y.addcmul_(y, torch.erf(y))


class LeanRecurrent(Recurrent):
    """LSTM layers that take single frames only; with the linear layer `enter` before them, if one is given."""

    def __init__(self, recurrent: Any, enter: Any = None):
        nn.Module.__init__(self)
        self.layers, self.hidden = recurrent.layers, recurrent.hidden
        self.gates = nn.ModuleList()
        for cell in recurrent.cells:
            weight, bias = cell.weight_ih, cell.bias_ih + cell.bias_hh
            if enter is not None:
                weight, bias, enter = weight @ enter.weight, bias + weight @ enter.bias, None
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


class DrawnGroup(nn.Module):
    """One group of dimensions: `given` [hidden, start], `choose` [M, hidden], `rows` [M, 2 * size, hidden]."""

    given: Tensor
    choose: Tensor
    rows: Tensor

    def __init__(self, head: Any, given: Any, mixtures: int, first: bool):
        super().__init__()
        self.first: bool = first
        weight = head.weight.unflatten(0, (mixtures, -1)) * INTO_ERF  # GELU is 1 / sqrt 2 of what LeanGELU returns
        self.register_buffer("given", given.weight * INTO_ERF)
        self.register_buffer("choose", weight[:, 0].contiguous())
        self.register_buffer("rows", weight[:, 1:].contiguous())

    def forward(self, inner: Tensor, drawn: Tensor, logits: Tensor, rows: Tensor) -> Tensor:
        """inner [hidden], drawn [start], logits [M], rows [M, 2 * size] -> deltas and log deviations [2 * size].

        All but `drawn` come with what is known before the draw, and are written over.
        """
        y = inner if self.first else inner.addmv_(self.given, drawn)
        x = y.addcmul_(y, torch.erf(y))
        # A number, not a tensor: what it selects are views, which cost next to nothing.
        chosen = int(torch.argmax(logits.addmv_(self.choose, x)))
        return rows[chosen].addmv_(self.rows[chosen], x)


class LeanPredictor(Predictor):
    """A predictor that cannot be trained."""

    clock_weight: Tensor
    clock_bias: Tensor
    row_bias: Tensor
    row_persistence: Tensor
    row_latent: Tensor
    choice_bias: Tensor
    given_bias: Tensor

    def __init__(self, trained: Any):
        nn.Module.__init__(self)
        self.__dict__.update(copy.deepcopy(trained).__dict__)
        self.recurrent = LeanRecurrent(trained.recurrent, trained.enter)
        # So small that it takes longer to quantise what it reads than to read it all.
        self.register_buffer("clock_weight", trained.clock_in.weight * INTO_ERF)
        self.register_buffer("clock_bias", trained.clock_in.bias * INTO_ERF)
        guide = torch.cat([trained.clock_out.weight * INTO_ERF, trained.resting.T, trained.notes_out.weight], 1)
        self.guide = _linear(guide, trained.clock_out.bias)
        del self.enter, self.clock_in, self.clock_out, self.notes_out, self.heads, self.given
        self.lean_gelu = LeanGELU()
        heads = list(zip(trained.heads, trained.given, trained.starts, trained.ends, strict=True))
        self.drawn: Any = nn.ModuleList([DrawnGroup(head, given, trained.mixtures, not start) for head, given, start, _ in heads])
        # Rows of all groups beside each other: the deltas of each group, then its log deviations.
        rows, persistence, latent, choice, given_bias = [], [], [], [], []
        for head, given, start, end in heads:
            bias = head.bias.unflatten(0, (trained.mixtures, -1))
            choice.append(bias[:, 0])
            rows.append(bias[:, 1:])
            kept = trained.persistence[:, start:end]
            persistence.append(torch.cat([kept, torch.zeros_like(kept)], 1))
            latent.append(torch.arange(start, end).repeat(2))
            given_bias.append(given.bias if start else torch.zeros_like(given.bias))
        self.register_buffer("row_bias", torch.cat(rows, 1))
        self.register_buffer("row_persistence", torch.cat(persistence, 1))
        self.register_buffer("row_latent", torch.cat(latent))
        self.register_buffer("choice_bias", torch.stack(choice))
        self.register_buffer("given_bias", torch.stack(given_bias) * INTO_ERF)
        self.into_erf: float = INTO_ERF
        self.sizes: list[int] = [end - start for start, end in zip(trained.starts, trained.ends, strict=True)]
        self.row_sizes: list[int] = [2 * size for size in self.sizes]
        self.lowest: float = trained.sharpest + trained.shift
        self.highest: float = trained.widest + trained.shift

    def enter_features(self, z: Tensor, genre: Tensor, clock: Tensor, notes: Tensor) -> Tensor:
        """What the LSTM takes: [1, latent + G + C + notes]."""
        return torch.cat([z, genre, clock, notes], 1)

    def guided(self, h: Tensor, genre: Tensor, clock: Tensor, notes: Tensor, accent: Tensor) -> Tensor:
        """As `Predictor.guided`, for one frame: h [1, hidden], genre and accent [1, G], clock [1, C], notes [1, partials]."""
        inner = self.lean_gelu(torch.addmv(self.clock_bias, self.clock_weight, (genre.view(-1, 1) * clock).view(-1)))
        return h + self.guide(torch.cat([(accent.view(-1, 1) * inner).view(1, -1), genre - accent, notes], 1))

    def mixture(self, h: Tensor, z: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `Predictor.mixture`."""
        logits: list[Tensor] = []
        deltas: list[Tensor] = []
        spreads: list[Tensor] = []
        biases = self.row_bias.split(self.row_sizes, 1)
        for g, group in enumerate(self.drawn):
            inner = h * self.into_erf + self.given_bias[g]
            if not group.first:
                inner = inner + torch.nn.functional.linear(target[..., : group.given.shape[1]], group.given)
            x = self.lean_gelu(inner)
            logits.append(torch.nn.functional.linear(x, group.choose, self.choice_bias[g]))
            out = torch.nn.functional.linear(x, group.rows.flatten(0, 1), biases[g].flatten())
            delta, spread = out.unflatten(-1, [self.mixtures, self.row_sizes[g]]).chunk(2, -1)
            deltas.append(delta)
            spreads.append(spread)
        spread = (torch.cat(spreads, -1) - self.shift).clamp(self.sharpest, self.widest)
        return torch.stack(logits, -2), self.persistence * z.unsqueeze(-2) + torch.cat(deltas, -1), spread

    def draw(self, h: Tensor, z: Tensor, choice: Tensor, gauss: Tensor, choice_temperature: float, width: float) -> Tensor:
        """As `Predictor.draw`."""
        logits = torch.add(self.choice_bias, choice, alpha=choice_temperature).unbind(0)
        rows = torch.addcmul(self.row_bias, self.row_persistence, z[0].index_select(0, self.row_latent)).split(self.row_sizes, 1)
        inner = torch.add(self.given_bias, h, alpha=self.into_erf).unbind(0)
        gaussian = gauss[0].split(self.sizes)
        width, drawn = width * self.first_deviation, gaussian[0]
        for g, group in enumerate(self.drawn):
            mean, spread = group(inner[g], drawn, logits[g], rows[g]).chunk(2)
            one = mean.addcmul_(spread.clamp_(self.lowest, self.highest).exp_(), gaussian[g], value=width)
            drawn = one if g == 0 else torch.cat([drawn, one])
        return drawn.unsqueeze(0)


class LeanCodec(Codec):
    """A codec that cannot be trained; only its way back differs."""

    into: Tensor
    into_bias: Tensor
    out: Tensor
    out_bias: Tensor

    def __init__(self, trained: Any):
        nn.Module.__init__(self)
        self.__dict__.update(copy.deepcopy(trained).__dict__)
        first, last = trained.decoder[0], trained.decoder[2]
        self.register_buffer("into", first.weight * trained.scale.repeat(trained.context) * INTO_ERF)
        self.register_buffer("into_bias", first.bias * INTO_ERF)
        joined = torch.cat([trained.synthesis * trained.scale, last.weight * INTO_ERF], 1)
        self.register_buffer("out", joined / trained.weight[:, None])
        self.register_buffer("out_bias", (last.bias + trained.mean) / trained.weight)
        self.lean_gelu = LeanGELU()
        del self.decoder, self.synthesis

    def decode_frame(self, history: Tensor) -> Tensor:
        """As `Codec.decode_frame`."""
        last = history.select(-2, self.context - 1)
        if history.dim() == 2:
            inner = self.lean_gelu(torch.addmv(self.into_bias, self.into, history.view(-1)))
            return torch.minimum(torch.addmv(self.out_bias, self.out, torch.cat([last, inner])), self.highest)
        inner = self.lean_gelu(torch.nn.functional.linear(history.flatten(-2), self.into, self.into_bias))
        return torch.minimum(torch.nn.functional.linear(torch.cat([last, inner], -1), self.out, self.out_bias), self.highest)


@torch.no_grad()
def lean(player: Any) -> Any:
    """A copy of a trained `Player` or `RawPlayer` for playing only: same methods, same sound but for rounding."""
    copied = copy.deepcopy(player)
    if isinstance(copied.predictor, Predictor):
        copied.predictor, copied.codec = LeanPredictor(player.predictor), LeanCodec(player.codec)
        copied.plan.recurrent = LeanRecurrent(player.plan.recurrent)
        copied.synthesis = LeanSynthesis(copied.synthesis)
    else:
        copied.predictor.recurrent = LeanRecurrent(player.predictor.recurrent)
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
