"""What a performer asks of the generator: genres, mutes, levels, places, chords, layer by layer, on a random memory."""

import itertools

import pytest
import torch

from noizestream.nn.harmony import UNMOVED
from noizestream.nn.layer_table import LAYERS
from noizestream.nn.unit_controls import OF_ALL, OF_LAYER, Asked, LayerControls, asked_for, controls_of
from rig.made_up import DRUMS, HARMONY, NAMES, PIECE, Performance, unsure


@pytest.fixture(scope="module")
def made():
    return unsure()


def genre_of(place: int) -> int:
    return place // (3 * PIECE)


def test_controls_are_read_in_the_order_in_which_they_are_declared():
    names = [control["name"] for control in controls_of(["bass", "top"], 3)]
    genre, *of_all, layers = Asked._fields
    own = [f"{layer}_{name}" for layer in ("bass", "top") for name in LayerControls._fields]
    assert (genre, layers) == ("genre", "layers") and names == of_all + own
    asked = asked_for(torch.tensor([0.0, 1.0]), torch.arange(len(names), dtype=torch.float32))
    assert list(asked[1:-1]) == list(range(OF_ALL))
    assert [value for layer in asked.layers for value in layer] == list(range(OF_ALL, OF_ALL + 2 * OF_LAYER))


def test_another_genre_is_played_from_the_block_on_in_which_it_is_asked_for(made):
    performance, still = Performance(made), Performance(made)
    performance.play(50), still.play(50)  # in the midst of a slot
    slot = performance.slot
    performance.set(genre=1)
    one, other = performance.step(), still.step()
    assert performance.slot == slot, "the same slot still"
    assert all(genre_of(place) == 1 for place in performance.places) and not torch.equal(one, other)
    assert all(genre_of(place) == 1 for row in performance.slots(40) for place in row)


def test_a_mix_of_genres_plays_both(made):
    rows = Performance(made, temperature=1.5).set(genre=(0.5, 0.5)).slots(200)
    share = sum(genre_of(place) for row in rows for place in row) / (len(rows) * len(LAYERS))
    assert 0.02 < share < 0.98


@pytest.mark.parametrize("name", NAMES)
def test_mute_silences_a_layer_and_level_turns_it_down(made, name):
    v = NAMES.index(name)
    plain, muted, lower = (
        Performance(made),
        Performance(made, **{f"{name}_mute": 1.0}),
        Performance(made, **{f"{name}_level": -12.0}),
    )
    gains = [made.gains(asked_for(one.genre, one.controls)) for one in (plain, muted, lower)]
    assert gains[0] == [1.0] * len(NAMES)
    assert gains[1] == [float(u != v) for u in range(len(NAMES))]
    assert gains[2] == pytest.approx([10 ** (-12 / 20) if u == v else 1.0 for u in range(len(NAMES))])
    audio = [performance.play(200) for performance in (plain, muted, lower)]
    assert plain.places == muted.places == lower.places, "what is not heard goes on all the same"
    own = audio[0] - audio[1]
    assert float(own.square().mean()) > 1e-2 * float(audio[0].square().mean()), "or nothing is shown"
    assert torch.allclose(audio[2], audio[1] + 10 ** (-12 / 20) * own, atol=1e-5), "layers are added, and this one is quieter"


def test_with_all_layers_muted_there_is_silence(made):
    muted = {f"{name}_mute": 1.0 for name in NAMES}
    audio = Performance(made, **muted).play(300)
    assert not audio.any()


def in_slot(made, slot: int, **controls: float) -> Performance:
    """In the midst of `slot`."""
    performance = Performance(made, **controls)
    while performance.slot < slot:
        performance.step()
    performance.play(5)
    assert performance.slot == slot
    return performance


@pytest.mark.parametrize("slot", [3, 8, 13])
def test_rising_heat_is_heard_in_the_block_in_which_it_rises(made, slot):
    performance, still = in_slot(made, slot, temperature=0.0), in_slot(made, slot, temperature=0.0)
    before = performance.places
    performance.set(temperature=2.0)
    one, other = performance.step(), still.step()
    assert performance.slot == slot and still.places == before and not torch.equal(one, other)
    jumped = [a != b for a, b in zip(performance.places, before, strict=True)]
    assert sum(jumped) >= 3 and [state.since == 1 for state in performance.layers] == jumped
    after = performance.places
    performance.play(5)
    assert performance.slot == slot and performance.places == after, "once"


def test_heat_that_rises_bit_by_bit_makes_more_and_more_layers_jump(made):
    performance, jumped = in_slot(made, 4, temperature=0.0), []
    before = performance.places
    for number in range(1, 11):
        performance.set(temperature=0.2 * number).step()
        assert performance.slot == 4
        jumped.append(sum(a != b for a, b in zip(performance.places, before, strict=True)))
    assert jumped == sorted(jumped) and jumped[0] == 0 and jumped[-1] >= 3


