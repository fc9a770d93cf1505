"""The LSTM over slots: layer by layer it says whether to go on in the memory, and if not, which code comes next.

    codes of the last slot, of a bar ago, of four bars ago, clock, genre, piece -> LSTM -> h
    layer by layer:  h, code that would follow in the memory, for how long it has been followed -> chance to go on
                     h -> codes of the layer;  h <- tanh(h + the code that the layer took)

Each layer's probability of a code c is mixed from a pointer into the memory and the codes themselves, as a pointer generator's is
(See et al. 2017): P(c) = g [c is what follows] + (1 - g) p(c). In training what follows is taken from another place of the music
that has run alike for a while: so `g` says how far music like this is to be trusted to go on alike.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.recurrent import Recurrent

AGO = (1, 16, 64)
"""Slots ago whose codes are heard: the last one, a bar and four bars."""
REMEMBERED = max(AGO)
PERIODS = (2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 64.0, 128.0)
"""Of the clock, in slots; 12 and 24 are bars of three."""
WRAP = 384
"""A multiple of every period."""
EMBEDDED = 64
PIECE = 24
CLOCK = 2 * len(PERIODS) + 1
LONGEST_RUN = 64.0


class Navigator(nn.Module):
    """Codes are numbered over all genres; `codes` is the number that means that nothing is known, `pieces` the same of pieces."""

    turns: Tensor
    allowed: Tensor

    def __init__(self, code_first: list[int], pieces: int, layers: int, hidden: int, depth: int = 2, dropout: float = 0.3):
        super().__init__()
        self.layers, self.hidden, self.genres = layers, hidden, len(code_first) - 1
        self.codes: int = code_first[-1]
        self.pieces: int = pieces
        self.piece = nn.Embedding(pieces + 1, PIECE)
        self.enter = nn.Linear(len(AGO) * layers * EMBEDDED + self.genres + CLOCK + PIECE, hidden)
        self.recurrent = Recurrent(hidden, hidden, depth, dropout)
        # Layer by layer, as one table each: scripted code has no loop over modules.
        self.embed = nn.Parameter(torch.randn(layers, self.codes + 1, EMBEDDED))
        self.head, self.head_bias = _linears(layers, hidden, EMBEDDED)
        self.out, self.out_bias = _linears(layers, EMBEDDED, self.codes)
        self.taken, _ = _linears(layers, EMBEDDED, hidden)
        self.proposed, self.proposed_bias = _linears(layers, EMBEDDED, hidden)
        self.going, self.going_bias = _linears(layers, hidden + 2, 1)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("turns", 2 * math.pi / torch.tensor(PERIODS))
        allowed = torch.zeros(self.genres, self.codes, dtype=torch.bool)
        for g in range(self.genres):
            allowed[g, code_first[g] : code_first[g + 1]] = True
        self.register_buffer("allowed", allowed)
        self.longest: float = LONGEST_RUN

    def clock(self, slot: Tensor, beaten: Tensor) -> Tensor:
        """Encode slot [...] float -> [..., CLOCK]; where beaten [...] is not 1 there is no beat, and so no clock."""
        angle = slot.unsqueeze(-1) * self.turns
        shown = beaten.unsqueeze(-1)
        return torch.cat([angle.sin() * shown, angle.cos() * shown, shown], -1)

    def heard(self, codes: Tensor, hidden_share: float = 0.0) -> Tensor:
        """Embed codes [..., ago, layers] -> [..., features]; in training a share of what lies a bar and more back is hidden."""
        parts: list[Tensor] = []  # each [..., ago, EMBEDDED]
        for v in range(self.layers):
            parts.append(torch.nn.functional.embedding(codes[..., v], self.embed[v]))
        x = torch.stack(parts, -2)
        if self.training:
            keep = (torch.rand(x[..., :1, :1].shape, device=x.device) >= hidden_share).float()
            keep[..., 0, :, :] = 1.0
            x = self.dropout(x) * keep
        return x.flatten(-3)

    def sequence(
        self, codes: Tensor, genre: Tensor, slot: Tensor, beaten: Tensor, piece: Tensor, state: list[Tensor], hidden_share: float
    ) -> tuple[Tensor, list[Tensor]]:
        """Run over codes [B, T, ago, layers], genre [B, T, G], slot and beaten [B, T], piece [B, T] -> h [B, T, hidden], state."""
        x = torch.cat([self.heard(codes, hidden_share), genre, self.clock(slot, beaten), self.piece(piece)], -1)
        h, state = self.recurrent.sequence(torch.nn.functional.gelu(self.enter(x)), state)
        return self.dropout(h), state

    def up(self, h: Tensor, layer: int, code: Tensor) -> Tensor:
        """Return what the next layer is told: h [..., hidden] and the code [...] that `layer` took."""
        told = torch.nn.functional.embedding(code, self.embed[layer])
        return torch.tanh(h + torch.nn.functional.linear(told, self.taken[layer]))

    def logits(self, h: Tensor, layer: int, first: int, last: int) -> Tensor:
        """Return logits [..., last - first] of the codes from `first` to `last` (excluded)."""
        x = torch.tanh(torch.nn.functional.linear(h, self.head[layer], self.head_bias[layer]))
        return torch.nn.functional.linear(x, self.out[layer, first:last], self.out_bias[layer, first:last])

    def log_p(self, h: Tensor, layer: int, genre: Tensor) -> Tensor:
        """Return log probabilities [..., codes] of the codes of genre [...] (a number)."""
        logits = self.logits(h, layer, 0, self.codes)
        return torch.log_softmax(logits.masked_fill(~self.allowed[genre], float("-inf")), -1)

    def gate(self, h: Tensor, layer: int, proposed: Tensor, run: Tensor, log_p: Tensor) -> Tensor:
        """Return the logit [...] of going on with the code `proposed` [...], of log_p [...], followed for `run` [...] slots."""
        told = torch.nn.functional.embedding(proposed, self.embed[layer])
        x = torch.tanh(h + torch.nn.functional.linear(told, self.proposed[layer], self.proposed_bias[layer]))
        followed = torch.log1p(run.clamp(max=self.longest))
        x = torch.cat([x, followed.unsqueeze(-1), log_p.clamp(min=-12.0).unsqueeze(-1)], -1)
        return torch.nn.functional.linear(x, self.going[layer], self.going_bias[layer]).squeeze(-1)

    def nats(self, h: Tensor, code: Tensor, genre: Tensor, proposed: Tensor, run: Tensor) -> tuple[Tensor, Tensor]:
        """Return nats [..., layers] of `code` [..., layers], and chances to go on [..., layers] (NaN where nothing is proposed).

        `proposed` [..., layers] is `codes` where nothing is.
        """
        nats, chances = [], []
        for v in range(self.layers):
            log_p = self.log_p(h, v, genre)
            own = log_p.gather(-1, code[..., v : v + 1]).squeeze(-1)
            there = proposed[..., v] < self.codes
            of = log_p.gather(-1, proposed[..., v : v + 1].clamp(max=self.codes - 1)).squeeze(-1)
            gate = self.gate(h, v, proposed[..., v], run[..., v], of.detach())
            follow = torch.where(proposed[..., v] == code[..., v], torch.nn.functional.logsigmoid(gate), gate.new_tensor(-1e9))
            mixed = torch.logaddexp(follow, torch.nn.functional.logsigmoid(-gate) + own)
            nats.append(-torch.where(there, mixed, own))
            chances.append(torch.where(there, torch.sigmoid(gate), gate.new_tensor(float("nan"))))
            if v + 1 < self.layers:
                h = self.up(h, v, code[..., v])
        return torch.stack(nats, -1), torch.stack(chances, -1)


def _linears(count: int, inputs: int, outputs: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Weights [count, outputs, inputs] and biases [count, outputs] of as many fresh linear layers."""
    linears = [nn.Linear(inputs, outputs) for _ in range(count)]
    return nn.Parameter(torch.stack([one.weight.data for one in linears])), nn.Parameter(
        torch.stack([one.bias.data for one in linears])
    )
