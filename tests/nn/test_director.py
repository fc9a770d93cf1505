"""What is decided for all layers: pieces, harmony, what may not wait for the next slot."""

import pytest
import torch

from noizestream.nn.chooser import DRUMMED, Slot
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_controls import asked_for
from noizestream.nn.unit_draws import Draws
from noizestream.nn.unit_state import unpack
from rig.made_up import DRUMS, Performance, player, restored

SLOTS = 64


@pytest.fixture(scope="module")
def made():
    """Two genres of three pieces, 0 to 2 and 3 to 5."""
    return player(SpectralFront(16000, 128), codes=20, pieces=3, slots=SLOTS)


@pytest.fixture
def performance(made):
    """In the midst of a slot."""
    begun = Performance(made)
    begun.play(50)
    return begun


@pytest.fixture
def kept(made):
    with restored(made.memory) as memory:
        yield memory


def drawn(made, genre: int, layer: int, playing, other: float = 0.0) -> set[int]:
    """The pieces that the director draws at temperature 1."""
    return {made.director.piece_for(genre, layer, playing, 1.0, (number + 0.5) / 50, other) for number in range(50)}


def test_pieces_know_their_genre_and_layers_take_that_of_the_one_that_they_follow(made, performance, kept):
    assert [kept.genre_of_piece(piece) for piece in range(6)] == [0, 0, 0, 1, 1, 1]
    playing = performance.layers
    playing[0].piece, playing[1].piece, playing[2].piece = 4, 1, 2
    for layer in (1, 2):
        assert drawn(made, 1, layer, playing) == {4}
        assert drawn(made, 0, layer, playing) == {0, 1, 2}, "of another genre one is drawn"
    assert drawn(made, 1, DRUMS, playing) == {3, 4, 5}, "drums are of a piece of their own"
    assert drawn(made, 1, DRUMS, playing, 0.99) == {4}, "not always"
    kept.struck[4] = DRUMMED - 0.01
    assert drawn(made, 1, DRUMS, playing) == {4}, "but for a piece without drums"
    assert drawn(made, 1, 0, playing) == drawn(made, 1, 0, performance.layers) == {3, 4, 5}
    playing[0].piece = -1
    assert drawn(made, 1, 1, playing) == {3, 4, 5}, "nothing leads yet"


def test_another_phrase_and_drums_of_their_own_are_of_about_the_tempo_of_what_leads(made, performance, kept):
    kept.tempo.copy_(torch.tensor([80.0, 140.0, 81.0, 80.0, 141.0, 140.0]))
    playing = performance.layers
    playing[0].piece = 1

    def often(genre: int, layer: int, piece: int) -> float:
        return sum(made.director.piece_for(genre, layer, playing, 1.0, (n + 0.5) / 200, 0.0) == piece for n in range(200)) / 200

    for layer in (0, DRUMS):
        assert often(1, layer, 3) < 0.05 and often(1, layer, 4) > 0.4 and often(1, layer, 5) > 0.4
    playing[0].piece = 0
    assert often(0, 0, 2) > 0.75 and often(0, 0, 0) < 0.2 and often(0, 0, 1) < 0.05, "another one of that tempo"


def test_a_layers_own_genre_is_a_whole_number_of_those_there_are(made):
    assert [made.director.numbered(own) for own in (0.0, 0.4, 0.6, 1.0, 7.0)] == [0, 0, 1, 1, 1]


def test_harmony_asks_for_nothing_in_the_middle_for_what_sounds_below_and_for_another_chord_above(made, performance):
    director, playing = made.director, performance.layers
    sounds = made.chooser.harmony.heard(int(made.memory.chord[playing[0].slot]), playing[0].shift)

    def aim(harmony: float, slot: int = 8, begins: bool = True, spare: float = 0.3) -> int:
        return director.aim(harmony, playing[0], Draws([], 0.5, spare, spare, 0.5), Slot(slot, begins))

    assert aim(0.5) == -1
    assert aim(0.0) == aim(0.0, slot=3) == sounds
    assert aim(0.4, spare=0.3) == -1 and aim(0.4, spare=0.1) == sounds, "the further down the more often"
    own = made.memory.chord.view(-1, SLOTS)[playing[0].piece].tolist()
    others = {aim(1.0, spare=(number + 0.5) / 50) for number in range(50)}
    assert len(others) > 3 and others <= {-1, *own} - {sounds}
    assert aim(1.0, slot=3) == -1, "half bars alone begin another one"
    assert aim(0.0, begins=False) == aim(1.0, begins=False) == -1
    playing[0].slot = -1
    assert aim(0.0) == aim(1.0) == -1


def test_what_is_asked_for_disturbs_a_slot_and_what_is_not_does_not(made, performance):
    was = unpack(performance.state)

    def disturbed(genre: int = 0, temperature: float = 1.0, **controls: float) -> bool:
        asked = Performance(made, temperature=temperature, **controls)
        controls = asked_for(torch.eye(2)[genre], asked.controls)
        return made.director.disturbed(controls, was, performance.layers, performance.moment)

    assert not disturbed() and not disturbed(temperature=0.5)
    assert not disturbed(drums_level=-6.0, bass_mute=1.0, top_hold=1.0, harmony=0.9, tempo=90.0), "these need no other place"
    assert disturbed(genre=1) and disturbed(chord=4.0) and disturbed(temperature=2.0)
    assert disturbed(drums_new=1.0) and disturbed(top_genre=1.0) and not disturbed(top_genre=0.0)
