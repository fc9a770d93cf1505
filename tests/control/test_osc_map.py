"""What OSC messages mean, which addresses there are, and who is told the state."""

import json
import random

import pytest

from noizestream.control.midi_map import ChooseGenre, SetValue
from noizestream.control.osc_addresses import PREFIX, READ, WRITE, addresses, lines, tree
from noizestream.control.osc_listeners import AFTER_S, MOST, Listeners
from noizestream.control.osc_map import AskTree, MixGenres, OscMap, Subscribe, Unsubscribe, mix_text
from noizestream.control.parameters import PARAMETERS
from noizestream.control.state import LiveState
from noizestream.modelfile.metadata import Metadata

ROWS = [row for row in PARAMETERS if row.acts == "model"]
GENRES = ["ambient", "dub", "techno, hard"]
MODEL = Metadata(
    name="all",
    sample_rate=48000,
    channels=2,
    block_frames=512,
    latency_frames=0,
    genres=GENRES,
    controls=[
        {
            "name": row.name,
            "min": row.minimum,
            "max": 2 if row.kind == "genre" else row.maximum,
            "default": row.default,
            "unit": row.unit,
        }
        for row in ROWS
    ]
    + [{"name": "spark le", "min": 2, "max": 3, "default": 2, "unit": ""}],
    noise_size=1,
)
PLAIN = Metadata("plain", 48000, 1, 512, 0, ["Jazz"], [{"name": "temperature", "min": 0, "max": 1, "default": 1, "unit": ""}], 1)


def says(part: str, *arguments: object, playing: int = 0, wanted: int = 0) -> object:
    return OscMap([MODEL, PLAIN]).translate(PREFIX + part, arguments, playing, wanted)


def is_refused(part: str, *arguments: object, playing: int = 0, wanted: int = 0) -> bool:
    osc = OscMap([MODEL, PLAIN])
    return osc.translate(PREFIX + part, arguments, playing, wanted) is None and (osc.messages, osc.refused) == (1, 1)


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_every_row_is_set_from_its_least_to_its_most_and_never_leaves_its_range(row):
    if row.kind in ("trigger", "count"):
        assert says(row.name) == says(row.name, 1.0) == says(row.name, True) == SetValue(row.name, row.maximum)
        assert not is_refused(row.name, 0) and says(row.name, 0) is None, "a button that is let go"
        return
    most = {"genre": 2, "number": 1}.get(row.kind, row.maximum)
    assert says(row.name, float(row.minimum)) == SetValue(row.name, row.minimum)
    assert says(row.name, most) == SetValue(row.name, most)
    if row.kind == "value":
        assert says(row.name, most + 9.0) == SetValue(row.name, most), "a value is taken as the nearest end"
        assert says(row.name, row.minimum - 9.0) == SetValue(row.name, row.minimum)
    elif row.kind != "toggle":
        assert is_refused(row.name, most + 1) and is_refused(row.name, row.minimum - 1), "a choice that there is not"


@pytest.mark.parametrize(
    ("part", "argument", "value"),
    [
        ("tempo", 12.0, 0.0),
        ("tempo", 30.0, 40.0),
        ("chord", "Am", 21),
        ("chord", "-", -1),
        ("chord", 2.4, 2),
        ("mute", "on", 1),
        ("mute", 0.4, 0),
        ("mute", False, 0),
        ("mute", 7, 1),
        ("bass_genre", "dub", 1),
        ("temperature", "0.5", 0.5),
        ("model", "plain", 1),
        ("spark_le", 9, 3),
    ],
)
def test_names_switches_and_what_a_fader_sends_between(part, argument, value):
    assert says(part, argument) == SetValue("spark le" if part == "spark_le" else part, value)


def test_the_genre_by_number_name_and_mix_is_meant_for_the_model_that_is_asked_for():
    assert says("genre", 2) == says("genre", 1.6) == says("genre", "techno, hard") == says("genre", "tech") == ChooseGenre(2)
    assert says("genre", "dub:3,ambient:1") == MixGenres((0.25, 0.75, 0.0), 0)
    assert says("genre", "Jazz", wanted=1) == ChooseGenre(0)
    assert is_refused("genre", "dub", wanted=1) and is_refused("genre", 1, wanted=1) and is_refused("genre", -1)


@pytest.mark.parametrize("argument", [float("nan"), float("inf"), None, b"\0", (1, 2), [0.5], "warm", "", 10**400, "nan", "1e999"])
def test_what_is_no_value_is_refused(argument):
    assert all(is_refused(part, argument) for part in ("temperature", "chord", "mute", "genre", "drums_new", "bass_genre", "model"))


def test_other_addresses_are_refused_and_so_is_what_the_playing_model_lacks():
    for part in ("sparkle", "", "temperature/", "Temperature", "*", "status/peak", "model/0"):
        assert is_refused(part, 1)
    assert is_refused("temperature", 1, 2) and is_refused("chord", 1, playing=1)
    assert says("temperature", 2, playing=1) == SetValue("temperature", 1.0), "within the range of the model that plays"
    osc = OscMap([MODEL])
    assert osc.translate("temperature", [1]) is None and osc.refused == 1
    assert osc.translate(f"{PREFIX}temperature", []) is None and osc.refused == 1, "it asks for the state"


def test_subscriptions_and_the_tree():
    assert says("subscribe") == Subscribe() and says("subscribe", 9001) == says("subscribe", 9001.0) == Subscribe(9001)
    assert says("unsubscribe") == Unsubscribe() and says("tree") == AskTree()
    assert all(is_refused("subscribe", port) for port in (0, -1, 65536, 1.5, "home", None, float("nan")))


