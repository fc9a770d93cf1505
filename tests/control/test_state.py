"""The state of a performance and what it sends on."""

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noizestream.control.chord_keys import ChordKeys
from noizestream.control.midi_map import ChooseGenre, MidiMap, SetValue
from noizestream.control.parameters import PARAMETERS
from noizestream.control.state import LiveState
from noizestream.modelfile.metadata import Metadata
from tests.foreign_models import LAYERED

TEMPERATURE = {"name": "temperature", "min": 0.0, "max": 1.5, "default": 1.0, "unit": ""}


class Heard:
    """Whoever is connected to the state, and what it was told last."""

    def __init__(self, state: LiveState):
        self.sent, self.levels, self.panics = [], [], 0
        state.connect(self, self.levels.append)

    def set_controls(self, weights, values):
        self.sent.append((list(weights), list(values)))

    def panic(self):
        self.panics += 1


@pytest.fixture
def state() -> LiveState:
    metadata = Metadata("toy", 48000, 1, 512, 0, ["A", "B", "C"], [TEMPERATURE], 1)
    return LiveState(metadata, metadata.genre_weights("B"), {"temperature": 0.5})


def test_connecting_sends_what_holds(state):
    heard = Heard(state)
    assert heard.sent == [([0.0, 1.0, 0.0], [0.5])]
    assert heard.levels == [{row.name: row.default for row in PARAMETERS if row.acts == "output"}]


def test_genre_and_temperature_reach_the_worker_together(state):
    heard = Heard(state)
    state.apply(ChooseGenre(2))
    state.apply(SetValue("temperature", 0.25))
    assert heard.sent[1:] == [([0.0, 0.0, 1.0], [0.5]), ([0.0, 0.0, 1.0], [0.25])]
    assert (state.genre(), state.by_name()["temperature"]) == ("C", 0.25)


def test_a_value_beyond_the_models_own_range_is_limited_to_it(state):
    heard = Heard(state)
    state.apply(SetValue("temperature", 2.0))
    assert heard.sent[-1][1] == [1.5]


def test_a_control_the_model_lacks_is_counted_and_changes_nothing(state):
    heard = Heard(state)
    state.apply(SetValue("tempo", 120.0))
    assert state.refused == 1 and len(heard.sent) == 1 and "tempo" not in state.by_name()


@pytest.mark.parametrize("row", [row for row in PARAMETERS if row.acts == "output"], ids=lambda row: row.name)
def test_what_acts_on_the_output_stays_outside_the_model(state, row):
    heard = Heard(state)
    state.apply(SetValue(row.name, row.minimum))
    state.apply(SetValue(row.name, row.maximum))
    assert len(heard.sent) == 1 and [values[row.name] for values in heard.levels[1:]] == [row.minimum, row.maximum]
    assert state.by_name()[row.name] == row.maximum


def test_a_mix_is_named_by_its_parts(state):
    assert LiveState(state.metadata, [0.3, 0.7, 0.0]).genre() == "B 70 % A 30 %"


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_every_row_is_applied_whatever_its_value(layered, row):
    """Also while nobody is connected, as before the first sound."""
    for value in (row.minimum, row.maximum, row.default):
        layered.apply(SetValue(row.name, value))
    assert layered.refused <= 1, "a model or a genre that is not there"


def test_panic_goes_to_the_player(state):
    heard = Heard(state)
    state.apply(SetValue("panic", 1.0))
    assert heard.panics == 1 and len(heard.sent) == 1


def test_a_model_plays_when_it_is_switched_to_with_its_own_genre_and_the_common_values():
    first = Metadata("one", 48000, 1, 512, 0, ["A", "B"], [TEMPERATURE], 1)
    tempo = {"name": "tempo", "min": 40.0, "max": 200.0, "default": 120.0, "unit": "BPM"}
    second = Metadata("two", 44100, 2, 256, 0, ["X", "Y", "Z"], [TEMPERATURE | {"max": 0.4}, tempo], 1)
    state = LiveState([first, second], first.genre_weights("B"), {"temperature": 0.5})
    heard = Heard(state)
    state.apply(SetValue("model", 2.0))
    assert (state.wanted, state.refused) == (0, 1)
    state.apply(SetValue("model", 1.0))
    state.apply(ChooseGenre(2))  # meant for the model that was asked for
    assert (state.genre(), state.wanted, len(heard.sent)) == ("B", 1, 1)
    other = Heard(state)
    other.sent.clear()
    state.switch(1, other)
    assert other.sent == [([0.0, 0.0, 1.0], [0.4, 120.0])] and state.genre() == "Z"
    state.apply(SetValue("model", 0.0))
    state.refuse(0)
    assert state.wanted == 1, "a model that cannot be played leaves the one that plays"
    state.switch(0, heard)
    assert heard.sent[-1] == ([0.0, 1.0], [0.5]), "genre and value as they were"


