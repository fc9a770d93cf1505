"""Fine controllers and endless knobs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noizestream.control.controllers import FinePairs, clicks, place
from noizestream.control.midi_message import MidiMessage

SEVEN, FOURTEEN = st.integers(0, 127), st.integers(0, 16383)
HALVES = {True: lambda value: (1, value // 128), False: lambda value: (33, value % 128)}
"""The controller and the value of the coarse half (True) and the fine one."""


def half(coarse: bool, value: int, channel: int = 0) -> MidiMessage:
    """One half of the fine controller 1 at `value`."""
    return MidiMessage("control_change", channel, *HALVES[coarse](value))


def test_places_span_the_range_with_the_middle_at_64():
    assert [place(value) for value in (0, 128, 8192, 16383)] == [0, 1, 64, 127]
    places = [place(value) for value in range(16384)]
    assert places == sorted(set(places))


@given(st.lists(FOURTEEN, min_size=1), st.booleans())
def test_a_fine_controller_is_where_it_was_moved_whichever_half_comes_first(values, coarse_first):
    pairs = FinePairs([1])
    for value in values:
        pairs.join(half(coarse_first, value))
        assert pairs.join(half(not coarse_first, value)) == (1, place(value))


@given(st.lists(st.tuples(st.booleans(), FOURTEEN, st.integers(0, 1))))
def test_any_halves_in_any_order_are_places_and_channels_do_not_mix(halves):
    both, alone = FinePairs([1]), [FinePairs([1]), FinePairs([1])]
    for coarse, value, channel in halves:
        found = both.join(half(coarse, value, channel))
        assert found == alone[channel].join(half(coarse, value, channel))
        assert found is None or (found[0] == 1 and 0 <= found[1] <= 127)


def test_without_fine_halves_it_is_a_controller_of_7_bits():
    pairs = FinePairs([1])
    assert [pairs.join(MidiMessage("control_change", 0, 1, value)) for value in (0, 64, 127)] == [(1, 0), (1, 64), (1, 127)]
    assert FinePairs([1]).join(half(False, 5)) is None, "half a place is none"


@pytest.mark.parametrize(
    "message",
    [
        MidiMessage("control_change", 0, 2, 5),
        MidiMessage("control_change", 0, 34, 5),
        MidiMessage("control_change", 0, 65, 5),
        MidiMessage("note_on", 0, 1, 5),
        MidiMessage("clock"),
    ],
)
def test_of_what_is_not_asked_for_nothing_is_made(message):
    assert FinePairs([1]).join(message) is None


@pytest.mark.parametrize(
    ("coding", "up", "down", "code"),
    [
        ("two's complement", 1, 127, lambda count: count % 128),
        ("offset", 65, 63, lambda count: count + 64),
        ("sign bit", 1, 65, lambda count: count if count >= 0 else 64 - count),
    ],
)
def test_clicks_of_an_endless_knob(coding, up, down, code):
    assert [clicks(coding, value) for value in (up, down)] == [1, -1]
    assert all(clicks(coding, code(count)) == count for count in range(-63, 64))
    assert all(-64 <= clicks(coding, value) <= 63 for value in range(128))
