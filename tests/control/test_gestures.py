"""What controls do to parameters, by their kind: for every row of the table, and any moves."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noizestream.control.assignment import Assignment, Source
from noizestream.control.controllers import Coding
from noizestream.control.gestures import GestureKind, mirrored
from noizestream.control.map_table import read, table_of
from noizestream.control.parameter import CHOSEN
from noizestream.control.parameters import BALANCE, BY_NAME, CHORD, HARMONY, MUTE, PANIC, PARAMETERS, TEMPERATURE, TEMPO, VOLUME
from noizestream.control.takeover import TOP, Takeover

ROWS = [replace(row, maximum=4) if row.kind == "genre" else row for row in PARAMETERS]
POSITIONS = st.floats(0, TOP, allow_subnormal=False) | st.integers(0, 127).map(float)
MOVES = st.lists(st.tuples(POSITIONS, st.booleans(), st.floats(0, 1, allow_subnormal=False)), max_size=25)
CC = Source("cc", 21)


def gesture(row, kind, **more):
    """The gesture of an assignment of `kind` to `row`, where a map may have it so."""
    return Assignment(row.name, CC, kind, **more).gesture(row)


def possible(row, kind):
    """Whether a map may have a control of `kind` for `row`, and with how many steps."""
    if row.kind in ("trigger", "count"):
        return kind == "trigger"
    return kind != "trigger" and (kind != "toggle" or row.kind == "toggle")


PAIRS = [(row, kind) for row in ROWS for kind in get_args(GestureKind) if possible(row, kind)]
EVERY = pytest.mark.parametrize(("row", "kind"), PAIRS, ids=[f"{row.name}-{kind}" for row, kind in PAIRS])


@EVERY
@settings(max_examples=25)
@given(moves=MOVES, coding=st.sampled_from(get_args(Coding)), takeover=st.sampled_from(get_args(Takeover)), turned=st.booleans())
def test_no_value_leaves_its_range_whatever_is_moved(row, kind, moves, coding, takeover, turned):
    steps = 5 if kind in ("choice", "cycle") and row.kind == "value" else None
    moved = gesture(row, kind, coding=coding, takeover=takeover, reversed=turned, steps=steps)
    current = None
    for at, elsewhere, where in moves:
        if elsewhere:
            current = row.from_midi(where * TOP)
        value = moved.move(at, current)
        if value is not None:
            row.check(value)
            assert row.kind not in CHOSEN or value == int(value)
            current = value


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "value"], ids=lambda row: row.name)
@settings(max_examples=50)
@given(moves=MOVES)
def test_a_knob_with_pickup_never_jumps(row, moves):
    """By more than it moved itself, or one of its 127 steps."""
    knob, before, current = gesture(row, "absolute", takeover="pickup"), None, row.default
    for at, elsewhere, where in moves:
        if elsewhere:
            current = row.from_midi(where * TOP)
        value = knob.move(at, current)
        if value is not None:
            limit = max(1.0, 0.0 if before is None else abs(at - before))
            assert abs(row.to_midi(value) - row.to_midi(current)) <= limit + 1e-6
            current = value
        before = at


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind not in ("trigger", "count")], ids=lambda row: row.name)
@settings(max_examples=10)
@given(position=st.floats(0, TOP, allow_subnormal=False), takeover=st.sampled_from(get_args(Takeover)), turned=st.booleans())
def test_every_way_to_take_over_reaches_both_ends(row, position, takeover, turned):
    knob, current = gesture(row, "absolute", takeover=takeover, reversed=turned), row.from_midi(position)
    for at in (*range(64, 128), *range(127, -1, -1)):
        value = knob.move(float(at), current)
        current = current if value is None else value
    assert current == (row.maximum if turned else row.minimum)
    for at in range(128):
        current = knob.move(float(at), current)
    assert current == (row.minimum if turned else row.maximum)


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind not in ("trigger", "count")], ids=lambda row: row.name)
def test_a_knob_that_jumps_does_what_the_table_does(row):
    knob, current = gesture(row, "absolute"), row.default
    for at in (0, 5, 64, 63, 127, 1):
        current = knob.move(float(at), current)
        assert current == row.from_midi(at)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=30)
@given(position=st.floats(0, TOP, allow_subnormal=False))
def test_a_value_has_a_position_at_which_it_is_had(row, position):
    value = row.from_midi(position)
    assert row.from_midi(row.to_midi(value)) == pytest.approx(value, abs=1e-9)


def test_an_endless_knob_goes_on_from_where_the_parameter_is():
    knob = gesture(BALANCE, "relative", coding="offset")
    assert knob.move(65, 0.0) == pytest.approx(1 / 63) and knob.move(63, 1 / 63) == pytest.approx(0)
    assert knob.move(64, 0.0) is None and knob.move(127, 0.9) == 1.0 and knob.move(0, 0.0) == pytest.approx(-1.0)
    chords = gesture(CHORD, "relative")
    assert chords.move(1, -1) == 0 and chords.move(127, -1) == -1 and chords.move(63, 20) == 23
    assert gesture(TEMPO, "relative").move(1, 0.0) == 40.0


def test_a_joystick_that_is_let_go_leaves_the_parameter_where_it_was():
    stick, current = gesture(HARMONY, "centred spring"), 0.3
    for at, value in ((65, None), (127, 1.0), (0, 0.0), (64, 0.3), (64, None), (0, 0.0), (64, 0.3)):
        found = stick.move(at, current)
        assert found == value
        current = current if found is None else found
    assert 0.3 < stick.move(96, current) < 1


def test_what_else_moves_it_meanwhile_is_where_a_spring_leaves_it():
    wheel = gesture(VOLUME, "one-sided spring")
    assert wheel.move(127, -20.0) == 6.0
    assert wheel.move(0, -10.0) is None, "somebody has moved it: it stays"
    assert wheel.move(127, -10.0) == 6.0 and wheel.move(64, -30.0) > -30.0 and wheel.move(0, -30.0) is None


def test_a_wheel_with_a_spring_goes_down_where_it_is_turned_round():
    wheel = gesture(HARMONY, "one-sided spring", reversed=True)
    assert wheel.move(127, 0.5) == 0.0 and wheel.move(0, 0.0) == 0.5


def test_buttons():
    mute = gesture(MUTE, "toggle")
    assert [mute.move(127, 0), mute.move(0, 1), mute.move(1, 1)] == [1, None, 0]
    panic = gesture(PANIC, "trigger")
    assert [panic.move(127, None), panic.move(0, None)] == [1, None]


def test_a_pad_goes_round_what_can_be_chosen():
    pad = gesture(CHORD, "cycle")
    assert [pad.move(100, 22), pad.move(0, 23), pad.move(100, 23), pad.move(100, -1)] == [23, None, -1, 0]
    assert gesture(CHORD, "cycle", reversed=True).move(100, -1) == 23
    temperature = gesture(TEMPERATURE, "cycle", steps=3)
    assert [temperature.move(1, at) for at in (0.0, 0.4, 0.9, 1.0, 2.0)] == [1.0, 1.0, 2.0, 2.0, 0.0]


def test_a_stepped_knob_chooses_one_of_so_many_places():
    knob = gesture(TEMPERATURE, "choice", steps=5)
    assert sorted({knob.move(at, 1.0) for at in range(128)}) == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_a_part_of_a_range_is_all_that_is_moved_over():
    knob = gesture(TEMPO, "absolute", span=(80.0, 160.0))
    assert [knob.move(at, 0.0) for at in (0, 64, 127)] == [80.0, 120.0, 160.0]
    chords = gesture(CHORD, "absolute", span=(0.0, 3.0))
    assert [chords.move(at, 0.0) for at in (0, 31, 32, 127)] == [0, 0, 1, 3]


@pytest.mark.parametrize("row", [HARMONY, CHORD, MUTE], ids=lambda row: row.name)
def test_turned_round_the_ends_change_places(row):
    assert (mirrored(row, 0.0), mirrored(row, TOP)) == (TOP, 0.0)
    assert row is not HARMONY or mirrored(row, 64.0) == 64.0


@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_map_says_of_every_row_is_written_as_it_was_read(name):
    assignment = read(name, {"source": "note 36", "channel": 16})
    assert read(name, table_of(assignment)) == assignment