def test_no_message_whatever_raises_or_leaves_the_ranges():
    osc, chance = OscMap([MODEL, PLAIN]), random.Random(1)
    parts = [each.path for each in addresses([MODEL, PLAIN])] + ["/noizestream", "", "/", PREFIX, "/noizestream//", "\0"]
    values = [0, 1, -1, 0.5, 39.9, 1e300, -1e300, 1e-300, 2**63, float("nan"), float("inf"), True, None, b"x", [], ()]
    values += ["Am", "dub", "on", "dub:1,ambient:-1", "ambient:nan", ":", ",", "," * 999, "é" * 300, "0x1", "1_0"]
    states = [LiveState([MODEL, PLAIN]) for _ in range(2)]
    states[1].current = states[1].wanted = 1
    for _ in range(20000):
        playing = chance.randrange(2)
        value = chance.choice([*values, chance.uniform(-300, 300), chance.randrange(-300, 300)])
        address = chance.choice(parts)
        meant = osc.translate(address, [value] * chance.choice([0, 1, 1, 1, 2]), playing, playing)
        if isinstance(meant, ChooseGenre | SetValue):
            states[playing].apply(meant)
        elif isinstance(meant, MixGenres):
            assert sum(meant.weights) == pytest.approx(1)
            states[playing].mix(meant.weights, meant.model)
        states[playing].current = states[playing].wanted = playing
    assert osc.messages == 20000 and 0 < osc.refused < 20000
    assert [state.refused for state in states] == [0, 0], "what is refused is refused here"
    for index, model in enumerate((MODEL, PLAIN)):
        rows = {control["name"]: (control["min"], control["max"]) for control in model.controls}
        rows |= {row.name: (row.minimum, row.maximum) for row in PARAMETERS if row.acts == "output"}
        values_now = states[index].by_name()
        assert set(values_now) == set(rows) and all(low <= values_now[name] <= high for name, (low, high) in rows.items())


def test_the_state_can_be_sent_back_and_changes_nothing():
    osc, state = OscMap([MODEL, PLAIN]), LiveState([MODEL, PLAIN])
    for action in (SetValue("chord", 21.0), SetValue("volume", -6.0), SetValue("mute", 1.0), SetValue("tempo", 120.0)):
        state.apply(action)
    state.mix([0.25, 0.75, 0.0])
    sent = osc.state(0, state.weights, state.by_name())
    values = dict(sent)
    assert values[f"{PREFIX}genre"] == "ambient:0.25,dub:0.75" and values[f"{PREFIX}volume"] == -6.0
    assert values[f"{PREFIX}chord"] == 21 and isinstance(values[f"{PREFIX}chord"], int) and values[f"{PREFIX}model"] == 0
    assert f"{PREFIX}panic" not in values and f"{PREFIX}drums_new" not in values
    before = state.by_name(), list(state.weights)
    for address, value in sent:
        meant = osc.translate(address, [value])
        state.mix(meant.weights, meant.model) if isinstance(meant, MixGenres) else state.apply(meant)
    assert (state.by_name(), list(state.weights)) == before and osc.refused == 0
    assert mix_text(GENRES, [0, 0, 1.0]) == "techno, hard"


def test_the_table_of_addresses_has_every_row_and_reads_as_text_and_as_json():
    found = addresses([MODEL, PLAIN])
    paths = [each.path for each in found]
    assert len(set(paths)) == len(paths) and {PREFIX + row.name for row in PARAMETERS} < set(paths)
    text = lines(found)
    assert len(text) == len(found) and all(line.startswith(path) for line, path in zip(text, paths, strict=True))
    root = json.loads(tree(found))
    assert root["FULL_PATH"] == "/noizestream"
    assert root["CONTENTS"]["temperature"]["RANGE"] == [{"MIN": 0.0, "MAX": 2.0}]
    assert root["CONTENTS"]["temperature"] | {"ACCESS": READ + WRITE, "TYPE": "f"} == root["CONTENTS"]["temperature"]
    assert root["CONTENTS"]["genre"]["RANGE"] == [{"VALS": [*GENRES, "Jazz"]}] and root["CONTENTS"]["panic"]["ACCESS"] == WRITE
    assert root["CONTENTS"]["status"]["CONTENTS"]["peak"]["FULL_PATH"] == f"{PREFIX}status/peak"
    assert PREFIX + "chord" not in [each.path for each in addresses([PLAIN])]


def test_who_has_sent_or_subscribed_is_told():
    listeners, a, b = Listeners(), ("127.0.0.1", 5000), ("10.0.0.2", 6000)
    listeners.heard(a, 0.0)
    listeners.subscribe(b, 9001, 0.0)
    listeners.heard(b, 1.0)
    assert listeners.now(1.0) == (a, ("10.0.0.2", 9001))
    assert listeners.now(AFTER_S + 1) == (("10.0.0.2", 9001),), "who only sent, and has not for long, is not"
    listeners.unsubscribe(b)
    listeners.unsubscribe(a)
    assert listeners.now(2.0) == ()


def test_the_tree_is_answered_once_where_the_state_goes_to():
    listeners, a = Listeners(), ("127.0.0.1", 5000)
    listeners.ask(a)
    assert listeners.asking() == ()
    listeners.subscribe(a, 9001, 0.0)
    listeners.ask(a)
    listeners.ask(a)
    assert listeners.asking() == (("127.0.0.1", 9001),) and listeners.asking() == ()


def test_no_more_are_told_than_a_few_and_those_who_subscribed_stay_longest():
    listeners = Listeners()
    listeners.subscribe(("127.0.0.1", 1), None, 0.0)
    for port in range(2, 1000):
        listeners.heard(("127.0.0.1", port), float(port) / 100)
    told = listeners.now(10.0)
    assert len(told) == MOST and ("127.0.0.1", 1) in told and ("127.0.0.1", 999) in told and ("127.0.0.1", 2) not in told
