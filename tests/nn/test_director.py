"""What is decided for all layers: pieces, harmony, what may not wait for the next slot."""

import pytest
import torch

from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import Moment, unpack
from tests.nn.made_up import Performance, player

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


def test_pieces_know_their_genre_and_layers_take_that_of_one_before(made, performance):
    director = made.director
    assert [director.memory.genre_of_piece(piece) for piece in range(6)] == [0, 0, 0, 1, 1, 1]
    first, second, *_ = performance.layers
    first.piece, second.piece = 4, 1
    assert director.piece_for(0, [first, second], 0.99) == 1 and director.piece_for(1, [first, second], 0.99) == 4
    assert director.piece_for(1, [second], 0.0) == 3 and director.piece_for(1, [], 0.99) == 5, "else one is drawn"


def test_a_layers_own_genre_is_a_whole_number_of_those_there_are(made):
    assert [made.director.numbered(own) for own in (0.0, 0.4, 0.6, 1.0, 7.0)] == [0, 0, 1, 1, 1]


def test_harmony_asks_for_nothing_in_the_middle_for_what_sounds_below_and_for_another_chord_above(made, performance):
    director, playing, knobs = made.director, performance.layers, performance.controls.tolist()
    sounds = made.chooser.harmony.heard(int(made.memory.chord[playing[0].slot]), playing[0].shift)

    def aim(harmony: float, slot: int = 8, begins: bool = True, spare: float = 0.3) -> int:
        knobs[4] = harmony
        return director.aim(knobs, playing, [0.5, spare, spare, 0.5], slot, begins)

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
    was = unpack(performance.state, made.cells)

    def disturbed(genre: int = 0, temperature: float = 1.0, **controls: float) -> bool:
        asked = Performance(made, temperature=temperature, **controls)
        moment = Moment(was.moment.tolist())
        return made.director.disturbed(torch.eye(2)[genre], asked.controls.tolist(), was, performance.layers, moment)

    assert not disturbed() and not disturbed(temperature=0.5)
    assert not disturbed(drums_level=-6.0, bass_mute=1.0, top_hold=1.0, harmony=0.9, tempo=90.0), "these need no other place"
    assert disturbed(genre=1) and disturbed(chord=4.0) and disturbed(temperature=2.0)
    assert disturbed(drums_new=1.0) and disturbed(top_genre=1.0) and not disturbed(top_genre=0.0)
