"""What each layer plays in a slot: it goes on in the memory, or it jumps to a member of a code that the navigator names.

A layer must jump where its piece ends, where another genre or chord is asked for that it does not have, and where it is told to
(`new`). It may jump where a bar or a beat begins, as its layer's `every` says, and does so by chance: the navigator's, which the
temperature moves. Of a code's members the one is taken that is of the piece in hand, stands at the same place of the bar and
joins best: what came before it is most like what sounds.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.harmony import UNMOVED, Harmony
from noizestream.nn.hearing import Hearing
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import Navigator
from noizestream.nn.unit_state import LayerState

DRAWS = 6
"""Random numbers that a layer takes in a slot: jump, genre, code, members, piece, together."""
PHRASE = 128
"""Slots after which a piece has been played for long enough: 8 bars."""
STRANGE_PIECE, STRANGE_PLACE = 8.0, 4.0
"""What another piece, another place of the bar cost in a join, in mean nepers of a latent: more than any join."""
TRANSPOSED_MISFIT = 40.0
DRUMMED = 0.18
"""Share of percussive power from which on a piece has drums."""
NEAR_TEMPO = 0.1
"""Octaves by which tempos differ that play together or after each other."""
ANY_TEMPO, AGAIN = 0.03, 0.2
"""How often a piece of another tempo is taken, and the same piece, beside another one of that tempo."""
STEADY = 5.0
"""By so many nats the odds of a jump fall from temperature 1 to 0, and rise to 2."""
LOYAL = 1.25
"""The temperature up to which a layer keeps to the codes of the piece in hand."""
MIN_P = 0.08
"""Codes less likely than this share of the likeliest are not drawn, at temperatures up to 1 (Nguyen et al. 2024)."""


class Chooser(nn.Module):
    """Pure: `choose` takes what a layer plays as a row of `UnitState.layers` and returns its next row."""

    step: Tensor

    def __init__(self, layers: LayerFront, memory: Memory, navigator: Navigator, hearing: Hearing, odds: float = 0.0):
        super().__init__()
        self.memory, self.navigator, self.hearing, self.harmony = memory, navigator, hearing, Harmony()
        self.every = layers.every
        self.every_bits = [every.bit_length() - 1 for every in layers.every]  # each a power of two
        self.pitched = layers.pitched_layers
        self.first = layers.first_latent
        self.sizes = layers.latents
        self.register_buffer("step", layers.step)
        self.together = layers.together
        self.apart = layers.apart
        self.leads = layers.leads
        self.loyal: float = LOYAL
        self.odds: float = odds  # added to the odds of a jump, in nats
        self.steady: float = STEADY
        self.sure: float = 100.0  # a gate that never lets jump
        self.min_p: float = MIN_P
        self.phrase: int = PHRASE
        self.unmoved: int = UNMOVED
        self.strange_piece: float = STRANGE_PIECE
        self.strange_place: float = STRANGE_PLACE
        self.drummed: float = DRUMMED
        self.near_tempo: float = NEAR_TEMPO
        self.any_tempo: float = ANY_TEMPO
        self.again: float = AGAIN
        self.misfit: float = TRANSPOSED_MISFIT

    def jumps(self, playing: LayerState, temperature: float) -> bool:
        """Whether a layer in this slot jumps of itself at this temperature."""
        odds = self.odds - playing.gate + self.steady * (temperature - 1.0)
        return playing.chance < 1.0 / (1.0 + math.exp(-odds))

    def leaves(self, layer: int, piece: int, temperature: float, number: float) -> bool:
        """Whether `layer` plays a piece of its own beside `piece`, by `number` in 0..1.

        What is struck in a piece without drums are its notes: they stay together.
        """
        drummed = self.pitched[layer] or float(self.memory.struck[piece]) >= self.drummed
        return drummed and number < self.apart[layer] * temperature

    def may(self, layer: int, slot: int, temperature: float) -> bool:
        """Whether `slot` is one where this layer may jump: over temperature 1 there are ever more."""
        bits = self.every_bits[layer]
        return slot % (1 << (bits - min(bits, int(float(bits) * max(0.0, temperature - 1.0) + 0.5)))) == 0

    def genre(self, weights: list[float], number: float) -> int:
        """A genre drawn by `weights` [G] and `number` in 0..1."""
        left, chosen = number, 0
        for g, weight in enumerate(weights):
            if weight > 0:
                chosen = g
                if left < weight:
                    break
                left -= weight
        return chosen

    def fits(self, slot: int, number: int, chord: int) -> bool:
        """Whether `slot`, transposed by `number`, sounds as `chord`."""
        column = self.harmony.column_of(chord, number)
        return float(self.memory.fit[slot, column]) * self.harmony.scale >= self.harmony.least

    def gate(self, h: Tensor, layer: int, code: int, run: int, log_p: float) -> float:
        """Logit of going on to a slot of `code`."""
        told = (torch.full([1], code), torch.full([1], float(run)), torch.full([1], log_p))
        return float(self.navigator.gate(h, layer, told[0], told[1], told[2]))

    def drawn(self, log_p: Tensor, layer: int, genre: int, piece: int, chord: int, temperature: float, number: float) -> int:
        """A code of `genre`, drawn by `number` in 0..1; with a `chord` (-1 none) one that has members which sound like it.

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

    def member(
        self, layer: int, code: int, piece: int, place: int, chord: int, sounding: int, avoided: int, number: float
    ) -> tuple[int, int]:
        """The member of `code` that fits best, and its transposition.

        `sounding` is the slot that has sounded (-1 none), `avoided` one not to take.
        """
        members = self.memory.members_of(layer, code, number)
        first, size = self.first[layer], self.sizes[layer]
        here = self.memory.ends[max(sounding, 0)].narrow(0, first, size).float()
        # What came before a member; of the first one of a stretch, before which nothing does, itself.
        last = (members - self.memory.follows.index_select(0, (members - 1).clamp(min=0))).clamp(min=0)
        before = self.memory.ends.index_select(0, last).narrow(1, first, size).float()
        cost = ((before - here) * self.step.narrow(0, first, size)).abs().mean(1)
        cost = cost + self.strange_piece * (self.memory.piece.index_select(0, members) != piece).float()
        cost = cost + self.strange_place * (self.memory.place.index_select(0, members) != place).float()
        cost = cost + 2.0 * self.strange_piece * (members == avoided).float()
        if chord >= 0 and self.pitched[layer]:
            fits = self.harmony.fits(self.memory.fit.index_select(0, members), chord)
            best, shifts = fits.max(1)
            cost = cost + self.misfit * (self.harmony.least + self.harmony.surer - best).clamp(min=0.0)
            chosen = int(torch.argmin(cost))
            return int(members[chosen]), int(shifts[chosen])
        return int(members[int(torch.argmin(cost))]), self.unmoved

    def piece(self, genre: int, near: int, number: float) -> int:
        """A piece of `genre`: longer ones more often, and others than `near` that have about its tempo (-1: all alike)."""
        first, last = self.memory.piece_from[genre], self.memory.piece_from[genre + 1]
        weight = self.memory.piece_slots[first:last] / self.memory.tempo[first:last]
        if near >= 0:
            off = torch.log2(self.memory.tempo[first:last] / self.memory.tempo[near]) / self.near_tempo
            weight = weight * torch.exp(-off.square()).clamp(min=self.any_tempo)
            if near >= first and near < last:
                weight[near - first] *= self.again
        total = torch.cumsum(weight, 0)
        return first + min(int(torch.searchsorted(total, total[-1:] * number)), last - first - 1)

    def choose(
        self,
        layer: int,
        playing: LayerState,
        h: Tensor,
        slot: int,
        begins: bool,
        must: bool,
        avoided: bool,
        genre: int,
        chord: int,
        temperature: float,
        noise: list[float],
        lead: LayerState,
        jumped: list[bool],
    ) -> int:
        """Let `playing`, the state of `layer`, be what it is in `slot`; returns the code.

        `begins` says that a slot begins (else it goes on sounding unless it must jump), `must` that it jumps, `avoided` that it
        must not go on where it is. `noise` are its `DRAWS` numbers in 0..1. `lead` is the layer that it follows, `jumped` says
        which of the layers before have. Layers that jump together go to one place of the music most often: what sounds together
        there fits.
        """
        after = self.memory.next(playing.slot) if begins else playing.slot
        first, last = self.memory.code_first[genre], self.memory.code_first[genre + 1]
        log_p = torch.zeros(0)
        if begins:
            playing.chance = noise[0]
        joins = layer > 0 and noise[5] < self.together[layer] * (1.0 - 0.5 * max(0.0, temperature - 1.0))
        # A chord that is asked for makes the others jump more often than a groove bears.
        joins = joins and (self.pitched[layer] or (chord < 0 and playing.piece == lead.piece))
        # In the midst of a slot another layer's jump is its own affair.
        led = begins and layer > 0 and jumped[self.leads[layer]]
        joins = joins and (must or after < 0 or led or self.may(layer, slot, temperature))
        joins = (
            joins
            and self.memory.genre_of(lead.slot) == genre
            and not (chord >= 0 and self.pitched[layer] and not self.fits(lead.slot, lead.shift, chord))
        )
        if joins and jumped[self.leads[layer]]:
            return self.join(layer, playing, lead, after)
        if not must and after >= 0 and self.memory.genre_of(after) == genre:
            unfit = chord >= 0 and self.pitched[layer] and not self.fits(after, playing.shift, chord)
            may = begins and self.may(layer, slot, temperature)
            code = int(self.memory.code[layer, after])
            if begins:  # not asked yet: should it be hotter before the slot is over, it may go either way
                playing.gate = 0.0
            if may:
                log_p = self.hearing.log_p(h, layer, first, last)
                playing.gate = self.gate(h, layer, code, playing.run, float(log_p[code - first]))
            stays = joins and lead.slot == after  # who is with its lead does not leave it of itself
            if not (unfit or (may and not stays and self.jumps(playing, temperature))):
                playing.slot = after
                playing.run += 1 if begins else 0
                return code
        if joins and lead.slot != after and not (avoided and lead.slot == playing.slot):
            return self.join(layer, playing, lead, after)
        if len(log_p) == 0:
            log_p = self.hearing.log_p(h, layer, first, last)
        code = self.drawn(log_p, layer, genre, playing.piece, chord, temperature, noise[2])
        without = after if avoided else -1
        found, shift = self.member(layer, code, playing.piece, slot % 16, chord, playing.slot, without, noise[3])
        if found != after or shift != playing.shift:
            playing.since, playing.run = 0, 0
        playing.slot, playing.shift, playing.gate = found, shift, self.sure
        return code

    def join(self, layer: int, playing: LayerState, lead: LayerState, after: int) -> int:
        """Let the layer be where `lead` is; returns the code."""
        shift = lead.shift if self.pitched[layer] else self.unmoved
        if lead.slot != after or shift != playing.shift:
            playing.since, playing.run = 0, 0
        else:
            playing.run += 1
        playing.slot, playing.shift, playing.gate = lead.slot, shift, self.sure
        return int(self.memory.code[layer, lead.slot])
