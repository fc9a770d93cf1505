"""When the generator reads what: at its own tempo as it was played, at any other on the beat."""

import itertools
from collections.abc import Iterator

import pytest
import torch

from noizestream.nn.layer_table import LAYERS
from noizestream.nn.reading import STRAY
from noizestream.nn.unit_base import BEAT_WRAP
from noizestream.nn.unit_state import LayerState
from rig.made_up import DRUMS, PIECE, TEMPO, Performance, restored, unsure


@pytest.fixture(scope="module")
def made():
    return unsure()


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
    with restored(made.memory) as memory:
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


def test_left_alone_the_music_runs_as_what_leads_does_and_is_never_brought_back(rubato):
    memory, performance = rubato.memory, Performance(rubato, temperature=0.0)
    performance.step()
    passed, went = set(), 0
    for _ in range(1500):
        before, moment = performance.layers, performance.moment
        performance.step()
        row, now = performance.layers, performance.moment
        beats = (now.beat - moment.beat) % BEAT_WRAP
        if int(moment.beat * 4) == int(now.beat * 4):
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
    beat = performance.moment.beat
    for row in read(performance, 600):
        way, beat = beat * 4 % 1, performance.moment.beat
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
