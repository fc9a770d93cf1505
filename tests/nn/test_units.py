"""The whole generator on a random memory: what it goes on with, when it jumps, how fast it runs."""

import itertools
from collections.abc import Iterator

import pytest
import torch

from noizestream.nn.chooser import DRUMMED
from noizestream.nn.layers import LAYERS
from noizestream.nn.reading import STRAY
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import LayerState, Moment, nothing, pack, unpack
from noizestream.nn.units import BEAT_WRAP
from noizestream.training.export import script
from tests.nn.made_up import DRUMS, FRONT, HARMONY, NAMES, PIECE, TEMPO, Performance, player, unsure


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


@pytest.fixture
def rubato(made):
    """The same player, with slots of 11 to 27 frames, and afterwards as before."""
    memory = made.memory
    tables = {name: table.clone() for name, table in memory.named_buffers()}
    whole = len(memory.frames) // memory.pieces
    random = torch.rand(memory.pieces, PIECE, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.7
    duration = random / random.sum(1, keepdim=True) * whole
    begins = torch.cat([torch.zeros(memory.pieces, 1), duration.cumsum(1)], 1)
    edges = begins.sub(1e-6).ceil()
    memory.duration.copy_(duration.flatten())
    memory.first.copy_((torch.arange(memory.pieces)[:, None] * whole + edges[:, :-1]).flatten())
    memory.length.copy_(edges.diff(dim=1).flatten())
    memory.late.copy_((edges - begins)[:, :-1].flatten())
    yield made
    for name, table in memory.named_buffers():
        table.copy_(tables[name])


def test_left_alone_the_music_runs_as_what_leads_does_and_is_never_brought_back(rubato):
    memory, performance = rubato.memory, Performance(rubato, temperature=0.0)
    performance.step()
    passed, went = set(), 0
    for _ in range(1500):
        before, moment = performance.layers, unpack(performance.state, rubato.cells).moment
        performance.step()
        row, now = performance.layers, unpack(performance.state, rubato.cells).moment
        beats = float(now[0] - moment[0]) % BEAT_WRAP
        if int(moment[0] * 4) == int(now[0] * 4):
            assert beats == pytest.approx(1 / (4 * float(memory.duration[row[0].slot])), rel=1e-6), "of the slot that leads"
        passed.add(beats)
        if row[0].since > 1:
            went += 1
            assert row[0].frame in (before[0].frame + 1, float(memory.final[row[0].slot])) and row[0].old < 0
    assert went > 1400 and max(passed) > 1.8 * min(passed)


def test_at_a_steady_tempo_what_was_played_freely_is_brought_back_to_the_beat(rubato):
    performance, brought = Performance(rubato, temperature=0.0, tempo=TEMPO), 0
    performance.step()
    for before, after in itertools.pairwise(row[0] for row in read(performance, 1500)):
        brought += after.since > 1 and after.frame != before.frame + 1
    assert brought > 20


def read(performance: Performance, blocks: int) -> Iterator[list[LayerState]]:
    """What the layers are in each of the next blocks; tests/nn/test_reading.py tests that they sound so."""
    for _ in range(blocks):
        performance.step()
        yield performance.layers


@pytest.mark.parametrize("temperature", [0.0, 1.0, 1.8])
def test_at_its_own_tempo_a_layer_that_goes_on_reads_frame_by_frame(made, temperature):
    rows = list(read(Performance(made, temperature=temperature), 1500))
    went, jumped = 0, 0
    for before, after in itertools.pairwise(rows):
        for one, other in zip(before, after, strict=True):
            jumped += other.since == 1
            went += other.since > 1
            assert other.since == 1 or other.frame == min(one.frame + 1, made.memory.last_frame(other.slot))
            first, length = int(made.memory.first[other.slot]), int(made.memory.length[other.slot])
            assert first - STRAY - 0.5 <= other.frame <= first + length + STRAY
    assert went > 4000 and jumped > 4


@pytest.mark.parametrize("tempo", [40.0, 80.0, 120.0, 200.0, 220.0])
def test_at_any_tempo_frames_are_read_as_they_were_recorded_and_brought_back_to_the_beat_where_they_stray(made, tempo):
    performance, brought, rows = Performance(made, tempo=tempo, temperature=0.0), 0, []
    performance.play(10)
    beat = float(unpack(performance.state, made.cells).moment[0])
    for row in read(performance, 600):
        way, beat = beat * 4 % 1, float(unpack(performance.state, made.cells).moment[0])
        for v, state in enumerate(row):
            place = float(made.memory.first[state.slot]) - float(made.memory.late[state.slot])
            right = place + way * float(made.memory.duration[state.slot])
            assert abs(state.frame - right) <= STRAY + 1e-6
            if not rows or state.since == 1:
                continue
            # At the end of a piece what is ahead waits.
            went = state.frame in (rows[-1][v].frame + 1, made.memory.last_frame(state.slot))
            brought += not went
            assert went or abs(state.frame - right) <= 0.5 + 1e-6, "if it is brought back, to the nearest frame"
        rows.append(row)
    most = abs(tempo / TEMPO - 1) / STRAY if tempo < 2 * TEMPO else 1.0
    assert 0.6 * abs(tempo / TEMPO - 1) / (STRAY + 0.5) < brought / (600 * len(LAYERS)) < 1.3 * most, "no more often than it must"


@pytest.mark.parametrize("tempo", [40.0, 80.0, 120.0, 220.0])
def test_at_any_tempo_a_slot_is_read_from_its_beginning_to_its_end(made, tempo):
    performance, heard, step = Performance(made, tempo=tempo, temperature=0.0), {}, tempo / TEMPO
    performance.play(40)
    for row in read(performance, 800):
        heard.setdefault((performance.slot, row[DRUMS].slot), []).append(row[DRUMS].frame)
    for (_, slot), frames in list(heard.items())[1:-1]:
        first, length = float(made.memory.first[slot]) - float(made.memory.late[slot]), float(made.memory.duration[slot])
        assert frames[0] <= first + STRAY + step and frames[-1] >= first + length - STRAY - step


@pytest.mark.parametrize("drift", [1.0, 1.04])
def test_layers_that_join_play_the_same_frame_and_go_on_together(made, drift):
    performance, joined, alone, together = Performance(made, tempo=drift * TEMPO, temperature=1.0), 0, 0, set()
    performance.play(50)
    for number in range(4500):
        if number % 250 == 100:
            performance.set(genre=number // 250 % 2)  # all jump
        row = next(read(performance, 1))
        for v in range(1, len(LAYERS)):
            if row[v].since == 1 and row[v].slot == row[0].slot:
                together.add(v)
                joined += 1
                alone += row[0].since > 1
            elif row[v].since == 1 or row[0].since == 1:
                together.discard(v)
            if v in together:
                assert row[v].frame == row[0].frame and row[v].slot == row[0].slot
    assert joined > 10 and alone > 0, "with a first layer that jumps and with one that goes on"


def test_harmony_bass_and_top_are_of_one_piece_and_drums_of_one_of_their_own(made):
    pieces = []
    for seed in range(12):
        performance = Performance(made, seed=seed)
        performance.step()
        pieces.append([state.piece for state in performance.layers])
    assert all(len({piece for v, piece in enumerate(row) if v != DRUMS}) == 1 for row in pieces)
    assert 2 < sum(row[DRUMS] != row[HARMONY] for row in pieces) < 12


def test_what_is_struck_in_a_piece_without_drums_stays_with_the_rest_of_it(made):
    made.memory.struck.fill_(DRUMMED - 0.01)
    try:
        rows = Performance(made, temperature=1.0).slots(150)
    finally:
        made.memory.struck.fill_(1.0)
    assert all(row[DRUMS] == row[HARMONY] for row in rows)
    apart = Performance(made, temperature=1.0).slots(150)
    assert any(row[DRUMS] != row[HARMONY] for row in apart)


def test_rows_of_the_state_survive_being_packed(made):
    performance = Performance(made)
    performance.play(30)
    again = unpack(performance.state, made.cells)
    assert all(torch.equal(a, b) for a, b in zip(pack(again), performance.state, strict=True))
    assert [LayerState(row).row() for row in again.layers.tolist()] == again.layers.tolist()
    assert Moment(again.moment.tolist()).numbers() == again.moment.tolist()


def test_positions_in_a_large_memory_are_exact_although_a_script_keeps_them_in_single_precision():
    state = LayerState(nothing())
    state.frame, state.old = 654321.0 + 1 / 3, 432100.0 + 2 / 7
    again = LayerState(torch.tensor(state.row(), dtype=torch.float32).tolist())
    assert again.frame == pytest.approx(state.frame, abs=1e-6) and again.old == pytest.approx(state.old, abs=1e-6)
    none = LayerState(LayerState(nothing()).row())
    assert none.frame == none.old == -1
