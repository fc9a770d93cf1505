"""A layer goes on, jumps by itself, or goes where the layer is that it follows."""

import pytest
import torch

from noizestream.nn.chooser import DRUMMED, Slot, Wish
from noizestream.nn.harmony import UNMOVED
from noizestream.nn.layer_table import LAYERS, Layer
from noizestream.nn.layers import LayerFront
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_draws import LayerDraws
from rig.made_up import player, playing, restored

PIECES, SLOTS = 3, 64
DRUMS = 3


@pytest.fixture(scope="module")
def made():
    return player(SpectralFront(16000, 128), codes=4, pieces=PIECES, slots=SLOTS)


@pytest.fixture
def kept(made):
    with restored(made.memory) as memory:
        yield memory


def choose(
    made, state, *, begins=True, must=False, slot=16, noise=None, lead=None, led=False, layer=1, genre=0, temperature=1.0, chord=-1
) -> int:
    draws = LayerDraws(*([0.5] * 5 + [0.99] if noise is None else noise))
    playings = [playing() if lead is None else lead] * len(LAYERS)
    playings[layer] = state
    jumped = [led] * len(LAYERS) if isinstance(led, bool) else led
    wish = Wish(genre, chord, temperature, must, False, jumped)
    return made.chooser.choose(layer, playings, torch.zeros(1, made.hidden), Slot(slot, begins), wish, draws)


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
    drums = playing(20, 1)
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


def test_a_layer_knows_whom_it_follows():
    front = SpectralFront(16000, 128)
    assert LayerFront(front).leads == [0, 0, 0, 0]
    own = LayerFront(front, (*LAYERS[:3], Layer("drums", "percussive", 0.0, float("inf"), 32, 64, 0.2, "bass")))
    assert own.leads == [0, 0, 0, 1]


@torch.no_grad()
@pytest.mark.parametrize("follows", [0, 1])
def test_a_layer_joins_the_one_that_it_follows_where_that_has_jumped(made, monkeypatch, follows):
    monkeypatch.setattr(made.chooser, "leads", [0, 0, follows, 0])
    for jumped in (0, 1):
        state, lead = playing(20), playing(100)
        noise = [0.999] + [0.5] * 4 + [0.0]  # it would not jump by itself
        choose(made, state, layer=2, noise=noise, lead=lead, led=[jumped == 0, jumped == 1])
        assert state.slot == (100 if jumped == follows else 21)


@torch.no_grad()
@pytest.mark.parametrize("layer", [1, 2])
def test_who_is_with_its_lead_stays_with_it(made, layer):
    jumps = [1e-9] + [0.5] * 4
    state = playing(20)
    choose(made, state, lead=playing(21), noise=[*jumps, 0.0], layer=layer)
    assert state.slot == 21 and state.run == 4, "it does not leave it of itself"
    alone = playing(20)
    choose(made, alone, lead=playing(21), noise=[*jumps, 0.99], layer=layer)
    assert alone.slot != 21, "unless it goes its own way"
    apart = playing(20)
    choose(made, apart, lead=playing(101), noise=[*jumps, 0.0], layer=layer)
    assert apart.slot == 101, "and who jumps goes to its lead, although that went on"


@torch.no_grad()
@pytest.mark.parametrize("layer", [1, 2, DRUMS])
def test_at_the_end_of_a_stretch_a_layer_joins_too_wherever_in_the_bar_that_is(made, layer):
    state, alone = playing(SLOTS - 1), playing(SLOTS - 1)
    choose(made, state, slot=3, lead=playing(101), noise=[0.5] * 5 + [0.0], layer=layer)
    choose(made, alone, slot=3, lead=playing(101), noise=[0.5] * 5 + [0.999], layer=layer)
    assert state.slot == 101 and state.since == 0 and alone.slot != 101


def test_drums_leave_only_a_piece_that_has_drums_and_the_more_often_the_hotter(made, kept):
    kept.struck[:2] = torch.tensor([DRUMMED - 0.01, DRUMMED])

    def share(layer: int, piece: int, temperature: float) -> float:
        return sum(made.chooser.leaves(layer, piece, temperature, (n + 0.5) / 1000) for n in range(1000)) / 1000

    for temperature in (0.0, 0.5, 1.0, 2.0):
        assert share(DRUMS, 1, temperature) == pytest.approx(LAYERS[DRUMS].apart * temperature, abs=0.001)
        assert share(DRUMS, 0, temperature) == 0, "what is struck there are its notes"
        assert all(share(layer, piece, temperature) == 0 for layer in range(DRUMS) for piece in (0, 1))
    assert LAYERS[DRUMS].apart > 0


@torch.no_grad()
@pytest.mark.parametrize("slot", [3, 8, 64])
def test_drums_jump_with_what_leads_unless_they_have_a_piece_of_their_own(made, slot):
    for piece, begins, chord, joins in ((1, True, -1, True), (0, True, -1, False), (1, False, -1, False), (1, True, 5, False)):
        drums = playing(20, piece)
        where = slot if begins else 3
        noise = [0.999] + [0.5] * 4 + [0.0]
        choose(made, drums, slot=where, begins=begins, lead=playing(100, 1), led=True, noise=noise, layer=DRUMS, chord=chord)
        assert (drums.slot == 100) == joins, "nor in the midst of a slot, nor for a chord that was asked for"
