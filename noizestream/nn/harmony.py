"""Chords as numbers (0 to 11 major on C to B, 12 to 23 minor), and which transposition brings a slot of the memory to one."""

import torch
from torch import Tensor, nn

from noizestream.nn.memory import FIT

SHIFTS = 12
"""Transpositions: 6 semitones down to 5 up."""
LOWEST_SHIFT = -6
FITS, SURER = 0.78, 0.1
"""A slot whose chroma correlates less than this with a triad does not sound like it; where to jump is chosen by so much more."""
FARTHER = 0.02
"""What a semitone of transposition costs, in correlation: sounds that were moved far are less like themselves."""
UNMOVED = -LOWEST_SHIFT
"""The number of the transposition that is none."""


class Harmony(nn.Module):
    """Tables: for every chord and transposition, which triad a slot must fit to sound as that chord."""

    column: Tensor
    cost: Tensor

    def __init__(self) -> None:
        super().__init__()
        chord, number = torch.arange(24).unsqueeze(1), torch.arange(SHIFTS).unsqueeze(0)
        semitones = number + LOWEST_SHIFT
        self.register_buffer("column", chord // 12 * 12 + torch.remainder(chord % 12 - semitones, 12))  # [24, SHIFTS]
        self.register_buffer("cost", FARTHER * semitones[0].abs().float())  # [SHIFTS]
        self.least: float = FITS
        self.surer: float = SURER
        self.scale: float = 1 / FIT

    def fits(self, fit: Tensor, chord: int) -> Tensor:
        """Return how well each transposition of slots or codes with int8 `fit` [n, 24] sounds as `chord`: [n, SHIFTS]."""
        return fit.index_select(1, self.column[chord]).float() * self.scale - self.cost

    def column_of(self, chord: int, number: int) -> int:
        """Return the triad that a slot must fit to sound as `chord` when transposed by `number`."""
        return int(self.column[chord, number])

    def heard(self, chord: int, number: int) -> int:
        """Return what a slot of `chord` sounds like when transposed by `number`; 24, no chord, stays so."""
        if chord >= 24 or chord < 0:
            return 24
        return chord // 12 * 12 + (chord % 12 + number - 6) % 12
