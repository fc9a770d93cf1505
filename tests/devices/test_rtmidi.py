"""MIDI ports by name; listening, losing and finding them again is in tests/live/test_faults.py."""

from types import SimpleNamespace

import pytest

from noizestream.devices import rtmidi
from noizestream.devices.rtmidi import Listener, MidiPort, same_port


class Client:
    """RtMidi's, of a port that is there."""

    def __init__(self, **asked: object):
        self.ignored: dict[str, bool] = {}

    def set_error_callback(self, callback: object) -> None:
        """It has no errors."""

    def ignore_types(self, **types: bool) -> None:
        self.ignored = types

    def open_port(self, number: int, name: str) -> None:
        """It opens."""

    close_port = delete = get_message = lambda self: None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("nanoKONTROL:nanoKONTROL MIDI 1 20:0", "nanoKONTROL:nanoKONTROL MIDI 1 24:0", True),
        ("nanoKONTROL:nanoKONTROL MIDI 1 20:0", "nanoKONTROL:nanoKONTROL MIDI 2 20:1", False),
        ("instrument:keys", "instrument:keys", True),
        ("instrument:keys", "instrument:pads", False),
    ],
)
def test_an_instrument_put_back_has_the_same_name_and_other_numbers(one, other, same):
    assert same_port(one, other) is same


@pytest.mark.parametrize("clock", [False, True])
def test_clock_is_left_out_unless_it_is_asked_for(monkeypatch, clock):
    monkeypatch.setattr(rtmidi, "library", lambda: SimpleNamespace(MidiIn=Client))
    with Listener(MidiPort(0, "keys", 1, "JACK", 0, True), clock=clock) as listener:
        assert listener._client.ignored == {"timing": not clock} and list(listener.messages()) == []
    assert not listener.listening
