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
    """Tables only, no weights."""

    turns: Tensor
    slow_mask: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("turns", 1.0 / torch.tensor(PERIODS, dtype=torch.float64), persistent=False)
        slow = torch.arange(len(PERIODS)) >= SLOW_FROM
        self.register_buffer("slow_mask", slow.repeat(2).float(), persistent=False)
        self.full: float = 2 * math.pi

    def forward(self, beat: Tensor, slow: Tensor, shown: Tensor) -> Tensor:
        """Features of frames at `beat` [...] (position in beats, float64) -> [..., CLOCK_FEATURES].

        slow, shown [...]: 1 where the slow periods, and the clock at all, are shown; 0 where hidden. Both are features as well.
        """
        angle = (torch.frac(beat.unsqueeze(-1) * self.turns) * self.full).to(torch.float32)
        slow, shown = (slow * shown).unsqueeze(-1), shown.unsqueeze(-1)
        visible = shown + (slow - shown) * self.slow_mask
        return torch.cat([torch.cat([torch.sin(angle), torch.cos(angle)], -1) * visible, slow, shown], -1)
