"""Where a layer jumps the place before fades: for so long, of two the louder one, and not beyond the end of its stretch."""

import math

import pytest
import torch

from noizestream.nn.harmony import UNMOVED
from noizestream.nn.reading import LASTING_S, PERCUSSIVE_S, TRANSPOSED_S, Reader
from rig.made_up import DRUMS, NAMES, SLOT
from tests.nn.readings import Reading, V, levels, made_up, recorded


@pytest.fixture(scope="module", params=[1, 2], ids=["mono", "stereo"])
def reader(request) -> Reader:
    return made_up(request.param)


@pytest.mark.parametrize("name", NAMES)
def test_a_jump_fades_within_the_blocks_that_are_said_and_is_never_louder_than_both(reader, name):
    v, block = NAMES.index(name), reader.block
    seconds = PERCUSSIVE_S if v == DRUMS else LASTING_S
    fade = reader.fades[v]
    assert abs(fade * block / 16000 - seconds) <= 0.5 * block / 16000 + 1e-9
    gains = [float(u == v) for u in range(V)]
    share = (0.5 * math.pi * torch.arange(fade + 1) / (fade + 1)).sin() ** 2  # of the new place, in power, frame by frame
    share = 0.5 * (share[1:] + share[:-1])
    power, expected = 0.0, 0.0
    for target in range(8, 58, 2):
        jumping, before, after = Reading(reader, 5), Reading(reader, 5), Reading(reader, target)
        jumping.play(30, gains), before.play(30, gains)
        jumping.jump(target, v)
        after.at = jumping.at - jumping.passed
        heard = jumping.step(gains)
        for state in after.playing:
            state.frame, state.since = jumping.playing[v].frame - 2, 1
        after.step(gains)
        heard, old, new = torch.cat([heard, jumping.play(19, gains)], 1), before.play(20, gains), after.play(20, gains)
        assert torch.allclose(heard[:, (fade + 1) * block :], new[:, (fade + 1) * block :], atol=1e-5), "then nothing is left of it"
        assert not torch.allclose(heard[:, :block], new[:, :block], atol=1e-3)
        loud, both = levels(heard, block), (levels(old, block) ** 2 + levels(new, block) ** 2).sqrt()
        around = torch.maximum(both, torch.nn.functional.pad(both, (1, 0))[:-1])  # of two frames that overlap
        assert bool((loud <= 1.1 * around).all())
        power += float(loud[:fade].square().sum())
        expected += float(torch.lerp(levels(old, block)[:fade].square(), levels(new, block)[:fade].square(), share).sum())
    assert power == pytest.approx(expected, rel=0.25), "on the whole neither a hole nor a hump"


def test_a_jump_to_where_it_would_have_gone_is_none(reader):
    jumping, plain = Reading(reader, 5), Reading(reader, 5)
    jumping.play(30), plain.play(30)
    for state in jumping.playing[1:]:  # to the slot of the first one
        state.since = 0
    assert torch.equal(jumping.play(30), plain.play(30)) and all(state.old < 0 for state in jumping.playing)


@pytest.mark.parametrize("number", [UNMOVED, UNMOVED + 5, UNMOVED - 4])
def test_what_fades_is_over_where_its_stretch_ends_and_does_not_repeat_its_last_frame(reader, number):
    end, ratio = int(reader.memory.final[63]), 2 ** ((number - UNMOVED) / 12)
    for blocks in range(math.ceil(11 / ratio), math.floor(19 / ratio)):
        reading = Reading(reader, 63, ratio, number)  # as fast as it is read: nothing else fades
        reading.play(blocks)
        left, reading.passed = [state.frame for state in reading.playing], 1.0 / SLOT
        reading.jump(3, *range(V))
        faded = [0] * V
        for block in range(1, 13):
            reading.step()
            for v, state in enumerate(reading.playing):
                faded[v] += state.old >= 0
                assert state.old < 0 or state.old == pytest.approx(left[v] + block * ratio), "as it was recorded"
                assert state.old >= 0 or reader.weight(v, state, False) == 1.0, "nor is there a hole then"
        # Until its last block would read what lies behind the end.
        readable = [math.floor((end + 1 - ratio - frame) / ratio + 1e-6) for frame in left]
        assert faded == [max(0, min(fade, own)) for fade, own in zip(reader.fades, readable, strict=True)]


