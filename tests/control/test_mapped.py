"""A controller that is played by its map, from the bytes to the state of a set."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noizestream.control import map_file
from noizestream.control.chord_keys import ChordKeys
from noizestream.control.midi_map import ChooseGenre, MidiMap, SetValue
from noizestream.control.parameters import BY_NAME
from noizestream.control.state import LiveState
from noizestream.modelfile.metadata import Metadata
from tests.control.test_map_file import SHIPPED
from tests.foreign_models import LAYERED

METADATA = Metadata(**{key: value for key, value in LAYERED.items() if key != "tempos"})


class Set:
    """A state, and MIDI that moves it by the map `text`."""

    def __init__(self, text, **more):
        self.state = LiveState([METADATA, METADATA])
        self.midi = MidiMap(len(METADATA.genres), controller=map_file.parse(text), current=self.state.value, **more)

    def play(self, *data):
        action = self.midi.translate(data)
        if action is not None:
            self.state.apply(action)
        return action

    def value(self, name):
        return self.state.value(name)


def test_a_map_takes_the_place_of_the_controllers_of_the_table():
    live = Set('[controls.volume]\nsource = "cc 21"\ntakeover = "jump"\n')
    assert live.play(0xB0, 21, 127) == SetValue("volume", 6.0) and live.value("volume") == 6.0
    assert live.play(0xB0, 7, 0) is None and live.play(0xB0, 120, 0) is None and live.midi.ignored == 2
    assert live.play(0x90, 37, 1) == ChooseGenre(1) and live.play(0xC0, 0) == ChooseGenre(0), "genres as without a map"


def test_a_knob_waits_for_its_parameter_and_that_is_no_mistake():
    live = Set('[controls.harmony]\nsource = "cc 21"\n')
    assert [live.play(0xB0, 21, at) for at in (0, 30, 60)] == [None] * 3 and live.midi.ignored == 0
    assert live.play(0xB0, 21, 63) == SetValue("harmony", pytest.approx(0.5, abs=0.01))
    live.state.apply(SetValue("harmony", 1.0))
    assert live.play(0xB0, 21, 62) is None, "it was set elsewhere"
    assert live.play(0xB0, 21, 127) == SetValue("harmony", 1.0)


def test_channels_tell_faders_of_one_number_apart():
    live = Set(map_file.find("apc40").read_text(encoding="utf-8"))
    for channel, name in enumerate(("drums", "bass", "harmony", "top")):
        live.state.apply(SetValue(f"{name}_level", -60.0))
        assert live.play(0xB0 | channel, 7, 0).name == f"{name}_level"
        assert live.play(0x90 | channel, 50, 127) == SetValue(f"{name}_mute", 1)
        assert live.play(0x80 | channel, 50, 127) == SetValue(f"{name}_mute", 0)
    assert live.play(0xB4, 7, 0) is None and live.midi.ignored == 1


def test_a_fine_controller_moves_in_finer_steps():
    live = Set('[controls.harmony]\nsource = "cc 3"\nbits = 14\ntakeover = "jump"\n')
    values = [live.play(0xB0, number, value) for number, value in ((35, 1), (3, 64), (35, 0), (35, 1), (3, 127), (35, 127))]
    assert values[0] is None and values[2] == SetValue("harmony", 0.5) and values[5] == SetValue("harmony", 1.0)
    assert 0.5 < values[3].value < 0.5001


def test_pads_and_pressure():
    live = Set(
        '[controls.mute]\nsource = "note 50"\n'
        '[controls.drums_hold]\nsource = "note 51"\nkind = "one-sided spring"\n'
        '[controls.chord]\nsource = "note 52"\n'
        '[controls.temperature]\nsource = "pressure"\nkind = "one-sided spring"\n'
        '[controls.harmony]\nsource = "pitch bend"\nkind = "centred spring"\n'
        '[controls.bass_level]\nsource = "note 53"\nkind = "absolute"\n'
        '[controls.top_level]\nsource = "key pressure 53"\n'
    )
    for value in (1, 0):
        assert live.play(0x90, 50, 3) == SetValue("mute", value) and live.play(0x80, 50, 64) is None
    assert live.play(0x90, 51, 1) == SetValue("drums_hold", 1) and live.play(0x90, 51, 0) == SetValue("drums_hold", 0)
    assert [live.play(0x90, 52, 9).value for _ in range(25)] == [*range(24), -1]
    assert live.play(0xD0, 127) == SetValue("temperature", 2.0) and live.play(0xD0, 0) == SetValue("temperature", 1.0)
    assert live.play(0xE0, 127, 127) == SetValue("harmony", 1.0) and live.play(0xE0, 0, 64) == SetValue("harmony", 0.5)
    assert live.play(0x90, 53, 127) == SetValue("bass_level", 6.0) and live.play(0x90, 53, 0) is None
    assert live.play(0xA0, 53, 116).name == "top_level" and live.midi.ignored == 0


def test_pads_that_choose_genres():
    live = Set("[genres]\nnotes = [12, 10]\nprograms = false\nchannel = 10\n")
    assert live.play(0x99, 10, 1) == ChooseGenre(1) and live.play(0x99, 12, 1) == ChooseGenre(0)
    assert [live.play(0x90, 10, 1), live.play(0x99, 36, 1), live.play(0xC9, 0)] == [None] * 3 and live.midi.ignored == 3


def test_chords_are_named_and_all_notes_off_lets_them_go_with_a_map_too():
    live = Set('[controls.mute]\nsource = "note 50"\n', chord_keys=ChordKeys.parse("48-72"))
    for note in (50, 54, 57):
        action = live.play(0x90, note, 1)
    assert action == SetValue("chord", 2) and live.play(0xB0, 123, 0) is None and live.midi.ignored == 0
    told = Set('[controls.mute]\nsource = "cc 123"\nkind = "toggle"\n')
    assert told.play(0xB0, 123, 1) == SetValue("mute", 1)


def test_a_panic_lets_hanging_keys_go():
    live = Set('[controls.panic]\nsource = "cc 42"\n', chord_keys=ChordKeys.parse("1"))
    for note in (61, 66, 70):
        live.play(0x90, note, 1)
    assert live.play(0xB0, 42, 127) == SetValue("panic", 1) and live.play(0xB0, 42, 0) is None
    assert [live.play(0x90, note, 1) for note in (48, 52, 55)][-1] == SetValue("chord", 0)


def test_of_one_channel_the_others_do_nothing():
    live = Set('[controls.mute]\nsource = "cc 42"\n', channel=2)
    assert live.play(0xB0, 42, 127) is None and live.play(0xB2, 42, 127) == SetValue("mute", 1) and live.midi.ignored == 1


@pytest.mark.parametrize("name", SHIPPED)
def test_every_control_of_every_map_that_ships_moves_its_parameter_from_end_to_end(name):
    controller = map_file.read(name)
    assert {"temperature", "volume", "mute"} & {each.parameter for each in controller.controls}
    for control in controller.controls:
        live = Set(map_file.text_of(controller))
        channel = control.source.channel or 0
        status = {"cc": 0xB0, "note": 0x90, "pitch bend": 0xE0}[control.source.what] | channel
        bend, number = control.source.what == "pitch bend", control.source.number
        actions = [live.play(status, at if bend else number, at) for at in (*range(128), *range(127, -1, -1))]
        found = {action.value for action in actions if action is not None}
        row = BY_NAME[control.parameter]
        most = len(METADATA.genres) - 1 if row.kind == "genre" else row.maximum
        assert {action.name for action in actions if action is not None} == {control.parameter}
        assert most in found and (row.kind in ("trigger", "count") or row.minimum in found), control.parameter


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=30)
@given(data=st.lists(st.binary(max_size=4), max_size=60))
def test_no_bytes_whatever_raise_or_leave_the_ranges(name, data):
    live = Set(map_file.find(name).read_text(encoding="utf-8"))
    for message in data:
        action = live.play(*message)
        if isinstance(action, SetValue):
            BY_NAME[action.name].check(action.value)
    for control, value in zip(METADATA.controls, live.state.values, strict=True):
        assert control["min"] <= value <= control["max"]
