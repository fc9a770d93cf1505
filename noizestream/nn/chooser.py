"""What each layer plays in a slot: it goes on in the memory, or it jumps to a member of a code that the navigator names.

A layer must jump where its piece ends, where another genre or chord is asked for that it does not have, and where it is told to
(`new`). It may jump where a bar or a beat begins, as its layer's `every` says, and does so by chance: the navigator's, which the
temperature moves. Where to is drawn in candidates.py. Layers that jump together go to one place of the music most often: what
sounds together there fits.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from noizestream.nn.candidates import Candidates, Joint
from noizestream.nn.hearing import Hearing
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import Navigator
from noizestream.nn.unit_draws import LayerDraws
from noizestream.nn.unit_state import LayerState

PHRASE = 128
"""Slots after which a piece has been played for long enough: 8 bars."""
DRUMMED = 0.18
"""Share of percussive power from which on a piece has drums."""
STEADY = 5.0
"""By so many nats the odds of a jump fall from temperature 1 to 0, and rise to 2."""


class Slot(NamedTuple):
    """The slot that is decided on: its `number`, and whether it `begins` or is in its midst."""

    number: int
    begins: bool


class Wish(NamedTuple):
    """What a layer is to do in a slot: play a `genre` and a `chord` (-1 any), as the `temperature` says.

    It may be one in which it `must` jump, or must not go on where it is (`avoided`). `jumped` says which layers before it have.
    """

    genre: int
    chord: int
    temperature: float
    must: bool
    avoided: bool
    jumped: list[bool]


class Chooser(Candidates):
    """Decides for a layer in a slot. It keeps nothing: `choose` changes the state that it is given."""

    def __init__(self, layers: LayerFront, memory: Memory, navigator: Navigator, hearing: Hearing):
        super().__init__(layers, memory)
        self.navigator, self.hearing = navigator, hearing
        self.every = layers.every
        self.every_bits = [every.bit_length() - 1 for every in layers.every]  # each a power of two
        self.together = layers.together
        self.apart = layers.apart
        self.leads = layers.leads
        self.steady: float = STEADY
        self.sure: float = 100.0  # a gate that never lets jump
        self.phrase: int = PHRASE
        self.drummed: float = DRUMMED

    def jumps(self, playing: LayerState, temperature: float) -> bool:
        """Return whether a layer in this slot jumps of itself at this temperature."""
        odds = self.steady * (temperature - 1.0) - playing.gate
        return playing.chance < 1.0 / (1.0 + math.exp(-odds))

    def leaves(self, layer: int, piece: int, temperature: float, number: float) -> bool:
        """Return whether `layer` plays a piece of its own beside `piece`, by `number` in 0..1.

        What is struck in a piece without drums are its notes: they stay together.
        """
        drummed = self.pitched[layer] or float(self.memory.struck[piece]) >= self.drummed
        return drummed and number < self.apart[layer] * temperature

    def may(self, layer: int, slot: int, temperature: float) -> bool:
        """Return whether `slot` is one where this layer may jump: over temperature 1 there are ever more."""
        bits = self.every_bits[layer]
        return slot % (1 << (bits - min(bits, int(float(bits) * max(0.0, temperature - 1.0) + 0.5)))) == 0

    def gate(self, h: Tensor, layer: int, code: int, run: int, log_p: float) -> float:
        """Return the logit of going on to a slot of `code`, which has `log_p` and was followed for `run` slots."""
        told = (torch.full([1], code), torch.full([1], float(run)), torch.full([1], log_p))
        return float(self.navigator.gate(h, layer, told[0], told[1], told[2]))

    def choose(self, layer: int, playing: list[LayerState], h: Tensor, slot: Slot, wish: Wish, draws: LayerDraws) -> int:
        """Let `layer` be what it is in `slot`, and return the code that it plays.

        `playing` are all layers, of which that one changes; `h` [1, hidden] is what the LSTM says of it.
        """
        state, lead = playing[layer], playing[self.leads[layer]]
        after = self.memory.next(state.slot) if slot.begins else state.slot
        if slot.begins:
            state.chance = draws.jump
        joins = self.joins(layer, state, lead, slot, wish, after, draws.together)
        if joins and wish.jumped[self.leads[layer]]:
            return self.join(layer, state, lead, after)
        log_p = torch.zeros(0)
        if not wish.must and after >= 0 and self.memory.genre_of(after) == wish.genre:
            # Who is with its lead does not leave it of itself.
            code, log_p = self.go_on(layer, state, h, slot, wish, after, joins and lead.slot == after)
            if code >= 0:
                return code
        if joins and lead.slot != after and not (wish.avoided and lead.slot == state.slot):
            return self.join(layer, state, lead, after)
        if len(log_p) == 0:
            log_p = self.log_p(h, layer, wish.genre)
        code = self.drawn(log_p, layer, wish.genre, state.piece, wish.chord, wish.temperature, draws.code)
        joint = Joint(state.piece, slot.number % 16, wish.chord, state.slot, after if wish.avoided else -1)
        found, shift = self.member(layer, code, joint, draws.members)
        if found != after or shift != state.shift:
            state.since, state.run = 0, 0
        state.slot, state.shift, state.gate = found, shift, self.sure
        return code

    def joins(self, layer: int, state: LayerState, lead: LayerState, slot: Slot, wish: Wish, after: int, together: float) -> bool:
        """Return whether a layer that jumps goes to where its `lead` is, by `together` in 0..1; else it would go to `after`."""
        if layer == 0 or together >= self.together[layer] * (1.0 - 0.5 * max(0.0, wish.temperature - 1.0)):
            return False
        # A chord that is asked for makes the others jump more often than a groove bears.
        if not self.pitched[layer] and (wish.chord >= 0 or state.piece != lead.piece):
            return False
        # In the midst of a slot another layer's jump is its own affair.
        led = slot.begins and wish.jumped[self.leads[layer]]
        if not (wish.must or after < 0 or led or self.may(layer, slot.number, wish.temperature)):
            return False
        return self.memory.genre_of(lead.slot) == wish.genre and self.suits(layer, lead.slot, lead.shift, wish.chord)

    def go_on(
        self, layer: int, state: LayerState, h: Tensor, slot: Slot, wish: Wish, after: int, stays: bool
    ) -> tuple[int, Tensor]:
        """Let the layer go on to `after` unless it jumps of itself, which it does not if it `stays`.

        Returns the code, -1 if it jumps; and the log probabilities of the genre's codes, none if they were not asked for.
        """
        code, log_p = int(self.memory.code[layer, after]), torch.zeros(0)
        if slot.begins:  # not asked yet: should it be hotter before the slot is over, it may go either way
            state.gate = 0.0
        may = slot.begins and self.may(layer, slot.number, wish.temperature)
        if may:
            log_p = self.log_p(h, layer, wish.genre)
            state.gate = self.gate(h, layer, code, state.run, float(log_p[code - self.memory.code_first[wish.genre]]))
        leaves = may and not stays and self.jumps(state, wish.temperature)
        if leaves or not self.suits(layer, after, state.shift, wish.chord):
            return -1, log_p
        state.slot = after
        state.run += 1 if slot.begins else 0
        return code, log_p

    def log_p(self, h: Tensor, layer: int, genre: int) -> Tensor:
        """Return the log probabilities of the codes of `genre`."""
        return self.hearing.log_p(h, layer, self.memory.code_first[genre], self.memory.code_first[genre + 1])

    def join(self, layer: int, state: LayerState, lead: LayerState, after: int) -> int:
        """Let the layer be where `lead` is, and return the code that it plays."""
        shift = lead.shift if self.pitched[layer] else self.unmoved
        if lead.slot != after or shift != state.shift:
            state.since, state.run = 0, 0
        else:
            state.run += 1
        state.slot, state.shift, state.gate = lead.slot, shift, self.sure
        return int(self.memory.code[layer, lead.slot])
