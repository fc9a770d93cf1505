"""What MIDI messages mean."""

import random

import pytest

from noizestream.control.midi_map import ChooseGenre, MidiMap, SetValue
from noizestream.parameters import CHOSEN, PARAMETERS, TEMPERATURE, TEMPO


@pytest.mark.parametrize("channel", [0, 9, 15])
def test_programs_and_pads_choose_the_genre_on_every_channel(channel):
    midi = MidiMap(genres=3)
    for index in range(3):
        assert midi.translate([0xC0 | channel, index]) == ChooseGenre(index)
        assert midi.translate([0x90 | channel, 36 + index, 100]) == ChooseGenre(index)
    assert (midi.messages, midi.ignored) == (6, 0)


@pytest.mark.parametrize("message", [[0xC0, 3], [0xC0, 127], [0x90, 35, 1], [0x90, 39, 1], [0x90, 0, 127]])
def test_beyond_the_last_genre_is_ignored_and_counted(message):
    midi = MidiMap(genres=3)
    assert midi.translate(message) is None
    assert midi.ignored == 1


@pytest.mark.parametrize("message", [[0x80, 36, 64], [0x90, 36, 0]])
def test_note_offs_do_nothing_and_are_no_mistake(message):
    midi = MidiMap(genres=3)
    assert midi.translate(message) is None
    assert (midi.messages, midi.ignored) == (1, 0)


@pytest.mark.parametrize("row", [row for row in PARAMETERS if row.cc is not None], ids=lambda row: row.name)
def test_every_row_with_a_controller_follows_it_over_its_whole_range(row):
    midi = MidiMap(genres=5)
    actions = [midi.translate([0xB0, row.cc, position]) for position in range(128)]
    if row.kind == "count":
        assert actions.pop(0) is None, "a button that is let go pulls nothing"
    values = [action.value for action in actions]
    if row.kind in ("trigger", "count"):
        assert set(values) == {row.maximum}
    else:
        assert values[0] == row.minimum and values[127] == (4 if row.kind == "genre" else row.maximum)
        assert values == sorted(values)
    if row.kind == "value":
        assert len(set(values)) == 128
    if row.kind in CHOSEN:
        assert all(value == int(value) for value in values)
    for value in values:
        row.check(value)


def test_the_defaults_of_the_design():
    midi = MidiMap(genres=1)
    assert midi.translate([0xB0, 1, 64]) == SetValue("temperature", 1.0)
    assert midi.translate([0xB0, 7, 127]) == SetValue("volume", 6.0)
    assert midi.translate([0xB0, 3, 0]) == SetValue("tempo", 0.0)
    assert midi.translate([0xB0, 3, 1]) == SetValue("tempo", 40.0)
    assert {TEMPERATURE.cc, TEMPO.cc} == {1, 3}
    assert midi.translate([0xB0, 0, 5]) == SetValue("model", 5)
    assert [midi.translate([0xB0, 9, value]).value for value in (0, 63, 64, 127)] == [0, 0, 1, 1]
    assert midi.translate([0xB0, 120, 0]) == midi.translate([0xB0, 123, 0]) == SetValue("panic", 1)


@pytest.mark.parametrize(
    "message",
    [[], [0xC0], [0x90, 36], [0xB0, 1], [0xB0, 1, 128], [0xB0, 1, -1], [0xF0, 1, 2, 0xF7], [0xF8], [36, 100], [0xB0, 99, 5]],
)
def test_broken_and_foreign_messages_are_counted(message):
    midi = MidiMap(genres=3)
    assert midi.translate(message) is None
    assert (midi.messages, midi.ignored) == (1, 1)


def test_no_bytes_whatever_raise_or_leave_the_ranges():
    midi, chance = MidiMap(genres=5), random.Random(1)
    rows = {row.name: row for row in PARAMETERS}
    for _ in range(20000):
        action = midi.translate([chance.randrange(256) for _ in range(chance.randrange(5))])
        if isinstance(action, ChooseGenre):
            assert 0 <= action.index < 5
        elif isinstance(action, SetValue):
            rows[action.name].check(action.value)
    assert midi.messages == 20000