def test_at_the_end_of_a_stretch_the_next_one_is_there_at_once(reader):
    reading = Reading(reader, 63)
    reading.play(19)
    assert {state.frame for state in reading.playing} == {float(reader.memory.final[63])}
    reading.jump(3, *range(V))
    reading.step()
    assert all(state.old < 0 for state in reading.playing)
    again = reading.play(4)
    frame = int(reading.playing[0].frame) - 3
    assert torch.allclose(again, recorded(reader, frame, 4), atol=1e-5)


@pytest.mark.parametrize("number", [UNMOVED, UNMOVED + 3])
@pytest.mark.parametrize("name", [name for name in NAMES if name != NAMES[DRUMS]])
def test_a_jump_while_another_fades_lets_the_louder_place_fade_on_from_where_it_is(reader, name, number):
    v, fade = NAMES.index(name), reader.fades[NAMES.index(name)]
    step = 0.5 * math.pi / (fade + 1)
    if number != UNMOVED:  # fades to what is transposed have fewer steps
        step += 0.25 * math.pi / (reader.lasts(v, number) + 1)
    for blocks in range(1, fade):
        reading = Reading(reader, 5)
        reading.play(30)
        reading.jump(20, v)
        reading.play(blocks)
        state = reading.playing[v]
        places = {False: (state.frame, reader.weight(v, state, False)), True: (state.old, reader.weight(v, state, True))}
        reading.jump(40, v, shift=number)
        reading.step()
        # In this block each would have been another step further.
        louder = 2 * (blocks + 1) > fade + 1
        frame, weight = places[not louder]
        assert state.old == frame + 1 and abs(reader.weight(v, state, True) - weight) <= step + 1e-9, blocks
        assert weight >= places[louder][1] - step
        assert abs(reader.weight(v, state, False) - places[louder][1]) <= step + 1e-9, "the new place has the quieter one's weight"
        assert reader.weight(v, state, False) ** 2 + reader.weight(v, state, True) ** 2 == pytest.approx(1)
        weights = [reader.weight(v, state, True)]
        while state.old >= 0:
            reading.step()
            weights.append(reader.weight(v, state, True))
        assert weights == sorted(weights, reverse=True) and weights[-1] == 0.0


def test_the_place_that_fades_sounds_on_as_if_there_had_been_no_second_jump(reader):
    """Where both that it jumps to are silent."""
    v = NAMES.index("harmony")
    kept = reader.memory.frames.clone()
    gains = [float(u == v) for u in range(V)]
    try:
        reader.memory.frames[int(reader.memory.first[20]) : int(reader.memory.first[23])] = 0
        reader.memory.frames[int(reader.memory.first[40]) : int(reader.memory.first[43])] = 0
        heard = []
        for twice in (False, True):
            reading = Reading(reader, 5)
            reading.play(30, gains)
            reading.jump(20, v)
            audio = reading.play(3, gains)
            if twice:
                reading.jump(40, v)
            heard.append(torch.cat([audio, reading.play(9, gains)], 1))
        assert torch.allclose(heard[0], heard[1], atol=1e-6) and float(heard[0].abs().max()) > 0.03
    finally:
        reader.memory.frames.copy_(kept)


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.07, 2.0])
def test_of_another_piece_nothing_is_heard_where_one_ends(reader, speed):
    """The other one is loud, this one silent."""
    kept = reader.memory.frames.clone()
    end = int(reader.memory.first[63] + reader.memory.length[63]) - 1
    reader.memory.frames[: end + 1] = 0
    try:
        reading = Reading(reader, 61, speed)
        while reading.at < 64:
            assert not reading.step().any(), reading.at
        reading.at = 3.0 + reading.at - 64
        for state in reading.playing:
            state.slot, state.since = 3, 0
        assert not reading.play(20).any()
    finally:
        reader.memory.frames.copy_(kept)


def test_a_place_that_is_transposed_comes_within_a_short_time(reader):
    for v, name in enumerate(NAMES):
        blocks = reader.lasts(v, UNMOVED + 3)
        assert reader.lasts(v, UNMOVED) == reader.fades[v] and blocks <= reader.fades[v]
        if name == NAMES[DRUMS]:
            continue
        assert abs(blocks * reader.block / 16000 - TRANSPOSED_S) <= 0.5 * reader.block / 16000 + 1e-9
        reading = Reading(reader, 5)
        reading.play(30)
        reading.jump(20, v, shift=UNMOVED + 3)
        fading = 0
        for _ in range(10):
            reading.step()
            fading += reading.playing[v].old >= 0
        assert fading == blocks
