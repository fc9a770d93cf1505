"""A session before it plays: what is asked of it is checked, and nothing is open or loaded."""

import subprocess
import sys
import threading
from multiprocessing import active_children
from pathlib import Path

import pytest

from noizestream import Session, SessionRequest
from noizestream.control.midi_map import SetValue
from noizestream.control.state import LiveState
from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile.archive import read_metadata
from noizestream.session.events import Ended
from noizestream.session.values import midi_map
from tests import foreign_models as foreign

LOADED = """
import sys, noizestream
from noizestream import Session, SessionRequest
heavy = ("click", "rich", "torch", "sounddevice", "rtmidi", "soundfile")
print([name for name in sys.modules if name.split(".")[0] in heavy or name.startswith(("noizestream.ui", "noizestream.commands"))])
"""


def test_a_program_that_imports_it_loads_no_terminal_no_torch_and_no_device():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.fixture(scope="module")
def two(sine_model, tmp_path_factory) -> SessionRequest:
    """A sine, and a model with a control of its own."""
    other = foreign.write(foreign.White(), tmp_path_factory.mktemp("models") / "white.ts")
    return SessionRequest((sine_model, other))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"latency": "none"}, "latency: none is not possible, give low, high or 0.005 to 2 seconds"),
        ({"latency": 9.0}, "latency: 9.0 is not possible"),
        ({"channel": 17}, "channel: 17 is not possible, give 1 to 16 or all"),
        ({"channel": "0"}, "channel: 0 is not possible"),
        ({"channel": "one"}, "channel: one is not possible"),
        ({"virtual": True, "midi": "keys"}, "virtual: it makes a MIDI port, leave midi out"),
        ({"seed": -1}, "seed: -1 is out of range, give 0 or more"),
        ({"osc": 65536}, "osc: 65536 is not possible, give a port up to 65535, or HOST:PORT such as 0.0.0.0:9000"),
        ({"osc": ":9000"}, "osc: :9000 is not possible"),
        ({"osc": "localhost:"}, "osc: localhost: is not possible"),
        ({"controls": {"temperature": 5}}, "temperature: 5 is out of range, give 0 to 2"),
        ({"controls": {"tempo": 120}}, "sine has no control 'tempo'"),
        ({"controls": {"temperature": "hot"}}, "set temperature: 'hot' is not a number"),
        ({"genre": "Polka"}, "unknown genre 'Polka'"),
        ({"chords": "17"}, "chords: 17 is not possible"),
        ({"chords": "2"}, "chords: sine has no control chord, leave chords out"),
        ({"map": "no such controller"}, "map no such controller: no such map in "),
        ({"map": "none.toml"}, "map none.toml: missing file"),
        ({"record": "take.mp3"}, "record take.mp3: give a name that ends in .wav"),
    ],
)
def test_what_is_asked_for_is_checked_in_the_words_of_python(sine_model, asked, says):
    with pytest.raises(UsageError) as raised:
        Session(SessionRequest((sine_model,), **asked))
    assert str(raised.value).startswith(says) and "--" not in str(raised.value)


def test_a_model_that_is_not_there_and_the_bundled_one(sine_model, monkeypatch):
    with pytest.raises(NoizestreamError, match=r"none\.ts"):
        Session("none.ts")
    monkeypatch.setattr("noizestream.modelfile.archive.default_model", lambda: sine_model)
    assert Session().status.metadata.name == Session(str(sine_model)).status.metadata.name == "sine"


def test_a_map_says_what_the_controller_does(sine_model):
    state = LiveState(read_metadata(sine_model))
    midi = midi_map(state, SessionRequest(map="nanokontrol2", channel=2))
    assert midi.translate([0xB1, 55, 127]) == SetValue("mute", 1) and midi.translate([0xB0, 55, 127]) is None
    assert midi.translate([0xB1, 20, 64]) == SetValue("temperature", 1.0), "the knob is where the state has it"


def test_nothing_is_open_before_it_plays(two):
    before = threading.active_count(), active_children(), sorted(Path("/dev/shm").glob("*"))
    session = Session(two)
    assert (threading.active_count(), active_children(), sorted(Path("/dev/shm").glob("*"))) == before
    assert not session.status.playing and session.results == {} and not session.sounded


def test_controls_that_are_set_are_in_the_status_at_once(two):
    session = Session(two)
    session.set("temperature", 0.5)
    session.set("volume", -6)
    session.set("mute", True)
    session.set("genre", "A:1,B:3")
    status = session.status
    assert status.controls == {"temperature": 0.5, "volume": -6.0, "mute": 1.0, "balance": 0.0}
    assert status.genre_weights == (0.25, 0.75, 0.0) and status.genre == "B 75 % A 25 %"
    assert session.status is not status and status.playing is False


def test_another_model_is_asked_for_by_its_name_or_number_and_the_genre_is_meant_for_it(two):
    session = Session(two)
    for asked in ("foreign", 1):
        session.set("model", asked)
        session.set("genre", "Free Jazz")
        assert session.status.genre == "A", "it plays the sine until the other is loaded"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("temperature", 3, "temperature: 3 is out of range, give 0 to 2"),
        ("volume", 40, "volume: 40 is out of range, give -60 to 6 dB"),
        ("volume", "loud", "volume: 'loud' is not a number"),
        ("sparkle", 0, "sine has no control 'sparkle'"),
        ("genre", "Polka", "unknown genre 'Polka'; sine has A, B, C"),
        ("model", 2, "model: 2 is not there, give one of 0 to 1, or of sine, foreign"),
        ("model", "none", "model: 'none' is not a number"),
    ],
)
def test_what_is_set_is_checked(two, name, value, says):
    with pytest.raises(UsageError) as raised:
        Session(two).set(name, value)
    assert str(raised.value).startswith(says)


def test_a_session_without_a_device_ends_with_the_reason_and_leaves_nothing(sine_model, monkeypatch):
    """There is no server to be found, nor any hardware where tests run."""
    monkeypatch.setattr("noizestream.session.output.AudioProcess", _no_process)
    events: list[object] = []
    session = Session(sine_model)
    session.subscribe(events.append)
    with pytest.raises(NoizestreamError, match="cannot be started"):
        session.play(1)
    assert isinstance(events[-1], Ended) and "cannot be started" in str(events[-1].error)
    assert session.results["blocks"] == 0 and not session.sounded and not active_children()
    with pytest.raises(UsageError, match="once"):
        session.play(1)
    with pytest.raises(UsageError, match="once"), session:
        pass


def test_seconds_are_checked_before_anything_opens(sine_model):
    session = Session(sine_model)
    with pytest.raises(UsageError, match=r"^seconds: 0 is too short, give more than 0$"):
        session.play(0)
    assert session.results == {}


def _no_process(*_: object) -> None:
    raise NoizestreamError("the audio process cannot be started")
