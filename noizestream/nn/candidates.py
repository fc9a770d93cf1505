"""Where a layer may go: genres, pieces, codes and members of a code, each drawn by a number in 0..1 or taken for what it joins.

Of a code's members the one is taken that is of the piece in hand, stands at the same place of the bar and joins best: what came
before it is most like what sounds.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from noizestream.nn.harmony import UNMOVED, Harmony
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory

STRANGE_PIECE, STRANGE_PLACE = 8.0, 4.0
"""What another piece, another place of the bar cost in a join, in mean nepers of a latent: more than any join."""
TRANSPOSED_MISFIT = 40.0
NEAR_TEMPO = 0.1
"""Octaves by which tempos differ that play together or after each other."""
ANY_TEMPO, AGAIN = 0.03, 0.2
"""How often a piece of another tempo is taken, and the same piece, beside another one of that tempo."""
LOYAL = 1.25
"""The temperature up to which a layer keeps to the codes of the piece in hand."""
MIN_P = 0.08
"""Codes less likely than this share of the likeliest are not drawn, at temperatures up to 1 (Nguyen et al. 2024)."""


class Joint(NamedTuple):
    """What a member is to fit: the `piece` in hand, the `place` in the bar, a `chord` (-1 any), the slot that has been `sounding`
    (-1 none) and one to be `avoided` (-1 none)."""

    piece: int
    place: int
    chord: int
    sounding: int
    avoided: int


class Candidates(nn.Module):
    """Draws from the tables of a memory. It keeps nothing."""

    step: Tensor

    def __init__(self, layers: LayerFront, memory: Memory):
        super().__init__()
        self.memory, self.harmony = memory, Harmony()
        self.pitched = layers.pitched_layers
        self.first = layers.first_latent
        self.sizes = layers.latents
        self.register_buffer("step", layers.step)
        self.loyal: float = LOYAL
        self.min_p: float = MIN_P
        self.unmoved: int = UNMOVED
        self.strange_piece: float = STRANGE_PIECE
        self.strange_place: float = STRANGE_PLACE
        self.near_tempo: float = NEAR_TEMPO
        self.any_tempo: float = ANY_TEMPO
        self.again: float = AGAIN
        self.misfit: float = TRANSPOSED_MISFIT

    def genre(self, weights: list[float], number: float) -> int:
        """Return a genre drawn by `weights` [G] and `number` in 0..1."""
        left, chosen = number, 0
        for g, weight in enumerate(weights):
            if weight > 0:
                chosen = g
                if left < weight:
                    break
                left -= weight
        return chosen

    def fits(self, slot: int, number: int, chord: int) -> bool:
        """Return whether `slot`, transposed by `number`, sounds as `chord`."""
        column = self.harmony.column_of(chord, number)
        return float(self.memory.fit[slot, column]) * self.harmony.scale >= self.harmony.least

    def suits(self, layer: int, slot: int, number: int, chord: int) -> bool:
        """Return whether `layer` may play `slot`, transposed by `number`, while `chord` is asked for (-1 none)."""
        return chord < 0 or not self.pitched[layer] or self.fits(slot, number, chord)

    def drawn(self, log_p: Tensor, layer: int, genre: int, piece: int, chord: int, temperature: float, number: float) -> int:
        """Return a code of `genre`, drawn by `number` in 0..1; with a `chord` (-1 none) one that has members which sound like it.

        Without one it is a code that `piece` has, unless it is hot.
        """
        first, count = self.memory.code_first[genre], len(log_p)
        logits = log_p / (0.25 + 0.6 * temperature)
        if (chord < 0 or not self.pitched[layer]) and temperature <= self.loyal:
            begin, slots = int(self.memory.piece_first[piece]), int(self.memory.piece_slots[piece])
            missing = torch.ones(count, dtype=torch.bool)
            missing[(self.memory.code[layer].narrow(0, begin, slots) - first).long()] = False
        else:
            missing = self.memory.member_count[layer].narrow(0, first, count) == 0
        logits = logits.masked_fill(missing, -1e9)
        if chord >= 0 and self.pitched[layer]:
            best = self.harmony.fits(self.memory.code_fit[layer].narrow(0, first, count), chord).amax(1)
            wanted = min(self.harmony.least + self.harmony.surer, float(best.max()))
            logits = logits - 60.0 * (wanted - best).clamp(min=0.0)
        p = torch.softmax(logits, 0)
        least = self.min_p * max(0.0, min(1.0, 2.0 - temperature))
        p = torch.where(p >= least * p.max(), p, torch.zeros_like(p))
        total = torch.cumsum(p, 0)
        return first + min(int(torch.searchsorted(total, total[-1:] * number)), count - 1)

    def member(self, layer: int, code: int, joint: Joint, number: float) -> tuple[int, int]:
        """Return the member of `code` that fits `joint` best, and its transposition; `number` says which are compared."""
        members = self.memory.members_of(layer, code, number)
        first, size = self.first[layer], self.sizes[layer]
        here = self.memory.ends[max(joint.sounding, 0)].narrow(0, first, size).float()
        # What came before a member; of the first one of a stretch, before which nothing does, itself.
        last = (members - self.memory.follows.index_select(0, (members - 1).clamp(min=0))).clamp(min=0)
        before = self.memory.ends.index_select(0, last).narrow(1, first, size).float()
        cost = ((before - here) * self.step.narrow(0, first, size)).abs().mean(1)
        cost = cost + self.strange_piece * (self.memory.piece.index_select(0, members) != joint.piece).float()
        cost = cost + self.strange_place * (self.memory.place.index_select(0, members) != joint.place).float()
        cost = cost + 2.0 * self.strange_piece * (members == joint.avoided).float()
        if joint.chord >= 0 and self.pitched[layer]:
            fits = self.harmony.fits(self.memory.fit.index_select(0, members), joint.chord)
            best, shifts = fits.max(1)
            cost = cost + self.misfit * (self.harmony.least + self.harmony.surer - best).clamp(min=0.0)
            chosen = int(torch.argmin(cost))
            return int(members[chosen]), int(shifts[chosen])
        return int(members[int(torch.argmin(cost))]), self.unmoved

    def piece(self, genre: int, near: int, number: float) -> int:
        """Return a piece of `genre`: longer ones more often, and others than `near` that have about its tempo (-1: all alike)."""
        first, last = self.memory.piece_from[genre], self.memory.piece_from[genre + 1]
        weight = self.memory.piece_slots[first:last] / self.memory.tempo[first:last]
        if near >= 0:
            off = torch.log2(self.memory.tempo[first:last] / self.memory.tempo[near]) / self.near_tempo
            weight = weight * torch.exp(-off.square()).clamp(min=self.any_tempo)
            if near >= first and near < last:
                weight[near - first] *= self.again
        total = torch.cumsum(weight, 0)
        return first + min(int(torch.searchsorted(total, total[-1:] * number)), last - first - 1)
