"""Go on or jump, and where to: by chance, by code, by place, by what sounds, by chord."""

import pytest
import torch

from noizestream.nn.chooser import DRAWS, LOYAL
from noizestream.nn.harmony import UNMOVED
from noizestream.nn.layers import LAYERS
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import LayerState, nothing
from tests.nn.made_up import player

PIECES, SLOTS = 3, 64
DRUMS = 3


@pytest.fixture(scope="module")
def made():
    return player(SpectralFront(16000, 128), codes=4, pieces=PIECES, slots=SLOTS)


@pytest.fixture(scope="module")
def chooser(made):
    return made.chooser


def playing(slot: int = -1, piece: int = 0, shift: int = 6) -> LayerState:
    return LayerState([float(slot), float(shift), 5.0, 3.0, 0.5, 0.0, 0.0, float(piece), *nothing()[8:]])


def test_a_layer_jumps_more_often_the_hotter_it_is_and_the_less_sure_of_going_on(chooser):
    def share(gate: float, temperature: float) -> float:
        state, jumped = playing(), 0
        for number in range(1000):
            state.chance, state.gate = (number + 0.5) / 1000, gate
            jumped += chooser.jumps(state, temperature)
        return jumped / 1000

    assert share(0.0, 1.0) == pytest.approx(0.5, abs=0.01) and share(2.0, 1.0) == pytest.approx(0.119, abs=0.01)
    assert share(2.0, 0.0) < 0.005 and share(2.0, 2.0) > 0.9
    assert share(chooser.sure, 2.0) == 0


def test_it_may_jump_where_its_bar_begins_and_hot_everywhere(chooser):
    for layer, every in enumerate(chooser.every):
        assert [slot for slot in range(128) if chooser.may(layer, slot, 1.0)] == list(range(0, 128, every))
        assert all(chooser.may(layer, slot, 2.0) for slot in range(32))


def test_genres_are_drawn_by_their_weights(chooser):
    drawn = [chooser.genre([0.25, 0.75], (number + 0.5) / 100) for number in range(100)]
    assert drawn.count(0) == 25 and chooser.genre([0.0, 1.0], 0.0) == 1 and chooser.genre([1.0, 0.0], 0.99999) == 0


def test_longer_pieces_are_taken_more_often(made):
    made.memory.piece_slots[1] = 3 * SLOTS
    drawn = [made.chooser.piece(0, -1, (number + 0.5) / 100) for number in range(100)]
    made.memory.piece_slots[1] = SLOTS
    assert drawn.count(1) == pytest.approx(60, abs=1) and set(drawn) == {0, 1, 2}
    assert {made.chooser.piece(1, -1, number) for number in (0.0, 0.99999)} == {3, 5}


def test_codes_are_drawn_as_they_are_likely_the_unlikely_ones_not_at_all(chooser):
    p = torch.tensor([0.6, 0.3, 0.06, 0.04])
    drawn = [chooser.drawn(p.log(), 0, 1, 4, -1, 1.0, (number + 0.5) / 1000) for number in range(1000)]
    assert set(drawn) == {4, 5}, "codes of the second genre; 0.06 and 0.04 are less than their share"
    hot = [chooser.drawn(p.log(), 0, 1, 4, -1, 2.0, (number + 0.5) / 1000) for number in range(1000)]
    assert set(hot) == {4, 5, 6, 7} and hot.count(4) < drawn.count(4)
    cold = [chooser.drawn(p.log(), 0, 1, 4, -1, 0.0, (number + 0.5) / 1000) for number in range(1000)]
    assert cold.count(4) > 900


@pytest.fixture
def kept(made):
    """The memory, as it was again afterwards."""
    tables = {name: table.clone() for name, table in made.memory.named_buffers()}
    yield made.memory
    for name, table in made.memory.named_buffers():
        table.copy_(tables[name])


def drawn(chooser, layer: int, piece: int, chord: int, temperature: float) -> set[int]:
    """What is drawn of the first genre where the first code is by far the likeliest."""
    log_p = torch.tensor([0.0, -3.0, -3.0, -3.0])
    return {chooser.drawn(log_p, layer, 0, piece, chord, temperature, (n + 0.5) / 200) for n in range(200)}


@pytest.mark.parametrize("temperature", [0.0, 1.0, LOYAL, 2.0])
@pytest.mark.parametrize("chord", [-1, 3])
def test_a_code_that_has_no_members_is_never_drawn(chooser, kept, temperature, chord):
    kept.code[1, kept.code[1] == 0] = 1
    kept.group()
    found = drawn(chooser, 1, 0, chord, temperature)
    assert 0 not in found and found <= {1, 2, 3}


