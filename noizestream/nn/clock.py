"""The clock: where in the music a frame stands, as sines and cosines of its position in periods from 1/4 to 16 beats."""

import math

import torch
from torch import Tensor, nn

PERIODS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0)
"""Periods of the clock, in beats; 3 and 6 are the bars of music in three."""
SLOW_FROM = 4
"""Index of the first period (3 beats) that training sometimes hides, so that short tracks are not learned by heart."""
CLOCK_FEATURES = 2 * len(PERIODS) + 2
BEAT_WRAP = 48.0
"""A multiple of every period: positions are kept modulo it, so that they stay exact for days."""


class Clock(nn.Module):
    """Tables only, no weights: a feature is the sine of an angle times how far it is shown, the last two a sine of 1."""

    turns: Tensor
    ahead: Tensor
    slow_share: Tensor
    fast_share: Tensor
    circle: Tensor

    def __init__(self) -> None:
        super().__init__()
        turns, none = 1.0 / torch.tensor(PERIODS, dtype=torch.float64), torch.zeros(len(PERIODS), dtype=torch.float64)
        quarter = torch.full((len(PERIODS) + 2,), 0.25, dtype=torch.float64)
        self.register_buffer("turns", torch.cat([turns, turns, none[:2]]), persistent=False)
        self.register_buffer("ahead", torch.cat([none, quarter]), persistent=False)  # a cosine is a sine, a quarter turn ahead
        slow = torch.arange(len(PERIODS)) >= SLOW_FROM
        share = torch.cat([slow.repeat(2), torch.tensor([True, False])]).float()
        self.register_buffer("slow_share", share, persistent=False)
        self.register_buffer("fast_share", 1 - share, persistent=False)
        self.full: float = 2 * math.pi
        self.register_buffer("circle", torch.tensor(self.full, dtype=torch.float64), persistent=False)

    def forward(self, beat: Tensor, slow: Tensor, shown: Tensor) -> Tensor:
        """Features of frames at `beat` [...] (position in beats, float64) -> [..., CLOCK_FEATURES].

        slow, shown [...]: 1 where the slow periods, and the clock at all, are shown; 0 where hidden. Both are features as well.
        """
        angle = torch.addcmul(self.ahead, beat.unsqueeze(-1), self.turns).frac_().mul_(self.full).to(torch.float32)
        visible = torch.addcmul(self.fast_share, slow.unsqueeze(-1), self.slow_share) * shown.unsqueeze(-1)
        return angle.sin_() * visible

    def frame(self, beat: float, shown: float) -> Tensor:
        """As `forward` for one frame, the slow periods shown as far as the clock is: [1, CLOCK_FEATURES]."""
        angle = torch.add(self.ahead.unsqueeze(0), self.turns, alpha=beat).frac_().mul_(self.circle)
        features = angle.to(torch.float32).sin_()
        return features if shown == 1.0 else features.mul_(shown)
