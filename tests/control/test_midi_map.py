"""What MIDI messages mean."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noizestream.control.chord_keys import ChordKeys
from noizestream.control.midi_map import ChooseGenre, MidiMap, SetValue
from noizestream.control.parameter import CHOSEN
from noizestream.control.parameters import PARAMETERS, TEMPERATURE, TEMPO


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
    assert midi.translate([0xB0, 120, 0]) == SetValue("panic", 1)


@pytest.mark.parametrize("controller", range(128))
def test_nothing_but_cc_120_panics(controller):
    """Keyboards send CC 123 whenever the last key goes up, and 121 when another sound is chosen."""
    midi, panic = MidiMap(genres=3), SetValue("panic", 1)
    actions = [midi.translate([0xB0 | channel, controller, value]) for channel in (0, 15) for value in (0, 1, 127)]
    assert actions == [panic] * 6 if controller == 120 else panic not in actions


@pytest.mark.parametrize("status", [0xFE, 0xFF])
def test_active_sensing_and_a_reset_of_the_keyboard_do_nothing(status):
    assert MidiMap(genres=3, chord_keys=ChordKeys.parse("1")).translate([status]) is None


@pytest.mark.parametrize("controller", [123, 124, 125, 126, 127])
def test_all_notes_off_is_a_note_off_of_its_channel_for_the_keys_of_chords_too(controller):
    midi = MidiMap(genres=3, chord_keys=ChordKeys.parse("48-72"))
    for note in C:
        midi.translate([0x90, note, 100])
    midi.translate([0x91, 64, 100])
    ignored = midi.ignored
    assert midi.translate([0xB0, controller, 0]) is None, "the chord goes on, as when its keys are let go"
    assert midi.held.chord == 0 and midi.ignored == ignored
    for note in AM[:2]:  # the E of the other channel is still held
        action = midi.translate([0x90, note, 100])
    assert action == SetValue("chord", 21)


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


AM, F, C, G = (57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62)


@pytest.mark.parametrize(("asked", "channel"), [("3", 2), ("C3-C5", 0), ("48-72", 15)])
def test_held_keys_name_the_chord_and_choose_no_genre(asked, channel):
    midi, named = MidiMap(genres=60, chord_keys=ChordKeys.parse(asked)), []
    for notes in (AM, F, C, G):
        for status in (0x90, 0x80):
            actions = [midi.translate([status | channel, note, 100]) for note in notes]
            assert all(action is None or action.name == "chord" for action in actions)
        named.append(midi.held.chord)
        assert actions == [None, None, None], "letting go changes nothing"
    assert named == [21, 5, 0, 7] and midi.ignored == 0


def test_keys_elsewhere_still_choose_the_genre():
    midi = MidiMap(genres=3, chord_keys=ChordKeys.parse("2"))
    assert midi.translate([0x90, 37, 100]) == ChooseGenre(1)
    assert midi.translate([0x91, 37, 100]) is None
    assert midi.translate([0x91, 40, 100]) == SetValue("chord", 13)  # C#m: the second key names it
    assert midi.translate([0x91, 37, 0]) is None and midi.translate([0xC1, 2]) == ChooseGenre(2)
    zone = MidiMap(genres=3, chord_keys=ChordKeys.parse("48-72"))
    assert zone.translate([0x95, 38, 1]) == ChooseGenre(2) and zone.translate([0x95, 47, 1]) is None and zone.ignored == 1


def test_a_chord_chosen_by_controller_can_be_named_again_by_the_same_keys():
    midi = MidiMap(genres=3, chord_keys=ChordKeys.parse("1"))
    for note in C:
        action = midi.translate([0x90, note, 1])
    assert action == SetValue("chord", 0)
    for note in C:
        midi.translate([0x80, note, 0])
    assert midi.translate([0xB0, 14, 0]) == SetValue("chord", -1)
    assert [midi.translate([0x90, note, 1]) for note in C][-1] == SetValue("chord", 0)


def test_a_panic_lets_hanging_keys_go():
    midi = MidiMap(genres=3, chord_keys=ChordKeys.parse("1"))
    for note in (61, 66, 70):
        midi.translate([0x90, note, 1])
    midi.translate([0xB0, 120, 0])
    assert [midi.translate([0x90, note, 1]) for note in C][-1] == SetValue("chord", 0)


def test_no_two_rows_share_a_controller_and_none_takes_a_reserved_one():
    numbers = [number for row in PARAMETERS if (number := row.cc) is not None]
    assert len(numbers) == len(set(numbers))
    assert not set(numbers) & set(range(32, 64)) and not {row.cc for row in PARAMETERS if row.acts == "model"} & {
        0,
        *range(120, 128),
    }


def test_a_layers_genre_is_chosen_among_the_genres_and_0_follows():
    midi = MidiMap(genres=3)
    row = next(row for row in PARAMETERS if row.name == "bass_genre")
    assert [midi.translate([0xB0, row.cc, value]).value for value in (0, 31, 32, 64, 96, 127)] == [-1, -1, 0, 1, 2, 2]


@pytest.mark.parametrize("keys", ["1", "0-127", "C3-C5"])
def test_no_bytes_whatever_raise_with_chord_keys(keys):
    midi, chance, rows = MidiMap(5, chord_keys=ChordKeys.parse(keys)), random.Random(4), {row.name: row for row in PARAMETERS}
    for number in range(20000):
        status = chance.choice([0x80, 0x90, 0x90, chance.randrange(256)])
        message = [status, *(chance.randrange(140) for _ in range(chance.randrange(4)))]
        action = midi.translate(bytes(message), 0.01 * number)
        if isinstance(action, SetValue):
            rows[action.name].check(action.value)


BYTES = st.one_of(
    st.binary(max_size=5), st.builds(lambda *parts: bytes(parts), st.integers(0x80, 0xFF), *[st.integers(0, 127)] * 2)
)
CHANNELS = st.one_of(st.none(), st.integers(0, 15))
KEYS = st.sampled_from([None, *map(ChordKeys.parse, ("1", "2", "0-127", "C3-C5"))])


@given(st.lists(BYTES), st.integers(1, 127), KEYS, CHANNELS)
def test_any_bytes_ask_for_what_is_in_range_or_for_nothing(messages, genres, keys, channel):
    midi, rows = MidiMap(genres, chord_keys=keys, channel=channel), {row.name: row for row in PARAMETERS}
    for number, message in enumerate(messages):
        action = midi.translate(message, 0.01 * number)
        if isinstance(action, ChooseGenre):
            assert 0 <= action.index < genres
        elif action is not None:
            assert rows[action.name].check(action.value) < genres or rows[action.name].kind != "genre"
    assert midi.messages == len(messages) >= midi.ignored


@given(st.lists(BYTES), st.integers(0, 15))
def test_of_one_channel_it_does_what_all_do_and_of_the_others_nothing(messages, channel):
    one, every = MidiMap(3, channel=channel), MidiMap(3)
    for message in messages:
        asked = every.translate(message)
        own = len(message) > 0 and message[0] & 0x0F == channel
        assert one.translate(message) == (asked if own else None)
    assert one.messages == len(messages) and one.ignored >= every.ignored


def test_of_the_channel_of_the_chords_only_the_chords_are_listened_to():
    midi = MidiMap(genres=60, chord_keys=ChordKeys.parse("2"), channel=0)
    assert [midi.translate([0x91, note, 100]) for note in C][-1] == SetValue("chord", 0)
    assert midi.translate([0xB1, 123, 0]) is None and midi.ignored == 0
    assert [midi.translate([0x91, note, 100]) for note in AM][-1] == SetValue("chord", 21), "the keys before were let go"
    assert midi.translate([0xB1, 1, 64]) is None and midi.translate([0xC1, 2]) is None and midi.ignored == 2
    assert midi.translate([0xB0, 1, 64]) == SetValue("temperature", 1.0) and midi.translate([0x90, 37, 1]) == ChooseGenre(1)


def test_a_zone_of_chords_is_that_of_the_channel():
    midi = MidiMap(genres=60, chord_keys=ChordKeys.parse("48-72"), channel=4)
    assert [midi.translate([0x90, note, 100]) for note in C] == [None] * 3 and midi.ignored == 3
    assert [midi.translate([0x94, note, 100]) for note in C][-1] == SetValue("chord", 0)
