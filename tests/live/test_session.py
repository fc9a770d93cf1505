"""Whole sets played from Python, on a real JACK server: no terminal, no command line, nothing printed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import active_children

import pytest

from noizestream import Session, SessionRequest
from noizestream.session.events import Ended, Event, ModelChanged, Started
from noizestream.session.status import SessionStatus
from rig.jack_server import JackServer
from rig.waiting import wait_for
from tests import foreign_models as foreign
from tests.live.test_faults import FAULTY_HZ, TONES, Ear


@pytest.fixture
def ear(jack_server: JackServer, monkeypatch, capfd) -> Iterator[Ear]:
    """An instrument on the server that this process and those it starts will find; at the end nothing has been printed."""
    for name, value in jack_server.environment.items():
        if name.startswith("JACK"):
            monkeypatch.setenv(name, value)
    with Ear(jack_server.environment) as made:
        made.ask("hear 0.01")  # it is there
        yield made
    assert not [thread.name for thread in threading.enumerate() if thread.name in ("session", "midi", "recorder")]
    assert not active_children()
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


@pytest.fixture
def request_(sine_model) -> SessionRequest:
    """The sine at A, played from the instrument."""
    return SessionRequest((sine_model,), genre="A", controls={"temperature": 0}, device="system", midi="ear:keys")


class Listener:
    """Takes all that a session says, and from which threads."""

    def __init__(self, session: Session):
        self.events: list[Event] = []
        self.statuses: list[SessionStatus] = []
        self.threads: set[str] = set()
        session.subscribe(self._hear)
        session.watch(self.statuses.append)

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread().name)

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def waits_for(session: Session, holds: Callable[[SessionStatus], bool]) -> SessionStatus:
    """Return the first status of which that holds."""
    found: list[SessionStatus] = []

    def look() -> bool:
        found[:] = [session.status]
        return holds(found[0])

    wait_for(look, lambda: str(session.status), every_s=0.02)
    return found[0]


def play_a_set(session: Session, listener: Listener, ear: Ear) -> None:
    """Genres, temperature, mute and a panic by `set`, a genre and a volume by MIDI; the status moves with all of it."""
    with session:
        assert session.status.playing and session.status.device.rate == 48000
        ear.wait_for(TONES["A"])
        session.set("genre", "B")
        ear.wait_for(TONES["B"])
        wait_for(lambda: listener.statuses[-1].genre == "B", "a status that says so")
        session.set("temperature", 0.25)
        assert session.status.controls["temperature"] == 0.25 and session.status.genre == "B"
        session.set("temperature", 0)
        ear.wait_for(TONES["C"], message=(0xC0, 2))
        status = waits_for(session, lambda status: status.midi_messages > 0 and status.peak > 0.1)
        assert status.genre_weights == (0.0, 0.0, 1.0) and status.genre == "C"
        assert status.midi_port.name.startswith("ear:keys") and status.midi_ignored == status.midi_errors == 0
        ear.wait_for(None, message=(0xB0, 7, 0), silent=True)
        assert waits_for(session, lambda status: status.peak == 0).controls["volume"] == -60
        session.set("volume", 0)
        ear.wait_for(TONES["C"])
        session.set("mute", 1)
        ear.wait_for(None, silent=True)
        session.set("mute", 0)
        session.set("panic", 1)  # the music starts afresh
        ear.wait_for(TONES["C"])
        status = waits_for(session, lambda status: status.ring_ms > 0 and status.load > 0 and status.seconds > 1)
        assert status.latency.ring == pytest.approx(58, abs=1) and status.latency.control < 80
        assert status.device.period_frames == 256 and status.device.compiled and not status.recording


def test_a_whole_set_from_python_without_a_terminal(ear, request_):
    for _ in range(3):  # what shares this machine may hold a worker up for as long as the ring lasts: best of 3
        session = Session(request_)
        listener = Listener(session)
        play_a_set(session, listener, ear)
        results = session.results
        if results["device_losses"] == 0 and results["underruns"] == 0:
            break
    if results["device_losses"]:
        pytest.skip("the JACK server stood still for seconds in each of 3 runs: the machine is too busy for this test")
    assert results["underruns"] == 0 and results["missed_ms"] == 0 and results["resets"] == 0
    assert results["midi_messages"] >= 2 and results["blocks"] > 0 and results["seconds"] > 1 and session.sounded
    (started,), (ended,) = listener.of(Started), listener.of(Ended)
    assert listener.events[0] is started and listener.events[-1] is ended
    assert started.status.playing and started.status.latency.device > 0 and started.status.genre == "A"
    assert ended.statistics == results and ended.error is None
    assert {status.genre for status in listener.statuses} == {"A", "B", "C"}
    assert not session.status.playing and session.status.peak == 0


def test_it_changes_models_records_and_tells_so(ear, request_, tmp_path):
    faulty = foreign.write(foreign.Faulty(), tmp_path / "faulty.ts", foreign.FAULTY)
    session = Session(replace(request_, models=(*request_.models, faulty), record=tmp_path / "take.wav"))
    listener = Listener(session)
    with session:
        ear.wait_for(TONES["A"])
        assert waits_for(session, lambda status: status.recording).metadata.name == "sine"
        session.set("model", "faulty")
        ear.wait_for(FAULTY_HZ)
        status = waits_for(session, lambda status: status.model == 1 and status.recorded_s > 0.5)
        assert status.metadata.name == "faulty" and status.loading is None
    assert listener.of(ModelChanged) == [ModelChanged("faulty")]
    assert session.results["model_switches"] == 1 and session.results["recorded_s"] > 0.5
    assert (tmp_path / "take.wav").stat().st_size > 0.5 * 48000 * 6


def test_the_blocking_form_ends_by_time_by_stop_and_by_ctrl_c_always_with_a_fade(ear, request_):
    session = Session(request_)
    assert session.play(0.5) is False and session.results["seconds"] >= 0.5
    session = Session(request_)
    session.watch(lambda status: session.stop())
    assert session.play() is True and session.results["blocks"] > 0
    session = Session(request_)
    listener = Listener(session)
    session.watch(lambda status: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        session.play()
    assert session.results["blocks"] > 0 and isinstance(listener.events[-1], Ended)
    assert listener.threads == {threading.current_thread().name}


def test_a_listener_that_fails_is_called_no_more_and_the_music_goes_on(ear, request_):
    session, heard = Session(request_), []

    def fail(status: SessionStatus) -> None:
        heard.append(status)
        raise ValueError("of the listener")

    session.watch(fail)
    listener = Listener(session)
    with pytest.raises(ValueError, match="of the listener"), session:
        wait_for(lambda: len(listener.statuses) > 3, "the status of the other listener")
        ear.wait_for(TONES["A"])
    assert len(heard) == 1 and session.results["blocks"] > 0


def test_a_port_that_is_not_there_is_said_where_it_is_asked_for(ear, request_):
    from noizestream.errors import NoizestreamError

    session = Session(replace(request_, midi="gramophone"))
    with pytest.raises(NoizestreamError, match="gramophone"), session:
        pytest.fail("it does not play")
    assert not session.sounded and not session.status.playing


def test_osc_changes_what_is_heard_and_hears_the_state_and_a_flood_does_not_matter(ear, request_):
    pytest.importorskip("pythonosc", reason="python-osc is not installed (pip install python-osc)")
    from tests.devices.test_osc import Client, message

    session, client = Session(replace(request_, osc=0)), Client()
    with session:
        place = session.status.osc
        ear.wait_for(TONES["A"])
        client.socket.sendto(message("/noizestream/genre", "C").dgram, place)
        ear.wait_for(TONES["C"])
        assert dict(client.hear())["/noizestream/genre"] == "C"
        for number in range(5000):
            client.socket.sendto(b"nonsense" if number % 2 else message("/noizestream/temperature", number / 5000).dgram, place)
        waits_for(session, lambda status: status.osc_refused > 50)

        def is_heard() -> bool:
            client.socket.sendto(message("/noizestream/genre", "B").dgram, place)  # one that comes in the flood may be lost
            return session.status.genre == "B"

        wait_for(is_heard, "what comes after the flood", every_s=0.1)
        ear.wait_for(TONES["B"])
    client.socket.close()
    assert session.results["osc_messages"] > session.results["osc_refused"] > 0
    assert session.results["osc_errors"] == session.results["osc_restarts"] == 0


CONNECT = """
import jack
with jack.Client("wires", no_start_server=True) as client:
    port, = client.get_ports("midi in", is_midi=True, is_input=True)
    client.connect("ear:keys", port)
"""


def test_a_port_of_its_own_is_played_by_whoever_is_connected(ear, request_):
    with Session(replace(request_, midi=None, virtual=True)) as session:
        assert session.status.midi_port.is_virtual
        ear.wait_for(TONES["A"])
        subprocess.run([sys.executable, "-c", CONNECT], check=True)
        ear.wait_for(TONES["B"], (0xC0, 1))
