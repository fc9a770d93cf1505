"""The sequence model: an LSTM over latents with a clock, and a mixture density for the next latent.

    z[t-1], genre, clock[t] -> Linear -> LSTM x layers -> + genre-selected clock network -> mixture of diagonal Gaussians for z[t]

The mean of each component is `persistence * z[t-1] + delta` (Bishop 1994 for the mixture density, Graves 2013 for its use in
generation). The clock gives the beat and the bar: sines and cosines of the position in periods from 1/4 to 16 beats.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.recurrent import Recurrent

PERIODS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Periods of the clock, in beats."""
SLOW_FROM = 4
"""Index of the first period (4 beats) that training sometimes hides, so that short tracks are not learned by heart."""
CLOCK_FEATURES = 2 * len(PERIODS) + 1


def clock_features(beat: Tensor, slow: Tensor) -> Tensor:
    """Clock of frames: beat [...] position in beats, slow [...] 1 where the slow periods are shown, 0 where hidden -> [..., 15]."""
    periods = torch.tensor([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0], dtype=beat.dtype, device=beat.device)
    angle = (2 * math.pi * torch.remainder(beat.unsqueeze(-1) / periods, 1.0)).to(torch.float32)
    shown = torch.ones_like(angle)
    shown[..., 4:] = slow.unsqueeze(-1).to(torch.float32)
    return torch.cat([torch.sin(angle) * shown, torch.cos(angle) * shown, slow.unsqueeze(-1).to(torch.float32)], dim=-1)


class Predictor(nn.Module):
    """Parameters of the mixture for the next latent; `sequence` for training, `frame` for one step. Same weights, same numbers."""

    def __init__(
        self,
        latent: int,
        genres: int,
        hidden: int,
        layers: int = 2,
        mixtures: int = 8,
        clock_hidden: int = 64,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.latent, self.genres, self.hidden, self.mixtures = latent, genres, hidden, mixtures
        self.enter = nn.Linear(latent + genres + CLOCK_FEATURES, hidden)
        self.recurrent = Recurrent(hidden, hidden, layers, dropout)
        self.dropout = nn.Dropout(dropout)
        # The first layer sees genre x clock, the second genre x hidden: each genre has its own clock network, morphs blend.
        self.clock_in = nn.Linear(genres * CLOCK_FEATURES, clock_hidden)
        self.clock_out = nn.Linear(genres * clock_hidden, hidden)
        self.head = nn.Linear(hidden, mixtures * (1 + 2 * latent))
        self.persistence = nn.Parameter(torch.full((mixtures, latent), 0.8))
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def enter_features(self, z: Tensor, genre: Tensor, clock: Tensor) -> Tensor:
        """z [..., latent], genre [..., G], clock [..., 15] -> [..., hidden]."""
        return self.enter(torch.cat([z, genre, clock], dim=-1))

    def mixture(self, h: Tensor, z: Tensor, genre: Tensor, clock: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """LSTM output h [..., hidden] and its inputs -> logits [..., M], means and log deviations [..., M, latent]."""
        inner = torch.nn.functional.gelu(self.clock_in((genre.unsqueeze(-1) * clock.unsqueeze(-2)).flatten(-2)))
        h = h + self.clock_out((genre.unsqueeze(-1) * inner.unsqueeze(-2)).flatten(-2))
        out = self.head(torch.nn.functional.gelu(h))
        m, d = self.mixtures, self.latent
        logits = out[..., :m]
        delta = out[..., m : m + m * d].unflatten(-1, (m, d))
        spread = out[..., m + m * d :].unflatten(-1, (m, d))
        means = self.persistence * z.unsqueeze(-2) + delta
        # The bound keeps a component from collapsing on one frame; -0.7 starts at half a standard deviation.
        return logits, means, (spread - 0.7).clamp(-4.0, 2.0)

    def sequence(
        self, z: Tensor, genre: Tensor, clock: Tensor, state: list[Tensor]
    ) -> tuple[tuple[Tensor, Tensor, Tensor], list[Tensor]]:
        """Teacher forcing: z [B, T, latent] of frames t-1, genre [B, T, G], clock [B, T, 15] of frames t.

        state is [h, c], each [layers, B, hidden].
        """
        h, state = self.recurrent.sequence(self.dropout(self.enter_features(z, genre, clock)), state)
        return self.mixture(self.dropout(h), z, genre, clock), state

    def frame(
        self, z: Tensor, genre: Tensor, clock: Tensor, state: list[Tensor]
    ) -> tuple[tuple[Tensor, Tensor, Tensor], list[Tensor]]:
        """One frame: z [latent], genre [G], clock [15], state [h0, c0, h1, c1, ...] each [1, hidden]."""
        # One row: quantised layers take no vectors.
        z, genre, clock = z.unsqueeze(0), genre.unsqueeze(0), clock.unsqueeze(0)
        h, state = self.recurrent.frame(self.enter_features(z, genre, clock), state)
        logits, means, log_deviations = self.mixture(h, z, genre, clock)
        return (logits[0], means[0], log_deviations[0]), state


def negative_log_likelihood(mixture: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
    """Nats per frame: mixture of `Predictor`, target [..., latent] -> [...]."""
    logits, means, log_deviations = mixture
    scaled = (target.unsqueeze(-2) - means) * torch.exp(-log_deviations)
    log_density = -0.5 * scaled.square().sum(-1) - log_deviations.sum(-1) - 0.5 * math.log(2 * math.pi) * target.shape[-1]
    return -torch.logsumexp(torch.log_softmax(logits, -1) + log_density, -1)
