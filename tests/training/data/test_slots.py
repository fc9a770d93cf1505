"""Slots of a piece: quarters of a beat, without what is quiet at its ends."""

from dataclasses import replace

import numpy as np
import pytest

from noizestream.training.data.slots import FEWEST, FEWEST_HELD, slots_of
from tests.training.made_up import FRONT, PER_SLOT, frames, prepared


def test_slots_begin_where_quarters_of_a_beat_do(tmp_path):
    made = prepared(tmp_path, [(0, frames(40, 1), "training")], first_beat=5.0)
    slots = slots_of(made, made.pieces[0], FRONT.tones)
    assert slots.first.tolist() == list(range(0, 40 * PER_SLOT, PER_SLOT)) and slots.last == 40 * PER_SLOT
    assert slots.number.tolist() == list(range(20, 60)), "so that a bar is at every multiple of 16"
    assert slots.tempo == pytest.approx(187.5)
    assert len(slots) == 40 and slots.edges.tolist() == [*slots.first.tolist(), slots.last]
    assert set(slots.chord.tolist()) == {0} and set(slots.fit.argmax(1).tolist()) == {0}, "C major"


def test_a_quiet_beginning_and_end_are_left_out_and_a_rest_in_between_is_not(tmp_path):
    music = frames(60, 2)
    for first, last in ((0, 5), (30, 34), (52, 60)):
        music[first * PER_SLOT : last * PER_SLOT] = -9.0
    made = prepared(tmp_path, [(0, music, "training")])
    slots = slots_of(made, made.pieces[0], FRONT.tones)
    assert slots.number.tolist() == list(range(5, 52)) and slots.last == 52 * PER_SLOT


@pytest.mark.parametrize("slots", [FEWEST - 1, 3])
def test_what_is_too_short_is_none(tmp_path, slots):
    made = prepared(tmp_path, [(0, frames(slots, 3), "training")])
    assert slots_of(made, made.pieces[0], FRONT.tones) is None
    held = slots_of(made, made.pieces[0], FRONT.tones, FEWEST_HELD)
    assert held is None if slots < FEWEST_HELD else len(held) == slots


def test_a_part_of_an_entry_has_the_part_of_its_slots(tmp_path):
    made = prepared(tmp_path, [(0, frames(60, 4), "training")])
    part = replace(made.pieces[0], first=205, last=595)
    slots = slots_of(made, part, FRONT.tones)
    assert slots.number[0] == 20 and slots.number[-1] == 59 and np.diff(slots.edges).tolist() == [5, *[PER_SLOT] * 38, 5]