@pytest.mark.parametrize("layer", range(len(LAYERS)))
def test_codes_are_those_of_the_piece_in_hand_unless_it_is_hot_or_a_chord_is_asked_for(chooser, kept, layer):
    own = slice(SLOTS, 2 * SLOTS)  # the second piece
    kept.code[layer, own] = 2 + kept.code[layer, own] % 2
    kept.group()
    for temperature in (0.0, 0.5, 1.0, LOYAL):
        assert drawn(chooser, layer, 1, -1, temperature) <= {2, 3}, temperature
        assert 0 in drawn(chooser, layer, 0, -1, temperature), "another piece has the likeliest one"
    assert drawn(chooser, layer, 1, -1, 1.0) == {2, 3}
    assert 0 in drawn(chooser, layer, 1, -1, LOYAL + 0.01)
    kept.code_fit[layer, :2], kept.code_fit[layer, 2:4] = 95, -40
    elsewhere = drawn(chooser, layer, 1, 3, 1.0) & {0, 1}
    assert bool(elsewhere) == chooser.pitched[layer], "a chord that the piece does not have is found elsewhere; drums have none"


def test_of_the_members_that_of_the_piece_and_place_is_taken_and_else_the_one_that_joins_best(made, chooser):
    memory = made.memory
    for layer in range(made.count):
        found, shift = chooser.member(layer, 5, 4, 7, -1, 20, -1, 0.5)
        assert int(memory.code[layer, found]) == 5 and shift == UNMOVED
        members = memory.members_of(layer, 5, 0.5).long()
        alike = (memory.piece[members] == 4).long() * 2 + (memory.place[members] == 7).long()
        assert (int(memory.piece[found]) == 4) * 2 + (int(memory.place[found]) == 7) == int(alike.max())
        wanted = int(members[memory.piece[members] == 4][0])
        assert chooser.member(layer, 5, 4, int(memory.place[wanted]), -1, wanted - 1, -1, 0.5)[0] == wanted
        other = chooser.member(layer, 5, 4, int(memory.place[wanted]), -1, wanted - 1, wanted, 0.5)[0]
        assert other != wanted, "what is to be avoided is not taken"


@pytest.mark.parametrize("chord", [2, 20])
def test_with_a_chord_a_member_that_sounds_like_it_is_taken_and_drums_do_not_care(made, chooser, chord):
    for code in range(4):
        found, shift = chooser.member(0, code, 0, 0, chord, 20, -1, 0.5)
        assert chooser.fits(found, shift, chord)
        assert chooser.member(DRUMS, code, 0, 0, chord, 20, -1, 0.5) == chooser.member(DRUMS, code, 0, 0, -1, 20, -1, 0.5)


def choose(
    made, state, *, begins=True, must=False, slot=16, noise=None, lead=None, led=False, layer=1, genre=0, temperature=1.0
) -> int:
    noise = [0.5] * (DRAWS - 1) + [0.99] if noise is None else noise
    lead = playing() if lead is None else lead
    h = torch.zeros(1, made.hidden)
    return made.chooser.choose(layer, state, h, slot, begins, must, False, genre, -1, temperature, noise, lead, led)


@torch.no_grad()
def test_what_may_not_jump_goes_on_and_what_must_jump_does(made):
    state = playing(20)
    code = choose(made, state, slot=3, noise=[1e-6] * 5 + [0.99])
    assert state.slot == 21 and state.run == 4 and code == int(made.memory.code[1, 21])
    within = playing(20)
    choose(made, within, slot=3, begins=False)
    assert within.slot == 20, "and in the midst of a slot nothing changes"
    for jumping in (
        playing(20),
        playing(SLOTS - 1),
        playing(-1),
        playing(200),
    ):  # asked to; its piece is over; nothing; other genre
        choose(made, jumping, must=jumping.slot == 20, slot=3)
        assert 0 <= jumping.slot < PIECES * SLOTS and jumping.run == jumping.since == 0


@torch.no_grad()
def test_layers_that_jump_together_go_to_one_place(made):
    lead, state = playing(100, 1, 8), playing(20)
    choose(made, state, lead=lead, led=True, noise=[0.5] * 5 + [0.0])
    assert (state.slot, state.shift) == (100, 8)
    drums = playing(20)
    choose(made, drums, lead=lead, led=True, noise=[0.5] * 5 + [0.0], layer=DRUMS)
    assert (drums.slot, drums.shift) == (100, UNMOVED), "drums are not transposed"
    alone = playing(20)
    choose(made, alone, lead=lead, led=True, noise=[0.999] + [0.5] * 4 + [0.99])
    assert alone.slot != 100


@torch.no_grad()
@pytest.mark.parametrize("layer", range(1, len(LAYERS)))
def test_how_often_a_layer_goes_where_the_first_one_is_depends_on_the_layer_and_heat_halves_it(made, layer):
    def share(temperature: float) -> float:
        joined = 0
        for number in range(100):
            state = playing(20)
            noise = [0.5] * 5 + [(number + 0.5) / 100]
            choose(made, state, must=True, lead=playing(101), led=True, noise=noise, layer=layer, temperature=temperature)
            joined += state.slot == 101
        return joined / 100

    together = LAYERS[layer].together
    assert share(0.0) == share(1.0) == pytest.approx(together, abs=0.011)
    assert share(2.0) == pytest.approx(together / 2, abs=0.011)
    assert LAYERS[DRUMS].together < 0.5 < min(one.together for one in LAYERS[:DRUMS]), "drums go their own way"
