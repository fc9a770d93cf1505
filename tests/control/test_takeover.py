"""How a knob takes over its parameter, for any moves of the knob and of the parameter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noizestream.control.takeover import FOLLOWERS, STEP, TOP, Jump, Pickup, Scaled

POSITIONS = st.floats(0, TOP, allow_subnormal=False) | st.integers(0, 127).map(float)
MOVES = st.lists(st.tuples(POSITIONS, st.none() | POSITIONS), max_size=40)
"""Where the knob goes, and where something else has put the parameter before, None: nothing has."""


def played(follower, start, moves):
    """Yield (knob before, knob, parameter before, parameter after, whether the knob moved it) for every move."""
    before, now, last = None, start, None
    for at, elsewhere in moves:
        now = now if elsewhere is None else elsewhere
        target = follower.move(at, now, now == last)
        last = target
        after = now if target is None else target
        yield before, at, now, after, target is not None
        before, now = at, after


@pytest.mark.parametrize("name", FOLLOWERS)
@given(start=POSITIONS, moves=MOVES)
def test_the_parameter_stays_in_its_range(name, start, moves):
    assert all(0 <= after <= TOP for *_, after, _ in played(FOLLOWERS[name](), start, moves))


@given(start=POSITIONS, moves=MOVES)
def test_pickup_never_jumps_by_more_than_the_knob_moved_or_one_step(start, moves):
    for before, at, now, after, moved in played(Pickup(), start, moves):
        assert after == (at if moved else now)
        assert abs(after - now) <= max(STEP, 0 if before is None else abs(at - before)) + 1e-9


@given(start=POSITIONS, slow=st.integers(0, 127))
def test_pickup_takes_over_wherever_the_parameter_is_once_the_knob_has_been_everywhere(start, slow):
    moves = [(float(at), None) for at in (*range(slow, 128), *range(127, -1, -1), *range(128))]
    assert list(played(Pickup(), start, moves))[-1][3] == TOP


def test_pickup_waits_and_then_follows_until_something_else_moves_the_parameter():
    knob = Pickup()
    assert [knob.move(at, 64, False) for at in (10, 40, 62)] == [None] * 3
    assert knob.move(65, 64, False) == 65 and knob.move(90, 65, True) == 90 and knob.move(20, 90, True) == 20
    assert knob.move(25, 100, False) is None and knob.move(126, 100, False) == 126


@given(start=POSITIONS, moves=st.lists(POSITIONS, min_size=1, max_size=20), end=st.sampled_from([0.0, TOP]))
def test_scaled_reaches_both_ends_whatever_was_before(start, moves, end):
    for *_, after, _ in played(Scaled(), start, [(at, None) for at in [*moves, end]]):
        last = after
    assert last == end


@given(start=POSITIONS, moves=MOVES)
def test_scaled_never_moves_against_the_knob(start, moves):
    for before, at, now, after, moved in played(Scaled(), start, moves):
        if moved and before is not None:
            assert (after - now) * (at - before) >= -1e-6 or at in (0.0, TOP)
        elif before is None:
            assert after in (now, at)


def test_scaled_stays_with_the_knob_once_they_have_met():
    knob = Scaled()
    assert [knob.move(at, now, own) for at, now, own in ((0, 64, False), (127, 64, False), (100, 127, True), (30, 100, True))] == [
        None,
        127,
        100,
        pytest.approx(30),
    ]


def test_a_jump_is_at_once():
    assert Jump().move(3, 120, False) == 3
