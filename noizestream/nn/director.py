"""What all layers are to do in a slot: of which genre and piece, in which harmony, what is held, where a phrase ends.

It is decided when a slot begins, and again in its midst when something is asked for that may not wait (`disturbed`). How a single
layer goes on or jumps is in chooser.py.
"""

import torch
from torch import Tensor, nn

from noizestream.nn.chooser import Chooser, Slot, Wish
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import Navigator
from noizestream.nn.unit_controls import Asked
from noizestream.nn.unit_draws import Draws
from noizestream.nn.unit_state import LayerState, Moment, UnitState


class Director(nn.Module):
    """Decides for all layers in a slot. It keeps nothing: `decide` changes the state that it is given."""

    def __init__(self, memory: Memory, navigator: Navigator, chooser: Chooser):
        super().__init__()
        self.memory, self.navigator, self.chooser = memory, navigator, chooser
        self.count: int = memory.layers
        self.genres: int = memory.genres
        self.leads = chooser.leads

    def disturbed(self, asked: Asked, was: UnitState, playing: list[LayerState], moment: Moment) -> bool:
        """Return whether something is asked for in the midst of a slot that may not wait for the next."""
        if not torch.equal(asked.genre, was.genre) or asked.chord != moment.chord:
            return True
        for v, state in enumerate(playing):
            own = asked.layers[v]
            if own.new != state.new or (own.genre >= 0 and self.memory.genre_of(state.slot) != self.numbered(own.genre)):
                return True
            if self.hotter(v, state, asked.temperature, moment):
                return True
        return False

    def hotter(self, layer: int, state: LayerState, temperature: float, moment: Moment) -> bool:
        """Return whether a layer that goes on would have jumped in this slot, had it been as hot as it has become."""
        return (
            temperature > moment.temperature
            and self.chooser.may(layer, moment.slot, temperature)
            and self.chooser.jumps(state, temperature)
        )

    def numbered(self, own: float) -> int:
        """Return the genre that a layer's own control asks for."""
        return min(int(own + 0.5), self.genres - 1)

    def decide(
        self,
        asked: Asked,
        draws: Draws,
        was: UnitState,
        h: Tensor,
        playing: list[LayerState],
        moment: Moment,
        slot: Slot,
    ) -> list[int]:
        """Let `playing` and `moment` be what they are from here on, and return the codes [V].

        `h` [1, hidden] is what the LSTM says of the slot, `was` the state before the block.
        """
        temperature = asked.temperature
        weights: list[float] = asked.genre.tolist()
        # A new phrase: another piece, at a bar line, all layers together.
        due = slot.begins and slot.number % 16 == 0 and moment.phrase >= self.chooser.phrase
        turned = due and draws.phrase < temperature
        moment.phrase = 0 if turned else moment.phrase + (1 if slot.begins else 0)
        aim = asked.chord if asked.chord >= 0 else self.aim(asked.harmony, playing[0], draws, slot)
        changed = not torch.equal(asked.genre, was.genre)
        taken: list[int] = []
        jumped: list[bool] = []
        for v, state in enumerate(playing):
            begun = state.slot
            own, numbers = asked.layers[v], draws.layers[v]
            now = self.memory.genre_of(state.slot)
            wanted = self.numbered(own.genre) if own.genre >= 0 else self.chooser.genre(weights, numbers.genre)
            stays = now >= 0 and (now == wanted or (own.genre < 0 and weights[now] > 0 and not changed))
            wanted = now if stays else wanted
            if turned or state.piece < 0 or self.memory.genre_of_piece(state.piece) != wanted:
                state.piece = self.piece_for(wanted, v, playing, temperature, numbers.piece, draws.apart)
            new = state.new >= 0 and own.new != state.new
            state.new = own.new
            if own.hold >= 0.5 and int(was.units[0, v]) >= 0:
                code = self.hold(v, state, was, slot.begins)
            else:
                hot = not slot.begins and self.hotter(v, state, temperature, moment)
                wish = Wish(wanted, aim, temperature, turned or new or hot or not stays, new or hot, jumped)
                code = self.chooser.choose(v, playing, h, slot, wish, numbers)
            jumped.append(state.slot != (self.memory.next(begun) if slot.begins else begun))
            taken.append(code)
            if v + 1 < self.count:
                h = self.navigator.up(h, v, torch.full([1], code))
        moment.temperature, moment.chord = temperature, asked.chord
        return taken

    def hold(self, layer: int, playing: LayerState, was: UnitState, begins: bool) -> int:
        """Let the layer play what it played a bar ago, and return the code."""
        if begins:
            after, shift = self.memory.next(playing.slot), playing.shift
            playing.play(int(was.units[0, layer]))
            if playing.slot != after or playing.shift != shift:
                playing.since = 0
        return int(self.memory.code[layer, playing.slot])

    def piece_for(self, genre: int, layer: int, playing: list[LayerState], temperature: float, number: float, other: float) -> int:
        """Return the piece that `layer` is to prefer in `genre`.

        It is that of the layer which it follows, unless `other` in 0..1 lets it leave; else one drawn by `number`.
        """
        lead = playing[self.leads[layer]].piece
        follows = layer > 0 and lead >= 0 and self.memory.genre_of_piece(lead) == genre
        if follows and not self.chooser.leaves(layer, lead, temperature, other):
            return lead
        return self.chooser.piece(genre, lead if layer > 0 else playing[0].piece, number)

    def aim(self, harmony: float, first: LayerState, draws: Draws, slot: Slot) -> int:
        """Return the chord that the control `harmony` asks for in this slot, -1 for none: below the middle the one that sounds,
        which is that of the `first` layer."""
        if harmony == 0.5 or first.slot < 0 or not slot.begins:
            return -1
        chord = self.chooser.harmony.heard(int(self.memory.chord[first.slot]), first.shift)
        if harmony < 0.5:
            return chord if chord < 24 and draws.harmony < 1.0 - 2.0 * harmony else -1
        if slot.number % 8 != 0 or draws.harmony >= 2.0 * harmony - 1.0:
            return -1
        # A chord of the same piece that is another one.
        begin, count = int(self.memory.piece_first[first.piece]), int(self.memory.piece_slots[first.piece])
        other = int(self.memory.chord[begin + min(int(draws.chord * count), count - 1)])
        return other if other < 24 and other != chord else -1
