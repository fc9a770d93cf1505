"""The sequence model: an LSTM over latents with a clock, and mixture densities for the next latent, drawn in groups.

    z[t-1], genre, clock[t], notes[t] -> Linear -> LSTM x layers -> + genre-selected clock network + Linear of the notes = h
    h -> mixture for the first dimensions of z[t]; h and those -> mixture for the next ones; ... (GROUPS)

A mixture of diagonal Gaussians (Bishop 1994, in generation Graves 2013) blurs what its components cannot tell apart. Drawn in
groups, each conditioned on what was drawn before (the chain rule, as in Uria et al. 2016), a few components make many shapes.
The mean of each component is `persistence * z[t-1] + delta`. `notes` are the partials that the plan asks for (notes.py, plan.py).
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.clock import CLOCK_FEATURES
from noizestream.nn.recurrent import Recurrent

GROUPS = (0.125, 0.25, 0.5, 1.0)
"""Where each group of dimensions ends, as a share of the latent. PCA puts what matters most first, so the first are small."""
FIRST_DEVIATION = math.exp(-0.7)
"""Of every component before training: half a standard deviation."""
SHARPEST, WIDEST = -4.0, 2.0
"""Bounds of the log deviations: a component must not collapse on one frame."""


class Predictor(nn.Module):
    """Parameters of the mixtures for the next latent; `sequence` for training, `hidden_frame` and `draw` for one step."""

    resting: Tensor

    def __init__(
        self,
        latent: int,
        genres: int,
        notes: int,
        hidden: int,
        layers: int = 2,
        mixtures: int = 8,
        clock_hidden: int = 64,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.latent, self.genres, self.hidden, self.mixtures = latent, genres, hidden, mixtures
        self.sharpest: float = SHARPEST
        self.widest: float = WIDEST
        self.shift: float = -math.log(FIRST_DEVIATION)
        self.first_deviation: float = FIRST_DEVIATION
        self.ends: list[int] = sorted({max(1, round(share * latent)) for share in GROUPS})
        self.starts: list[int] = [0, *self.ends[:-1]]
        self.groups: int = len(self.ends)
        self.enter = nn.Linear(latent + genres + CLOCK_FEATURES + notes, hidden)
        self.recurrent = Recurrent(hidden, hidden, layers, dropout)
        self.dropout = nn.Dropout(dropout)
        # The first layer sees genre x clock, the second genre x hidden: each genre has its own clock network, morphs blend.
        self.clock_in = nn.Linear(genres * CLOCK_FEATURES, clock_hidden)
        self.clock_out = nn.Linear(genres * clock_hidden, hidden)
        self.notes_out = nn.Linear(notes, hidden, bias=False)
        # What the genre's clock network adds on average over all phases (see `rest`).
        self.register_buffer("resting", torch.zeros(genres, hidden), persistent=False)
        sizes = [end - start for start, end in zip(self.starts, self.ends, strict=True)]
        # Rows of a head belong together by component: its logit, its deltas, its log deviations.
        self.heads = nn.ModuleList([nn.Linear(hidden, mixtures * (1 + 2 * size)) for size in sizes])
        self.given = nn.ModuleList([nn.Linear(max(start, 1), hidden) for start in self.starts])
        self.persistence = nn.Parameter(torch.full((mixtures, latent), 0.8))
        for name, parameter in self.heads.named_parameters():
            nn.init.zeros_(parameter) if name.endswith("bias") else nn.init.normal_(parameter, std=0.01)

    def enter_features(self, z: Tensor, genre: Tensor, clock: Tensor, notes: Tensor) -> Tensor:
        """z [..., latent], genre [..., G], clock [..., CLOCK_FEATURES], notes [..., partials] -> [..., hidden]."""
        return self.enter(torch.cat([z, genre, clock, notes], dim=-1))

    def guided(self, h: Tensor, genre: Tensor, clock: Tensor, notes: Tensor, accent: Tensor) -> Tensor:
        """LSTM output h [..., hidden] and what the genre's own clock network and the notes add to it.

        accent [..., G] is `genre` as trained; twice that takes the clock network twice as far from its mean over all phases.
        """
        inner = torch.nn.functional.gelu(self.clock_in((genre.unsqueeze(-1) * clock.unsqueeze(-2)).flatten(-2)))
        swing = self.clock_out((accent.unsqueeze(-1) * inner.unsqueeze(-2)).flatten(-2)) + (genre - accent) @ self.resting
        return h + swing + self.notes_out(notes)

    @torch.no_grad()
    def rest(self, clock: Tensor) -> None:
        """Set `resting` from the clock's features [n, CLOCK_FEATURES] at all phases."""
        clock = clock.to(self.resting.device)
        for number, one in enumerate(torch.eye(self.genres, device=clock.device)):
            inner = torch.nn.functional.gelu(self.clock_in((one[:, None] * clock[:, None]).flatten(-2))).mean(0)
            self.resting[number] = self.clock_out((one[:, None] * inner).flatten()) - self.clock_out.bias

    def mixture(self, h: Tensor, z: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Every group given the true dimensions before it (`target` [..., latent]).

        Returns logits [..., groups, M], means and log deviations [..., M, latent].
        """
        logits, deltas, spreads = [], [], []
        for g, (head, given) in enumerate(zip(self.heads, self.given)):  # noqa: B905 (TorchScript knows no strict)
            start, end = self.starts[g], self.ends[g]
            inner = h if g == 0 else h + given(target[..., :start])
            out = head(torch.nn.functional.gelu(inner)).unflatten(-1, [self.mixtures, 1 + 2 * (end - start)])
            logits.append(out[..., 0])
            deltas.append(out[..., 1 : 1 + end - start])
            spreads.append(out[..., 1 + end - start :])
        spread = (torch.cat(spreads, -1) - self.shift).clamp(self.sharpest, self.widest)
        return torch.stack(logits, -2), self.persistence * z.unsqueeze(-2) + torch.cat(deltas, -1), spread

    def mean(self, mixture: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """The mean [..., latent] of `mixture`'s distribution, each group given the dimensions before it as they were given."""
        logits, means, _ = mixture
        parts: list[Tensor] = []
        for g, (start, end) in enumerate(zip(self.starts, self.ends)):  # noqa: B905
            weights = torch.softmax(logits[..., g, :], -1).unsqueeze(-1)
            parts.append((weights * means[..., start:end]).sum(-2))
        return torch.cat(parts, -1)

    def sequence(
        self, z: Tensor, genre: Tensor, clock: Tensor, notes: Tensor, target: Tensor, state: list[Tensor]
    ) -> tuple[tuple[Tensor, Tensor, Tensor], list[Tensor]]:
        """Teacher forcing: z [B, T, latent] of frames t-1; of frames t genre [B, T, G], clock [B, T, C], notes [B, T, partials]
        and target [B, T, latent].

        state is [h, c], each [layers, B, hidden].
        """
        h, state = self.recurrent.sequence(self.dropout(self.enter_features(z, genre, clock, notes)), state)
        return self.mixture(self.dropout(self.guided(h, genre, clock, notes, genre)), z, target), state

    def hidden_frame(
        self, z: Tensor, genre: Tensor, clock: Tensor, notes: Tensor, state: list[Tensor], accent: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """One frame as far as h [1, hidden]: z [1, latent], genre and accent [1, G], clock [1, C], notes [1, partials].

        state [h0, c0, ...], each [1, hidden].
        """
        h, state = self.recurrent.frame(self.enter_features(z, genre, clock, notes), state)
        return self.guided(h, genre, clock, notes, accent), state

    def draw(self, h: Tensor, z: Tensor, choice: Tensor, gauss: Tensor, choice_temperature: float, width: float) -> Tensor:
        """Draw the next latent [1, latent] from h [1, hidden].

        choice [groups, M]: standard Gumbel draws (the largest of logit + draw is a draw from the softmax);
        gauss [1, latent]: standard normal; choice_temperature and width: factors on the choice and on the deviations.
        """
        biased, scaled = choice_temperature * choice, gauss * (width * self.first_deviation)
        drawn = gauss[:, :0]
        for g, (head, given) in enumerate(zip(self.heads, self.given)):  # noqa: B905
            start, end = self.starts[g], self.ends[g]
            inner = h if g == 0 else h + given(drawn)
            out = head(torch.nn.functional.gelu(inner)).view(self.mixtures, -1)
            # A number, not a tensor: what it selects are views, which cost next to nothing.
            chosen = int(torch.argmax(out[:, 0] + biased[g]))
            row, size = out[chosen], end - start
            mean = torch.addcmul(row[1 : 1 + size], self.persistence[chosen, start:end], z[0, start:end])
            deviation = torch.exp(row[1 + size :].clamp(self.sharpest + self.shift, self.widest + self.shift))
            drawn = torch.cat([drawn, torch.addcmul(mean, deviation, scaled[:, start:end])], -1)
        return drawn


def negative_log_likelihood(mixture: tuple[Tensor, Tensor, Tensor], target: Tensor, ends: list[int]) -> Tensor:
    """Nats per frame: mixture of `Predictor.mixture`, target [..., latent], `ends` of the groups -> [...]."""
    logits, means, log_deviations = mixture
    scaled = (target.unsqueeze(-2) - means) * torch.exp(-log_deviations)
    log_density = -0.5 * scaled.square() - log_deviations - 0.5 * math.log(2 * math.pi)
    # Sums over each group's dimensions: [..., M, groups]
    sums, start = [], 0
    for end in ends:
        sums.append(log_density[..., start:end].sum(-1))
        start = end
    grouped = torch.stack(sums, -1).transpose(-1, -2)
    return -torch.logsumexp(torch.log_softmax(logits, -1) + grouped, -1).sum(-1)
