"""What all layers are to do in a slot: of which genre and piece, in which harmony, what is held, where a phrase ends.

It is decided when a slot begins, and again in its midst when something is asked for that may not wait (`disturbed`). How a single
layer goes on or jumps is in chooser.py.
"""

import torch
from torch import Tensor, nn

from noizestream.nn.chooser import DRAWS, Chooser
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import Navigator
from noizestream.nn.unit_controls import FIRST_OF_LAYERS, PER_LAYER
from noizestream.nn.unit_state import LayerState, Moment, UnitState

SPARE = 4
"""Random numbers of a block beside those of the layers: phrase, harmony twice, whether drums are apart."""


class Director(nn.Module):
    """`knobs` are the controls of a step as numbers (unit_controls.py). It takes the first `drawn` random numbers of a block."""

    def __init__(self, memory: Memory, navigator: Navigator, chooser: Chooser):
        super().__init__()
        self.memory, self.navigator, self.chooser = memory, navigator, chooser
        self.count: int = memory.layers
        self.genres: int = memory.genres
        self.leads = chooser.leads
        self.draws: int = DRAWS
        self.drawn: int = DRAWS * memory.layers + SPARE
        self.first_of_layers: int = FIRST_OF_LAYERS
        self.per_layer: int = PER_LAYER

    def disturbed(self, genre: Tensor, knobs: list[float], was: UnitState, playing: list[LayerState], moment: Moment) -> bool:
        """Whether something was asked for in the midst of a slot that may not wait for the next."""
        if not torch.equal(genre, was.genre) or int(knobs[3]) != moment.chord:
            return True
        for v, state in enumerate(playing):
            at = self.first_of_layers + self.per_layer * v
            own = knobs[at + 4]
            if knobs[at + 3] != state.new or (own >= 0 and self.memory.genre_of(state.slot) != self.numbered(own)):
                return True
            if self.hotter(v, state, knobs[0], moment):
                return True
        return False

    def hotter(self, layer: int, state: LayerState, temperature: float, moment: Moment) -> bool:
        """Whether a layer that goes on would have jumped in this slot, had it been as hot as it has become."""
        return (
            temperature > moment.temperature
            and self.chooser.may(layer, moment.slot, temperature)
            and self.chooser.jumps(state, temperature)
        )

    def numbered(self, own: float) -> int:
        """The genre that a layer's own control asks for."""
        return min(int(own + 0.5), self.genres - 1)

    def decide(
        self,
        genre: Tensor,
        knobs: list[float],
        noise: Tensor,
        was: UnitState,
        h: Tensor,
        playing: list[LayerState],
        moment: Moment,
        slot: int,
        begins: bool,
    ) -> list[int]:
        """Let `playing` and `moment` be what they are from here on; returns the codes [V]."""
        draws: list[float] = noise.narrow(0, 0, self.drawn).tolist()
        weights: list[float] = genre.tolist()
        spare = draws[self.draws * self.count :]
        temperature = knobs[0]
        # A new phrase: another piece, at a bar line, all layers together.
        turned = begins and slot % 16 == 0 and moment.phrase >= self.chooser.phrase and spare[0] < temperature
        moment.phrase = 0 if turned else moment.phrase + (1 if begins else 0)
        chord = int(knobs[3])
        aim = chord if chord >= 0 else self.aim(knobs, playing, spare, slot, begins)
        changed = not torch.equal(genre, was.genre)
        taken: list[int] = []
        jumped: list[bool] = []
        for v, state in enumerate(playing):
            was_at = state.slot
            at = self.first_of_layers + self.per_layer * v
            own, draw = knobs[at + 4], draws[self.draws * v : self.draws * (v + 1)]
            now = self.memory.genre_of(state.slot)
            wanted = self.numbered(own) if own >= 0 else self.chooser.genre(weights, draw[1])
            stays = now >= 0 and (now == wanted or (own < 0 and weights[now] > 0 and not changed))
            wanted = now if stays else wanted
            if turned or state.piece < 0 or self.memory.genre_of_piece(state.piece) != wanted:
                state.piece = self.piece_for(wanted, v, playing, temperature, draw[4], spare[3])
            asked = state.new >= 0 and knobs[at + 3] != state.new
            state.new = knobs[at + 3]
            if knobs[at + 2] >= 0.5 and int(was.units[0, v]) >= 0:
                code = self.hold(v, state, was, begins)
            else:
                hot = not begins and self.hotter(v, state, temperature, moment)
                must, avoided = turned or asked or hot or not stays, asked or hot
                code = self.chooser.choose(
                    v, state, h, slot, begins, must, avoided, wanted, aim, temperature, draw, playing[self.leads[v]], jumped
                )
            jumped.append(state.slot != (self.memory.next(was_at) if begins else was_at))
            taken.append(code)
            if v + 1 < self.count:
                h = self.navigator.up(h, v, torch.full([1], code))
        moment.temperature, moment.chord = temperature, chord
        return taken

    def hold(self, layer: int, playing: LayerState, was: UnitState, begins: bool) -> int:
        """Let the layer play what it played a bar ago; returns the code."""
        if begins:
            after, shift = self.memory.next(playing.slot), playing.shift
            playing.play(int(was.units[0, layer]))
            if playing.slot != after or playing.shift != shift:
                playing.since = 0
        return int(self.memory.code[layer, playing.slot])

    def piece_for(self, genre: int, layer: int, playing: list[LayerState], temperature: float, number: float, other: float) -> int:
        """The piece that `layer` is to prefer in `genre`: that of the layer which it follows, unless `other` in 0..1 lets it
        leave; else one drawn by `number`."""
        lead = playing[self.leads[layer]].piece
        follows = layer > 0 and lead >= 0 and self.memory.genre_of_piece(lead) == genre
        if follows and not self.chooser.leaves(layer, lead, temperature, other):
            return lead
        return self.chooser.piece(genre, lead if layer > 0 else playing[0].piece, number)

    def aim(self, knobs: list[float], playing: list[LayerState], spare: list[float], slot: int, begins: bool) -> int:
        """The chord that the control `harmony` asks for in this slot, -1 for none: below the middle the one that sounds."""
        state = playing[0]
        if knobs[4] == 0.5 or state.slot < 0 or not begins:
            return -1
        chord = self.chooser.harmony.heard(int(self.memory.chord[state.slot]), state.shift)
        if knobs[4] < 0.5:
            return chord if chord < 24 and spare[1] < 1.0 - 2.0 * knobs[4] else -1
        if slot % 8 != 0 or spare[1] >= 2.0 * knobs[4] - 1.0:
            return -1
        # A chord of the same piece that is another one.
        first, count = int(self.memory.piece_first[state.piece]), int(self.memory.piece_slots[state.piece])
        other = int(self.memory.chord[first + min(int(spare[2] * count), count - 1)])
        return other if other < 24 and other != chord else -1
