"""Chords by name, by notes and in time."""

import random

import pytest

from noizestream.control.chords import NAMES, OWN, TRIADS, chord_of, name_of, parse_chord, parse_schedule
from noizestream.errors import UsageError


def test_every_name_is_read_as_what_it_names():
    assert [parse_chord(name) for name in NAMES] == list(range(24))
    assert [name_of(number) for number in range(24)] == list(NAMES)
    assert [parse_chord(name) for name in ("Db", "Bbm", "Cb", "B#", "ebm", "Amin", "Cmaj", "F♯m")] == [1, 22, 11, 0, 15, 21, 0, 18]
    assert parse_chord("N") == parse_chord("-") == OWN and name_of(OWN) == "-"


@pytest.mark.parametrize("name", ["", "H", "Cx", "C##", "Am7", "m", "5", "C m", " C", "Am:4", "é"])
def test_what_is_no_chord_is_one_line(name):
    with pytest.raises(UsageError) as raised:
        parse_chord(name)
    assert "\n" not in str(raised.value) and "Am" in str(raised.value)


@pytest.mark.parametrize("chord", range(24), ids=NAMES)
@pytest.mark.parametrize("inversion", [0, 1, 2])
@pytest.mark.parametrize("before", [OWN, 0, 9, 21])
def test_a_triad_in_any_inversion_names_itself_whatever_was_before(chord, inversion, before):
    root, third = chord % 12, 3 if chord >= 12 else 4
    steps = [0, third, 7]
    notes = [48 + root + step + 12 * (number < inversion) for number, step in enumerate(steps)]
    assert {note % 12 for note in notes} == TRIADS[chord]
    for newest in (None, *notes):
        assert chord_of(notes, before, newest) == chord


@pytest.mark.parametrize(
    ("notes", "name"),
    [
        ([60, 64, 67, 71], "C"),  # C major seventh, not Em
        ([57, 60, 64, 67], "Am"),  # A minor seventh, not C
        ([55, 59, 62, 65], "G"),
        ([50, 57], "D"),  # a fifth: major
        ([50, 53], "Dm"),
        ([48, 52, 55, 64, 67, 84], "C"),  # doubled
    ],
)
def test_more_or_less_than_a_triad(notes, name):
    assert name_of(chord_of(notes, newest=notes[-1])) == name


def test_one_note_names_nothing_and_keeps_what_was():
    assert chord_of([]) == chord_of([60]) == chord_of([48, 60, 72]) == OWN
    assert chord_of([], 7) == chord_of([60], 7) == 7


def test_no_notes_whatever_lead_anywhere_else():
    chance = random.Random(2)
    for _ in range(2000):
        notes = [chance.randrange(128) for _ in range(chance.randrange(12))]
        before = chance.randrange(-1, 24)
        chord = chord_of(notes, before, chance.choice([None, *notes]))
        if len({note % 12 for note in notes}) < 2:
            assert chord == before
        else:
            held = {note % 12 for note in notes}
            assert len(TRIADS[chord] & held) == max(len(triad & held) for triad in TRIADS)


def test_a_schedule_goes_round():
    schedule = parse_schedule("Am:4 F:2  C -:1.5")
    assert schedule.length == 11.5
    beats = (0, 3.99, 4, 5.99, 6, 9.99, 10, 11.49, 11.5, 15.5, 11.5 * 100 + 4)
    assert [name_of(schedule.at(beat)) for beat in beats] == ["Am", "Am", "F", "F", "C", "C", "-", "-", "Am", "F", "F"]
    assert parse_schedule("Gm").at(1e9) == 19


@pytest.mark.parametrize("text", ["", "  ", "Am:", "Am:x", "Am:0", "Am:-1", "Am:nan", "Am:inf", "Am:4,F:4", ":4", "Am:4 Q:4"])
def test_a_schedule_that_cannot_be_is_one_line(text):
    with pytest.raises(UsageError) as raised:
        parse_schedule(text)
    assert "\n" not in str(raised.value)
