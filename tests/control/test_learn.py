"""What is learned of what a controller sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noizestream.control import map_file
from noizestream.control.assignment import Assignment, Source
from noizestream.control.controller_map import ControllerMap, GenreKeys
from noizestream.control.learn import GENRES, RESERVED, Learner, Pad
from noizestream.control.midi_message import MidiMessage, MidiStream
from noizestream.control.parameters import BY_NAME
from noizestream.errors import UsageError


def cc(number, *values, channel=0):
    return [MidiMessage("control_change", channel, number, value) for value in values]


def told(learner, messages):
    """What is learned of `messages`, one after the other."""
    return [found for message in messages if (found := learner.hear(message)) is not None]


def test_a_knob_counts_once_it_has_moved_far_enough():
    learner = Learner(["temperature"])
    assert told(learner, cc(21, *range(30, 41))) == [] and learner.wanted == "temperature"
    assert told(learner, cc(21, 41, 42)) == [Assignment("temperature", Source("cc", 21, 0), "absolute", "pickup")]
    assert learner.wanted is None and told(learner, cc(22, *range(128))) == []


def test_a_knob_that_trembles_beside_it_is_not_meant():
    learner = Learner(["temperature"])
    mixed = [message for at in range(30) for message in (*cc(20, 60 + at % 2), *cc(21, at))]
    assert [found.source.number for found in told(learner, mixed)] == [21]


def test_what_was_learned_before_is_not_learned_again():
    learner = Learner(["temperature", "tempo"])
    assert len(told(learner, cc(21, *range(100)))) == 1 and learner.wanted == "tempo"
    assert [found.parameter for found in told(learner, cc(22, *range(0, 100, 5), channel=3))] == ["tempo"]
    assert [each.source for each in learner.controller.controls] == [Source("cc", 21, 0), Source("cc", 22, 3)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mute", "toggle"), ("chord", "cycle"), ("drums_genre", "cycle"), ("temperature", "one-sided spring"), ("panic", "trigger")],
)
def test_buttons_and_pads_are_what_their_control_needs(name, kind):
    button, pad = Learner([name]), Learner([name])
    assert told(button, cc(21, 127, 0)) == [Assignment(name, Source("cc", 21, 0), kind)]
    found = told(pad, [MidiMessage("note_off", 9, 40, 0), MidiMessage("note_on", 9, 40, 3), MidiMessage("note_off", 9, 40, 0)])
    assert found == [Assignment(name, Source("note", 40, 9), kind)]


@pytest.mark.parametrize(
    ("values", "coding"), [([1, 1, 1], "two's complement"), ([65, 65, 65], "offset"), ([2, 3, 1, 1, 1], "two's complement")]
)
def test_an_endless_knob_is_known_by_its_clicks(values, coding):
    assert told(Learner(["tempo"]), cc(21, *values)) == [Assignment("tempo", Source("cc", 21, 0), "relative", coding=coding)]


def test_a_fine_controller_is_known_by_its_two_halves():
    pairs = [message for at in range(0, 4000, 50) for message in (*cc(3, at // 128), *cc(35, at % 128))]
    assert told(Learner(["tempo"]), pairs) == [Assignment("tempo", Source("cc", 3, 0), "absolute", "pickup", bits=14)]
    assert [found.source.number for found in told(Learner(["mute"]), cc(35, 127, 0))] == [35], "alone it is no half"


@pytest.mark.parametrize("number", RESERVED)
def test_what_a_keyboard_sends_by_itself_is_learned_only_where_that_is_asked_for(number):
    assert told(Learner(["tempo"]), cc(number, *range(128))) == []
    assert [found.source.number for found in told(Learner(["tempo"], reserved=True), cc(number, *range(128)))] == [number]


def test_springs():
    bend = [MidiMessage("pitch_bend", 0, 0, value) for value in (8192, 9000, 11000)]
    assert told(Learner(["harmony"]), bend) == [Assignment("harmony", Source("pitch bend", 0, 0), "centred spring")]
    pressure = [MidiMessage("channel_pressure", 1, 0, value) for value in (0, 5, 20)]
    assert told(Learner(["harmony"]), pressure) == [Assignment("harmony", Source("pressure", 0, 1), "one-sided spring")]


def test_a_map_that_is_gone_on_with_keeps_the_rest():
    before = ControllerMap(
        (Assignment("volume", Source("cc", 7), "absolute", "pickup"), Assignment("tempo", Source("cc", 21), "absolute", "pickup")),
        GenreKeys((36, 37)),
    )
    learner = Learner(["temperature", "mute", "harmony"], before)
    told(learner, [*cc(21, 0, 50), MidiMessage("note_on", 0, 36, 9)])
    learner.skip()
    assert [each.parameter for each in learner.controller.controls] == ["volume", "temperature", "mute"]
    assert learner.controller.genres == GenreKeys((37,)) and learner.wanted is None
    assert map_file.parse(map_file.text_of(learner.controller)) == learner.controller


def test_pads_of_genres_are_learned_until_there_are_no_more():
    learner = Learner(["mute", GENRES, "temperature"])
    pads = [MidiMessage("note_on", channel, note, 9) for channel, note in ((9, 40), (9, 36), (9, 40), (9, 38), (1, 50), (9, 36))]
    assert told(learner, pads)[1:] == [Pad(0, Source("note", 36, 9)), Pad(1, Source("note", 38, 9))] and learner.wanted == GENRES
    assert told(learner, cc(21, 0, 90)) == []
    learner.skip()
    assert told(learner, [*pads[:2], *cc(22, 0, 90)])[-1].parameter == "temperature"
    assert learner.controller.genres == GenreKeys((36, 38), True, 9)
    assert map_file.parse(map_file.text_of(learner.controller)) == learner.controller


def test_a_name_that_is_none():
    with pytest.raises(UsageError, match="tempos: there is no such control"):
        Learner(["tempos"])


@given(st.lists(st.binary(max_size=30), max_size=60), st.booleans())
def test_whatever_comes_the_map_is_one_that_can_be_read_back(data, reserved):
    learner, stream = Learner([GENRES, *BY_NAME], reserved=reserved), MidiStream()
    for number, piece in enumerate(data):
        if number == 20:
            learner.skip()
        for message in stream.feed(piece):
            learner.hear(message)
    assert map_file.parse(map_file.text_of(learner.controller)) == learner.controller
