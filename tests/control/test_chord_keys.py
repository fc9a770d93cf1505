"""Which keys name chords, and what they name as they go down and up."""

import pytest

from noizestream.control.chord_keys import ChordKeys, HeldChord
from noizestream.control.chords import OWN, name_of
from noizestream.errors import UsageError


@pytest.mark.parametrize(
    ("text", "channel", "low", "high"),
    [
        ("1", 0, 0, 127),
        ("16", 15, 0, 127),
        ("48-72", None, 48, 72),
        ("C3-C5", None, 48, 72),
        ("c-1-G9", None, 0, 127),
        ("F#2-Bb4", None, 42, 70),
    ],
)
def test_a_channel_or_a_zone(text, channel, low, high):
    keys = ChordKeys.parse(text)
    assert keys == ChordKeys(channel, low, high)
    assert keys.holds(channel or 0, low) and keys.holds(channel or 0, high)
    assert not low or not keys.holds(channel or 0, low - 1)
    assert channel is None or not keys.holds((channel + 1) % 16, low)


@pytest.mark.parametrize(
    "text", ["", "0", "17", "-1", "1-", "72-48", "48-48", "48-128", "C3", "H1-C5", "C3-C10", "a", "1.5", "²", "Am:4 F:4"]
)
def test_neither(text):
    with pytest.raises(UsageError, match="chords") as raised:
        ChordKeys.parse(text)
    assert "\n" not in str(raised.value)


def press(held: HeldChord, *notes: int) -> None:
    for note in notes:
        held.strike(0, note)


def lift(held: HeldChord, *notes: int, at: float = 1.0) -> None:
    for number, note in enumerate(notes):
        held.release(0, note, at + 0.02 * number)


C, F, AM7 = (48, 52, 55), (53, 57, 60), (57, 60, 64, 67)


def test_a_chord_goes_on_when_its_keys_are_let_go_in_any_order():
    for order in (C, C[::-1], (52, 48, 55), (48, 55, 52)):
        held = HeldChord()
        press(held, *C)
        lift(held, *order)
        assert name_of(held.chord) == "C"


@pytest.mark.parametrize("first", AM7)
def test_what_is_left_of_a_seventh_while_it_is_let_go_was_not_meant(first):
    held = HeldChord()
    press(held, *AM7)
    assert name_of(held.chord) == "Am"
    lift(held, first, *(note for note in AM7 if note != first))
    assert name_of(held.chord) == "Am"


def test_of_chords_that_overlap_the_later_holds_once_the_first_is_let_go():
    held = HeldChord()
    press(held, *C)
    press(held, *F)
    lift(held, *C, at=1.0)
    assert name_of(held.chord) == "F"
    lift(held, *F, at=3.0)
    assert name_of(held.chord) == "F"


def test_one_key_changes_nothing_and_the_first_two_name_it():
    held = HeldChord()
    assert held.strike(0, 57) is None and held.chord == OWN
    assert held.strike(0, 60) == 21
    assert held.release(0, 57) is None and held.release(0, 60) is None and held.release(0, 60) is None
    assert held.strike(0, 36) is None and held.chord == 21


def test_what_hangs_is_let_go():
    held = HeldChord()
    press(held, 61, 66)
    held.let_go()
    press(held, *C)
    assert name_of(held.chord) == "C"
