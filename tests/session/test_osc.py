"""OSC in a session: real packets on this machine change its state, and its state comes back; no device is needed."""

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pythonosc", reason="python-osc is not installed (pip install python-osc)")

from noizestream.control.midi_map import MidiMap
from noizestream.control.osc_addresses import PREFIX
from noizestream.control.state import LiveState
from noizestream.modelfile import archive
from noizestream.session.osc import OscControl
from noizestream.session.request import LOCALHOST, SessionRequest, osc_place
from noizestream.session.resources import Resources
from rig.waiting import PATIENCE_S, wait_for
from tests.devices.test_osc import Client, message
from tests.ui.statuses import STATUS

ROOT = Path(__file__).parents[2]


class Player:
    """Takes what the worker would, and counts panics."""

    def __init__(self) -> None:
        self.weights: list[float] = []
        self.panics = 0

    def set_controls(self, weights, controls) -> None:
        self.weights = list(weights)

    def panic(self) -> None:
        self.panics += 1


class Set:
    """A state with a player, listened to by OSC, and a client of it."""

    def __init__(self, model) -> None:
        self.state, self.player, self.said = LiveState(archive.read_metadata(model)), Player(), []
        self.state.connect(self.player, lambda levels: None)
        self.osc = OscControl(0, self.state, self.said.append)
        self.client = Client()

    def send(self, part: str, *arguments: object) -> None:
        self.client.socket.sendto(message(PREFIX + part, *arguments).dgram, self.osc.process.place)


@pytest.fixture
def playing(sine_model) -> Iterator[Set]:
    made = Set(sine_model)
    with made.osc.process:
        assert made.osc.process.wait()[0] == LOCALHOST
        yield made
    made.client.socket.close()
    assert made.said == [] and made.osc.process.errors == 0


def test_what_comes_is_done_and_counted_as_from_midi(playing):
    for part, *arguments in (("genre", "B:1,C:3"), ("temperature", 0.25), ("volume", -6), ("mute", "on"), ("panic",)):
        playing.send(part, *arguments)
    wait_for(lambda: playing.player.panics, "the panic")
    assert playing.state.by_name() == {"temperature": 0.25, "volume": -6.0, "mute": 1.0, "balance": 0.0}
    assert playing.player.weights == [0.0, 0.25, 0.75] and playing.osc.refused == 0 and playing.osc.messages == 5
    for part, *arguments in (("genre", 7), ("tempo", 120), ("sparkle", 1), ("temperature", "hot"), ("genre", 0)):
        playing.send(part, *arguments)
    playing.client.socket.sendto(b"nonsense", playing.osc.process.place)
    wait_for(lambda: playing.osc.messages == 11, "all messages")
    assert playing.osc.refused == 5 and playing.state.refused == 0 and playing.state.genre() == "A"


def test_the_state_comes_back_to_who_has_sent_something_and_to_the_port_that_is_subscribed(playing):
    other = Client()
    playing.osc.show(dataclasses.replace(STATUS, peak=0.5, underruns=3))
    playing.send("temperature", 0.5)
    heard = dict(playing.client.hear())
    assert heard[f"{PREFIX}temperature"] == 0.5 and heard[f"{PREFIX}genre"] == "A" and heard[f"{PREFIX}model"] == 0
    assert heard[f"{PREFIX}status/peak"] == 0.5 and heard[f"{PREFIX}status/underruns"] == 3
    playing.send("subscribe", other.place[1])
    assert dict(other.hear())[f"{PREFIX}temperature"] == 0.5
    playing.send("tree")
    answer = next(answer for answer in (dict(other.hear()) for _ in range(50)) if f"{PREFIX}tree" in answer)
    assert "temperature" in json.loads(answer[f"{PREFIX}tree"])["CONTENTS"]
    playing.send("unsubscribe")
    wait_for(lambda: not playing.osc._listeners.now(0.0), "that it is forgotten")
    other.socket.close()


def test_the_example_plays_it_and_says_so_where_nobody_listens(playing):
    port = str(playing.osc.process.place[1])
    line = [sys.executable, str(ROOT / "examples" / "osc_in.py"), "--seconds", "0.6", "--port"]
    done = subprocess.run([*line, port], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0 and "A, temperature 1." in done.stdout, done.stderr
    assert 1 < playing.state.by_name()["temperature"] < 2 and playing.osc.refused == 0
    done = subprocess.run([*line, "9"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1 and done.stderr.startswith("nothing came back")


class Quiet:
    """In the place of the MIDI process: nobody plays."""

    port, errors, losses, restarts = None, 0, 0, 0

    def __init__(self, *_: object, **options: object) -> None:
        self.open, self.wait, self.close, self.tick = (lambda: self), (lambda: None), (lambda: None), (lambda: None)


def test_a_session_opens_looks_after_and_closes_it_and_says_what_came(sine_model, monkeypatch):
    monkeypatch.setattr("noizestream.session.resources.MidiProcess", Quiet)
    for name in ("open", "close", "tick"):
        monkeypatch.setattr(f"noizestream.session.resources.OutputSession.{name}", lambda *_: None)
    state, client, told = LiveState(archive.read_metadata(sine_model)), Client(), []
    request = SessionRequest((sine_model,), osc="localhost:0")
    with Resources(request, state, MidiMap(3), told.append) as resources:
        place = resources.status().osc
        assert place is not None and place[0] == LOCALHOST and place[1] > 0
        client.socket.sendto(message(f"{PREFIX}genre", "C").dgram, place)
        client.socket.sendto(b"nonsense", place)
        wait_for(lambda: resources.status().osc_messages == 2, "both")
        resources.tick()
        status = resources.status()
        assert (status.genre, status.osc_refused) == ("C", 1)
        wait_for(lambda: f"{PREFIX}status/playing" in dict(client.hear()), "the figures of a status")
    assert {name: resources.results[f"osc_{name}"] for name in ("messages", "refused", "errors", "restarts")} == {
        "messages": 2,
        "refused": 1,
        "errors": 0,
        "restarts": 0,
    }
    assert told == [] and "osc" not in [thread.name for thread in threading.enumerate()]
    client.socket.close()


@pytest.mark.parametrize(
    ("asked", "place"), [(9000, ("127.0.0.1", 9000)), ("9000", ("127.0.0.1", 9000)), ("0.0.0.0:0", ("0.0.0.0", 0))]
)
def test_without_a_host_this_machine_alone_is_listened_to(asked, place):
    assert osc_place(asked) == place