def test_threads_do_not_tear_it(state):
    heard = Heard(state)
    actions = [ChooseGenre(index) for index in range(3)] + [SetValue("temperature", 0.1 * step) for step in range(10)]
    threads = [threading.Thread(target=lambda: [state.apply(action) for action in actions * 50]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard.sent) == 1 + 4 * 50 * len(actions)
    assert all(sum(weights) == 1.0 for weights, _ in heard.sent)


@pytest.fixture
def layered() -> LiveState:
    return LiveState(Metadata(**{key: value for key, value in LAYERED.items() if key != "tempos"}))


def test_a_count_goes_on_by_one_each_time_and_round(layered):
    heard = Heard(layered)
    for _ in range(130):
        layered.apply(SetValue("drums_new", 127.0))
    place = [row["name"] for row in LAYERED["controls"]].index("drums_new")
    sent = [values[place] for _, values in heard.sent]
    assert sent == [0, *range(1, 128), 0, 1, 2]
    assert all(len(set(values)) == 1 for name, values in others(heard, place).items()), "nothing else changes"


def others(heard: Heard, place: int) -> dict:
    """Every other control's values, as they were sent."""
    names = [row["name"] for row in LAYERED["controls"]]
    return {name: [values[at] for _, values in heard.sent] for at, name in enumerate(names) if at != place}


def test_a_layer_takes_only_genres_that_the_model_has(layered):
    heard = Heard(layered)
    layered.apply(SetValue("bass_genre", 2.0))
    layered.apply(SetValue("bass_genre", 3.0))
    assert (layered.by_name()["bass_genre"], layered.refused, len(heard.sent)) == (2.0, 1, 2)


def test_a_layers_genre_that_the_next_model_lacks_follows_there():
    control = {"name": "bass_genre", "min": -1, "max": 2, "default": -1, "unit": ""}
    first = Metadata("one", 48000, 1, 512, 0, ["A", "B", "C"], [TEMPERATURE, control], 1)
    second = Metadata("two", 48000, 1, 512, 0, ["X", "Y"], [TEMPERATURE, control | {"max": 1}], 1)
    state = LiveState([first, second])
    state.apply(SetValue("bass_genre", 2.0))
    assert state.values_of(0) == [1.0, 2.0] and state.values_of(1) == [1.0, -1]


def test_what_is_changed_is_told_to_the_screen(layered):
    for name, value in (("chord", 9.0), ("top_hold", 1.0), ("drums_new", 0.0)):
        layered.apply(SetValue(name, value))
    assert layered.changed() == ["chord A", "top_hold"]


def test_every_message_of_every_controller_can_be_applied(layered):
    midi, chance = MidiMap(3, chord_keys=ChordKeys.parse("48-72")), random.Random(5)
    heard = Heard(layered)
    for _ in range(5000):
        action = midi.translate([chance.choice([0x80, 0x90, 0xB0, 0xC0]), chance.randrange(128), chance.randrange(128)])
        if action is not None:
            layered.apply(action)
    for weights, values in heard.sent:
        assert sum(weights) == 1.0
        assert all(row["min"] <= value <= row["max"] for value, row in zip(values, LAYERED["controls"], strict=True))


@given(st.lists(st.binary(max_size=4)), st.lists(st.tuples(st.integers(0x80, 0xEF), st.integers(0, 127), st.integers(0, 127))))
def test_no_bytes_whatever_take_a_parameter_out_of_its_range(broken, whole):
    first = Metadata("one", 48000, 1, 512, 0, ["A", "B", "C"], LAYERED["controls"], 1)
    second = Metadata("two", 48000, 1, 512, 0, ["X"], [TEMPERATURE], 1)
    state, midi, rows = LiveState([first, second]), MidiMap(3), {row.name: row for row in PARAMETERS}
    heard = Heard(state)
    for message in [*broken, *whole, *broken]:
        action = midi.translate(message)
        if action is not None:
            state.apply(action)
    assert all(rows[name].check(value) == value for name, value in state.by_name().items() if name in rows)
    assert all(rows[name].check(value) == value for levels in heard.levels for name, value in levels.items())
    assert state.wanted in (0, 1)
    assert state.weights_of(1) == [1.0] and TEMPERATURE["min"] <= state.values_of(1)[0] <= TEMPERATURE["max"]
    for weights, values in heard.sent:
        assert sum(weights) == 1.0
        assert all(row["min"] <= value <= row["max"] for value, row in zip(values, LAYERED["controls"], strict=True))


def test_the_value_of_a_parameter_is_what_was_set_last(state):
    assert [state.value(name) for name in ("temperature", "volume", "model", "panic", "no such")] == [0.5, 0.0, 0.0, None, None]
    for name, value in (("temperature", 0.7), ("volume", -6.0)):
        state.apply(SetValue(name, value))
        assert state.value(name) == value
