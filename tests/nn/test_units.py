"""The whole generator on a random memory: what it goes on with, when it jumps, and what the controls of the layers do."""

import itertools

import pytest
import torch

from noizestream.nn.layers import LAYERS
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import LayerState, Moment, pack, unpack
from noizestream.training.export import script
from tests.nn.made_up import Performance, player

PIECE = 64
FRONT = SpectralFront(16000, 128)
NAMES = [layer.name for layer in LAYERS]
DRUMS, HARMONY = NAMES.index("drums"), NAMES.index("harmony")


@pytest.fixture(scope="module")
def made():
    """Two genres, slots 0 to 191 and 192 to 383, in three pieces each; the network is as unsure as it can be."""
    return player(FRONT, codes=20, pieces=3, slots=PIECE)


def went_on(rows: list[list[int]]) -> float:
    """Share of slots and layers that followed what was before."""
    pairs = [(a, b) for before, after in itertools.pairwise(rows) for a, b in zip(before, after, strict=True)]
    return sum(b == a + 1 for a, b in pairs) / len(pairs)


def genre_of(place: int) -> int:
    return place // (3 * PIECE)


def test_blocks_and_controls_are_as_declared(made):
    names = [control["name"] for control in made.controls]
    assert names[:5] == ["temperature", "tempo", "beat", "chord", "harmony"]
    assert names[5:10] == [f"{NAMES[0]}_{what}" for what in ("level", "mute", "hold", "new", "genre")]
    assert len(names) == 5 + 5 * len(LAYERS)
    performance = Performance(made)
    assert performance.places == [-1] * len(LAYERS), "before the first block nothing plays"
    block = performance.step()
    assert block.shape == (1, FRONT.block) and bool(torch.isfinite(block).all())
    assert made.initial_state()[0].shape == performance.state[0].shape


def test_a_step_changes_neither_its_state_nor_its_controls(made):
    performance = Performance(made)
    performance.play(5)
    before = [part.clone() for part in performance.state]
    state, genre, controls, noise = (
        performance.state,
        performance.genre,
        performance.controls.clone(),
        torch.full((made.noise_size,), 0.4),
    )
    with torch.inference_mode():
        one, _ = made.step(genre, controls, noise, state)
        other, _ = made.step(genre, controls, noise, state)
    assert torch.equal(one, other) and torch.equal(controls, performance.controls)
    assert all(torch.equal(a, b) for a, b in zip(before, performance.state, strict=True))


def test_the_same_noise_gives_the_same_bytes_and_other_noise_others(made):
    takes = [Performance(made, seed=seed).play(300) for seed in (1, 1, 2)]
    assert torch.equal(takes[0], takes[1]) and not torch.equal(takes[0], takes[2])
    assert float(takes[0].abs().max()) > 0.01


@pytest.mark.parametrize("channels", [1, 2])
def test_scripted_equals_eager_whatever_is_asked_for(channels):
    made = player(SpectralFront(16000, 128, channels), slots=PIECE)
    eager, scripted = Performance(made), Performance(made, script(made))
    asked = [
        {},
        {"temperature": 2.0},
        {"genre": 1},
        {"genre": (0.5, 0.5)},
        {"chord": 3.0},
        {"chord": -1.0, "harmony": 1.0},
        {"harmony": 0.0},
        {"drums_mute": 1.0, "bass_hold": 1.0},
        {"top_new": 5.0, "harmony_genre": 0.0},
        {"beat": 300.6},
        {"beat": -1.0, "tempo": 180.0},
    ]
    for changes in asked:
        eager.set(**changes), scripted.set(**changes)
        one, other = eager.play(60), scripted.play(60)
        assert eager.places == scripted.places, changes
        assert one.shape == (channels, 60 * 128) and torch.allclose(one, other, atol=1e-3), changes


def test_cold_it_plays_pieces_as_they_were_and_hot_it_jumps_often(made):
    cold, usual, hot = (went_on(Performance(made, temperature=t).slots(150)) for t in (0.0, 1.0, 2.0))
    assert cold > 0.95 and cold > usual > hot and hot < 0.3


def test_layers_jump_where_a_bar_or_half_of_one_begins_and_in_between_go_on(made):
    performance = Performance(made)
    rows = performance.slots(160)
    for v, layer in enumerate(LAYERS):
        for number in range(1, len(rows)):
            before, after = rows[number - 1][v], rows[number][v]
            if number % layer.every and before % PIECE != PIECE - 1:
                assert after == before + 1, (layer.name, number)
    jumped = [
        sum(rows[n][v] != rows[n - 1][v] + 1 for n in range(0, len(rows), layer.every) if n) for v, layer in enumerate(LAYERS)
    ]
    assert all(jumped)


def test_the_end_of_a_piece_never_stops_the_music(made):
    performance = Performance(made, temperature=0.0)
    audio = performance.play(6000)
    levels = audio.view(-1, 60 * 128).square().mean(1).sqrt()
    assert float(levels.min()) > 0.1 * float(levels.median())
    assert all(0 <= place < 3 * PIECE for place in performance.places)


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
    gains = [made.gains(performance.controls.tolist()) for performance in (plain, muted, lower)]
    own = made.layers.layer_of == v
    assert not gains[1][own].any() and torch.equal(gains[1][~own], gains[0][~own])
    assert torch.allclose(gains[2][own], torch.tensor(10 ** (-12 / 20))) and torch.equal(gains[2][~own], gains[0][~own])
    audio = [performance.play(200) for performance in (plain, muted, lower)]
    assert plain.places == muted.places == lower.places, "what is not heard goes on all the same"
    loudness = [float(sound.square().mean()) for sound in audio]
    assert loudness[1] < loudness[0] and loudness[1] <= loudness[2] * 1.02


