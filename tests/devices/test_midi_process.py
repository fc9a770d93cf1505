"""The main process's handle on the MIDI process, with the test in that process's place."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from noizestream.devices import midi_process
from noizestream.devices.midi_process import MidiInput
from noizestream.errors import NoizestreamError
from rig.waiting import wait_for


class Process:
    """One that has ended when it is told to."""

    exitcode = -11

    def join(self, timeout_s: float | None = None) -> None:
        """It ends at once."""

    kill = join


class Place:
    """What `spawn` gives: `pipes` are the ends of the processes; while `refusing` there is none."""

    def __init__(self) -> None:
        self.pipes: list[Connection] = []
        self.refusing = False

    def spawn(self, *_: object) -> tuple[Connection, Process]:
        if self.refusing:
            raise NoizestreamError("the MIDI process cannot be started (Resource temporarily unavailable)")
        ours, theirs = multiprocessing.Pipe()
        self.pipes.append(theirs)
        return ours, Process()


@pytest.fixture
def place(monkeypatch) -> Iterator[Place]:
    made = Place()
    monkeypatch.setattr(midi_process, "spawn", made.spawn)
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

    midi = MidiInput(None, handle, said.append)
    place.pipes[0].send(None)
    assert midi.wait() is None
    for message in (b"\xb0\x01\x00", b"\xb0\x01\x01", b"\xc0\x01"):
        place.pipes[0].send(message)
    wait_for(lambda: len(heard) == 3, "three messages")
    assert midi.errors == 2 and len(said) == 1 and "ValueError: out of range" in said[0]
    place.pipes[0].close()
    midi.close()


def test_a_process_that_cannot_be_replaced_at_once_is_replaced_later(place):
    said = []
    midi = MidiInput(None, lambda message: None, said.append)
    place.pipes[0].send(None)
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
