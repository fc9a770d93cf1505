"""The whole generator on a random memory: what it goes on with, when it jumps."""

import itertools

import pytest
import torch

from noizestream.nn.chooser import DRUMMED
from noizestream.nn.layer_table import LAYERS
from noizestream.nn.spectral import SpectralFront
from noizestream.training.export.script import script
from rig.made_up import DRUMS, FRONT, HARMONY, NAMES, PIECE, Performance, player, restored, unsure


@pytest.fixture(scope="module")
def made():
    return unsure()


def went_on(rows: list[list[int]]) -> float:
    """Share of slots and layers that followed what was before."""
    pairs = [(a, b) for before, after in itertools.pairwise(rows) for a, b in zip(before, after, strict=True)]
    return sum(b == a + 1 for a, b in pairs) / len(pairs)


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
                led = rows[number][HARMONY] != rows[number - 1][HARMONY] + 1  # or with what leads
                assert after == before + 1 or (led and after == rows[number][HARMONY]), (layer.name, number)
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


def test_harmony_bass_and_top_are_of_one_piece_and_drums_of_one_of_their_own(made):
    pieces = []
    for seed in range(30):
        performance = Performance(made, seed=seed)
        performance.step()
        pieces.append([state.piece for state in performance.layers])
    assert all(len({piece for v, piece in enumerate(row) if v != DRUMS}) == 1 for row in pieces)
    assert 3 < sum(row[DRUMS] != row[HARMONY] for row in pieces) < 20


def test_what_is_struck_in_a_piece_without_drums_stays_with_the_rest_of_it(made):
    with restored(made.memory) as memory:
        memory.struck.fill_(DRUMMED - 0.01)
        rows = [row for seed in range(4) for row in Performance(made, seed=seed).slots(100)]
    apart = [row for seed in range(4) for row in Performance(made, seed=seed).slots(100)]

    def share(found: list[list[int]]) -> float:
        pieces = made.memory.piece[torch.tensor(found)]
        return float((pieces[:, DRUMS] != pieces[:, HARMONY]).float().mean())

    assert share(rows) < 0.02 and share(apart) > 0.1