def test_what_was_decided_where_the_slot_began_holds_when_it_is_disturbed(made):
    performance = in_slot(made, 8)
    gates = [state.gate for state in performance.layers]
    performance.set(bass_new=1.0).step()
    after = performance.layers
    assert [state.gate for state in after] == [made.chooser.sure if v == 1 else gate for v, gate in enumerate(gates)]
    performance.set(top_new=1.0).step()
    performance.set(temperature=2.0).step()
    assert performance.places[1] == after[1].slot, "a layer jumps by heat at most once in a slot"


@pytest.mark.parametrize(("slot", "temperature"), [(3, 0.9), (13, 1.0), (8, 0.0), (8, 0.5)])
def test_within_a_slot_heat_changes_nothing_where_no_layer_may_jump_or_where_it_falls(made, slot, temperature):
    performance, still = in_slot(made, slot, temperature=0.7), in_slot(made, slot, temperature=0.7)
    performance.set(temperature=temperature)
    assert torch.equal(performance.step(), still.step()) and performance.places == still.places


@pytest.mark.parametrize("name", NAMES)
def test_new_is_another_place_at_once_in_this_layer_alone(made, name):
    v = NAMES.index(name)
    performance = Performance(made, temperature=0.0)
    performance.play(50)
    before = performance.places
    performance.set(**{f"{name}_new": 1.0}).step()
    after = performance.places
    assert after[v] != before[v] and after[v] != before[v] + 1
    assert [p for u, p in enumerate(after) if u != v] == [p for u, p in enumerate(before) if u != v]
    performance.step()
    assert performance.places == after, "once"
    performance.set(**{f"{name}_new": 2.0}).step()
    assert performance.places[v] != after[v]


def test_hold_plays_the_last_bar_again_as_it_was_transposed(made):
    performance = Performance(made, temperature=2.0)

    def bars(last: int) -> dict[int, list[tuple[int, int]]]:
        """Place and transposition of every layer at the end of every slot up to `last`, the chord another one every half a bar."""
        ends = {}
        while performance.slot <= last:
            performance.set(chord=float((performance.slot + 1) // 8 * 5 % 24))
            performance.step()
            ends[performance.slot] = [(layer.slot, layer.shift) for layer in performance.layers]
        return ends

    played = bars(39)
    performance.set(harmony_hold=1.0)
    played |= bars(80)
    for v in range(len(LAYERS)):
        again = [played[slot][v] == played[slot - 16][v] for slot in range(42, 80)]
        assert all(again) if v == HARMONY else not all(again)
    assert len({played[slot][HARMONY][1] for slot in range(26, 42)}) > 1, "or nothing is shown"


def test_a_layers_own_genre_is_played_by_it_alone(made):
    performance = Performance(made)
    performance.play(50)
    performance.set(drums_genre=1.0).step()
    rows = [performance.places, *performance.slots(60)]
    assert all(genre_of(row[DRUMS]) == 1 for row in rows)
    assert all(genre_of(place) == 0 for row in rows for v, place in enumerate(row) if v != DRUMS)
    performance.set(drums_genre=-1.0)
    assert all(genre_of(row[DRUMS]) == 0 for row in performance.slots(60)[-20:])


@pytest.mark.parametrize("chord", [0, 5, 14, 23])
def test_a_chord_is_what_pitched_layers_play_and_drums_do_as_they_like(made, chord):
    performance, free = Performance(made, temperature=1.0), Performance(made, temperature=1.0)
    performance.play(50), free.play(50)
    performance.set(chord=float(chord))
    harmony = made.chooser.harmony

    def fits(one: Performance) -> list[float]:
        return [float(made.memory.fit[layer.slot, harmony.column_of(chord, layer.shift)]) / 100 for layer in one.layers]

    performance.step()
    for _ in range(300):
        found = fits(performance)
        assert all(found[v] >= harmony.least for v in range(len(LAYERS)) if v != DRUMS), "at once, and from then on"
        performance.step()
        assert performance.layers[DRUMS].shift == UNMOVED, "drums are not transposed"
    without = 0
    for _ in range(300):
        without += fits(free)[HARMONY] >= harmony.least
        free.step()
    assert without < 200, "what is not asked for does not happen by itself"


def test_harmony_that_stays_keeps_to_the_chord_and_that_moves_leaves_it(made):
    def changes(value: float) -> int:
        performance = Performance(made, harmony=value, temperature=1.0)
        chords, heard = [], made.chooser.harmony
        for _ in range(200):
            performance.slots(1)
            leads = performance.layers[HARMONY]
            chords.append(heard.heard(int(made.memory.chord[leads.slot]), leads.shift))
        return sum(a != b for a, b in itertools.pairwise(chords))

    assert changes(0.0) < 0.7 * changes(0.5)
