"""The main process's handle on the MIDI process, with the test in that process's place."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from noizestream.devices import midi_process
from noizestream.devices.midi_process import Listening, MidiProcess, PortMessage
from noizestream.devices.rtmidi import MidiPort
from noizestream.errors import NoizestreamError, UsageError
from noizestream.realtime.process import ChildProcess, Failure
from rig.waiting import wait_for


class Process:
    """One that has ended when it is told to."""

    pid, exitcode = 1, -11

    def join(self, timeout_s: float | None = None) -> None:
        """It ends at once."""

    kill = join

    def is_alive(self) -> bool:
        return False


class Place:
    """Where the processes would be: `pipes` are their ends; while `refusing` there is none."""

    def __init__(self) -> None:
        self.pipes: list[Connection] = []
        self.arguments: list[tuple] = []
        self.refusing = False

    def open(self, process: ChildProcess) -> ChildProcess:
        if self.refusing:
            raise NoizestreamError("the MIDI process cannot be started (Resource temporarily unavailable)")
        process._pipe, theirs = multiprocessing.Pipe()
        process._process, process._pid, process.is_open = Process(), 1, True
        self.pipes.append(theirs)
        self.arguments.append(process._arguments)
        return process


@pytest.fixture
def place(monkeypatch) -> Iterator[Place]:
    made = Place()
    monkeypatch.setattr(ChildProcess, "open", lambda process: made.open(process))
    monkeypatch.setattr(midi_process, "LOOK_SECONDS", 0.0)
    yield made
    for pipe in made.pipes:
        pipe.close()


def test_what_a_message_raises_is_counted_and_said_once_and_the_next_is_handled(place):
    heard, said = [], []

    def handle(message: bytes) -> None:
        heard.append(message)
        if message != b"\xc0\x01":
            raise ValueError("out of range")

    midi = MidiProcess(None, handle, said.append).open()
    place.pipes[0].send(Listening(None))
    assert midi.wait() is None
    for message in (b"\xb0\x01\x00", b"\xb0\x01\x01", b"\xc0\x01"):
        place.pipes[0].send(PortMessage(message))
    wait_for(lambda: len(heard) == 3, "three messages")
    assert midi.errors == 2 and len(said) == 1 and "ValueError: out of range" in said[0]
    place.pipes[0].close()
    midi.close()


def test_a_process_that_cannot_be_replaced_at_once_is_replaced_later(place):
    said = []
    midi = MidiProcess(None, lambda message: None, said.append).open()
    place.pipes[0].send(Listening(None))
    midi.wait()
    place.refusing = True
    place.pipes[0].close()
    wait_for(lambda: not midi._thread.is_alive(), "the end of the thread")
    for _ in range(3):
        midi.tick()
    assert midi.restarts == 1 and len(said) == 1 and "ended unexpectedly (exit code -11)" in said[0]
    place.refusing = False
    midi.tick()
    assert len(place.pipes) == 2 and midi.restarts == 1 and len(said) == 1
    place.pipes[1].close()
    midi.close()


def test_one_that_cannot_listen_is_an_error_and_one_that_was_never_opened_is_closed(place):
    midi = MidiProcess("drums", lambda message: None)
    midi.close()
    with MidiProcess("drums", lambda message: None) as midi:
        place.pipes[0].send(Failure(UsageError, "there is no such port"))
        with pytest.raises(UsageError, match="no such port"):
            midi.wait()
        place.pipes[0].close()


def test_a_port_that_goes_and_comes_back_is_said_and_counted(place):
    port, said, lost = MidiPort(0, "keys", 1, "JACK", 0, True), [], []
    with MidiProcess(None, lambda message: None, said.append, lambda: lost.append(1)) as midi:
        place.pipes[0].send(Listening(port))
        assert midi.wait() == port
        for listening in (Listening(None), Listening(port)):
            place.pipes[0].send(listening)
        wait_for(lambda: len(said) == 2, "two lines")
        assert midi.losses == len(lost) == 1
        assert said[0].startswith("keys: the MIDI port is gone") and said[1] == "MIDI     keys (JACK) is back"
        place.pipes[0].close()


@pytest.mark.parametrize("asked", [{}, {"clock": True}, {"virtual": True}])
def test_every_process_is_asked_for_the_same(place, asked):
    with MidiProcess(None, lambda message: None, **asked) as midi:
        place.pipes[0].close()
        wait_for(lambda: not midi._thread.is_alive(), "the end of the thread")
        midi.tick()
        place.pipes[1].close()
    assert [arguments[-2:] for arguments in place.arguments] == [(asked.get("clock", False), asked.get("virtual", False))] * 2
