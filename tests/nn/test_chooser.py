"""Go on or jump, and where to: by chance, by code, by place, by what sounds, by chord."""

import pytest
import torch

from noizestream.nn.candidates import AGAIN, ANY_TEMPO, LOYAL, Joint
from noizestream.nn.harmony import UNMOVED
from noizestream.nn.layer_table import LAYERS
from noizestream.nn.spectral import SpectralFront
from rig.made_up import player, playing, restored

PIECES, SLOTS = 3, 64
DRUMS = 3


@pytest.fixture(scope="module")
def made():
    return player(SpectralFront(16000, 128), codes=4, pieces=PIECES, slots=SLOTS)


@pytest.fixture(scope="module")
def chooser(made):
    return made.chooser


@pytest.fixture
def kept(made):
    with restored(made.memory) as memory:
        yield memory


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
        often = [sum(chooser.may(layer, slot, 1 + heat / 10) for slot in range(128)) for heat in range(11)]
        assert often == sorted(often) and often[0] < often[5] < often[10], "the hotter the more often"
        assert all(chooser.may(layer, slot, 1.5) for slot in range(0, 128, every)), "and always where it may anyway"
    assert chooser.every == [8, 8, 8, 64], "drums go on for four bars"


def test_genres_are_drawn_by_their_weights(chooser):
    drawn = [chooser.genre([0.25, 0.75], (number + 0.5) / 100) for number in range(100)]
    assert drawn.count(0) == 25 and chooser.genre([0.0, 1.0], 0.0) == 1 and chooser.genre([1.0, 0.0], 0.99999) == 0


def shares(chooser, genre: int, near: int) -> list[float]:
    """How often each piece of a genre of three is drawn."""
    first, drawn = 3 * genre, [chooser.piece(genre, near, (number + 0.5) / 1000) for number in range(1000)]
    assert set(drawn) <= set(range(first, first + 3))
    return [drawn.count(first + number) / 1000 for number in range(3)]


def test_longer_pieces_are_taken_more_often(chooser, kept):
    kept.piece_slots[1] = 3 * SLOTS
    assert shares(chooser, 0, -1) == pytest.approx([0.2, 0.6, 0.2], abs=0.002)
    assert {chooser.piece(1, -1, number) for number in (0.0, 0.99999)} == {3, 5}
    kept.piece_slots[1] = SLOTS
    kept.tempo[:3] = torch.tensor([60.0, 120.0, 120.0])
    assert shares(chooser, 0, -1) == pytest.approx([0.5, 0.25, 0.25], abs=0.002), "in time: slots are twice as long there"


def test_the_next_piece_is_another_one_of_about_the_tempo(chooser, kept):
    kept.tempo.copy_(torch.tensor([100.0, 101.0, 150.0, 99.0, 170.0, 101.0]))
    weights = torch.tensor([AGAIN / 100, 1 / 101, ANY_TEMPO / 150])
    assert shares(chooser, 0, 0) == pytest.approx((weights / weights.sum()).tolist(), abs=0.01)
    assert shares(chooser, 0, 2)[2] > 0.6, "where there is no other one, the same again"
    here, far, there = shares(chooser, 1, 0)
    assert far < 0.03 and here == pytest.approx(there, abs=0.03), "of another genre too; there none is the same"


def test_which_pieces_are_near_depends_on_the_ratio_of_tempos(chooser, kept):
    kept.tempo[:3] = torch.tensor([60.0, 66.0, 66.0])
    slow = shares(chooser, 0, 0)
    kept.tempo[:3] = torch.tensor([120.0, 132.0, 132.0])
    assert shares(chooser, 0, 0) == pytest.approx(slow, abs=0.002)


def test_codes_are_drawn_as_they_are_likely_the_unlikely_ones_not_at_all(chooser):
    p = torch.tensor([0.6, 0.3, 0.06, 0.04])
    drawn = [chooser.drawn(p.log(), 0, 1, 4, -1, 1.0, (number + 0.5) / 1000) for number in range(1000)]
    assert set(drawn) == {4, 5}, "codes of the second genre; 0.06 and 0.04 are less than their share"
    hot = [chooser.drawn(p.log(), 0, 1, 4, -1, 2.0, (number + 0.5) / 1000) for number in range(1000)]
    assert set(hot) == {4, 5, 6, 7} and hot.count(4) < drawn.count(4)
    cold = [chooser.drawn(p.log(), 0, 1, 4, -1, 0.0, (number + 0.5) / 1000) for number in range(1000)]
    assert cold.count(4) > 900


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
        found, shift = chooser.member(layer, 5, Joint(4, 7, -1, 20, -1), 0.5)
        assert int(memory.code[layer, found]) == 5 and shift == UNMOVED
        members = memory.members_of(layer, 5, 0.5).long()
        alike = (memory.piece[members] == 4).long() * 2 + (memory.place[members] == 7).long()
        assert (int(memory.piece[found]) == 4) * 2 + (int(memory.place[found]) == 7) == int(alike.max())
        wanted = int(members[memory.piece[members] == 4][0])
        assert chooser.member(layer, 5, Joint(4, int(memory.place[wanted]), -1, wanted - 1, -1), 0.5)[0] == wanted
        other = chooser.member(layer, 5, Joint(4, int(memory.place[wanted]), -1, wanted - 1, wanted), 0.5)[0]
        assert other != wanted, "what is to be avoided is not taken"


def test_the_first_slot_of_a_stretch_is_compared_by_itself_and_not_by_what_lies_before_it_in_the_memory(chooser, kept):
    layer, first, other = 0, SLOTS, 10  # slots of one code: the first of the second piece, and one within the first piece
    own = kept.code[layer, : PIECES * SLOTS]
    own[own == 0] = 1
    kept.code[layer, [first, other]] = 0
    kept.group()
    kept.piece.fill_(0), kept.place.fill_(0), kept.ends.fill_(0)
    kept.ends[first], kept.ends[first - 1], kept.ends[other - 1], kept.ends[40] = 100, -100, 50, 100
    assert chooser.member(layer, 0, Joint(0, 0, -1, 40, -1), 0.5)[0] == first, "slot 40 ends as it does"
    kept.ends[40] = -100
    assert chooser.member(layer, 0, Joint(0, 0, -1, 40, -1), 0.5)[0] == other, "what ended before it was other music"
    kept.code[layer, first], kept.code[layer, 0] = 1, 0
    kept.group()
    kept.ends[0], kept.ends[40] = 100, 100
    assert chooser.member(layer, 0, Joint(0, 0, -1, 40, -1), 0.5)[0] == 0, "the very first slot too"


@pytest.mark.parametrize("chord", [2, 20])
def test_with_a_chord_a_member_that_sounds_like_it_is_taken_and_drums_do_not_care(made, chooser, chord):
    for code in range(4):
        found, shift = chooser.member(0, code, Joint(0, 0, chord, 20, -1), 0.5)
        assert chooser.fits(found, shift, chord)
        assert chooser.member(DRUMS, code, Joint(0, 0, chord, 20, -1), 0.5) == chooser.member(
            DRUMS, code, Joint(0, 0, -1, 20, -1), 0.5
        )