def test_with_all_layers_muted_there_is_silence(made):
    muted = {f"{name}_mute": 1.0 for name in NAMES}
    audio = Performance(made, **muted).play(300)
    assert float(audio[:, 4 * FRONT.block :].abs().max()) < 2e-3


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

    def bars(last: int) -> dict[int, list[tuple[float, float]]]:
        """Place and transposition of every layer at the end of every slot up to `last`, the chord another one every half a bar."""
        ends = {}
        while performance.slot <= last:
            performance.set(chord=float((performance.slot + 1) // 8 * 5 % 24))
            performance.step()
            ends[performance.slot] = [tuple(row[:2]) for row in unpack(performance.state, made.cells).layers.tolist()]
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

    def fits(state) -> list[float]:
        rows = unpack(state, made.cells).layers.tolist()
        return [float(made.memory.fit[int(row[0]), harmony.column_of(chord, int(row[1]))]) / 100 for row in rows]

    performance.step()
    for _ in range(300):
        found = fits(performance.state)
        assert all(found[v] >= harmony.least for v in range(len(LAYERS)) if v != DRUMS), "at once, and from then on"
        performance.step()
        assert int(unpack(performance.state, made.cells).layers[DRUMS, 1]) == made.unmoved, "drums are not transposed"
    without = 0
    for _ in range(300):
        without += fits(free.state)[HARMONY] >= harmony.least
        free.step()
    assert without < 200, "what is not asked for does not happen by itself"


def test_the_beat_that_is_given_is_followed_and_left_again_where_it_was(made):
    performance = Performance(made)
    for beat in (0.0, 0.3, 10.0, 10.24, 1000.99):
        performance.set(beat=beat).step()
        assert performance.slot == int(beat * 4) % 384, "counted up to where every clock begins anew"
    performance.set(beat=10.25)
    first = performance.places
    performance.step()
    performance.play(3)
    assert performance.slot == 41, "it stands still while the beat does"
    performance.set(beat=-1.0).play(2)
    assert performance.slot == 41 and first is not None


@pytest.mark.parametrize("tempo", [50.0, 100.0, 200.0])
def test_tempo_is_how_fast_slots_follow_each_other(made, tempo):
    performance = Performance(made, tempo=tempo)
    performance.play(1250)  # 10 s
    assert performance.slot == pytest.approx(10 * tempo / 60 * 4, abs=1)
    own = Performance(made)
    own.play(1250)
    assert own.slot == pytest.approx(10 * 100 / 60 * 4, abs=1), "0 is the music's own"


def test_left_alone_the_music_runs_at_the_tempo_of_the_piece_that_leads(made):
    made.memory.tempo.copy_(torch.arange(60.0, 120.0, 10.0))
    try:
        performance = Performance(made, temperature=0.0)
        performance.play(50)
        before = unpack(performance.state, made.cells)
        performance.step()
        after = unpack(performance.state, made.cells)
    finally:
        made.memory.tempo.fill_(100.0)
    led_at = 60 + 10 * int(before.layers[0, 7])
    assert float(after.moment[0] - before.moment[0]) == pytest.approx(led_at / 60 * 128 / 16000, rel=1e-9)


def test_at_any_tempo_a_slot_is_read_from_its_beginning_to_its_end(made):
    for tempo in (40.0, 100.0, 220.0):
        performance, heard = Performance(made, tempo=tempo, temperature=0.0), {}
        performance.play(40)
        for _ in range(400):
            performance.step()
            state = unpack(performance.state, made.cells)
            v = DRUMS
            slot, first = performance.places[v], made.first_latent[v]
            kept = made.memory.frames[int(made.memory.first[slot]) :][:8, first : first + made.latent_sizes[v]].float()
            now = state.latents[first : first + made.latent_sizes[v]] / made.layers.step[first : first + made.latent_sizes[v]]
            heard.setdefault(performance.slot, []).append(int((kept - now).abs().sum(1).argmin()))
        inside = list(heard.values())[1:-1]
        assert all(row == sorted(row) and row[0] <= 8 // len(row) + 1 and row[-1] >= 7 - 8 // len(row) - 1 for row in inside)


def test_harmony_that_stays_keeps_to_the_chord_and_that_moves_leaves_it(made):
    def changes(value: float) -> int:
        performance = Performance(made, harmony=value, temperature=1.0)
        chords, heard = [], made.chooser.harmony
        for _ in range(200):
            performance.slots(1)
            row = unpack(performance.state, made.cells).layers[HARMONY].tolist()
            chords.append(heard.heard(int(made.memory.chord[int(row[0])]), int(row[1])))
        return sum(a != b for a, b in itertools.pairwise(chords))

    assert changes(0.0) < 0.7 * changes(0.5)


def test_rows_of_the_state_survive_being_packed(made):
    performance = Performance(made)
    performance.play(30)
    again = unpack(performance.state, made.cells)
    assert all(torch.equal(a, b) for a, b in zip(pack(again), performance.state, strict=True))
    assert [LayerState(row).row() for row in again.layers.tolist()] == again.layers.tolist()
    assert Moment(again.moment.tolist()).numbers() == again.moment.tolist()
