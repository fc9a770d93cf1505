"""MIDI ports by name; listening, losing and finding them again is in tests/live/test_faults.py."""

from types import SimpleNamespace

import pytest

from noizestream.devices import rtmidi
from noizestream.devices.rtmidi import Listener, MidiPort, same_port, virtual_port
from noizestream.errors import NoizestreamError


class Client:
    """RtMidi's, of a port that is there."""

    def __init__(self, **asked: object):
        self.ignored: dict[str, bool] = {}
        self.opened: tuple[object, ...] = ()

    def set_error_callback(self, callback: object) -> None:
        """It has no errors."""

    def ignore_types(self, **types: bool) -> None:
        self.ignored = types

    def open_port(self, *port: object) -> None:
        self.opened = port

    open_virtual_port = open_port

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


ALSA, JACK, WINDOWS = 2, 3, 4


@pytest.fixture
def working(monkeypatch) -> list[int]:
    """The APIs that work, to be changed."""
    apis: list[int] = []
    names = {"get_api_display_name": str, "MidiIn": Client, "API_UNIX_JACK": JACK, "API_WINDOWS_MM": WINDOWS}
    monkeypatch.setattr(rtmidi, "library", lambda: SimpleNamespace(**names))
    monkeypatch.setattr(rtmidi, "clients", lambda: [(api, Client()) for api in apis])
    return apis


def test_a_port_of_our_own_is_jacks_where_a_server_runs(working):
    for apis, api in (([ALSA, JACK], JACK), ([ALSA], ALSA)):
        working[:] = apis
        port = virtual_port()
        assert (port.api, port.name, port.is_virtual) == (api, "noizestream:midi in", True)
        with Listener(port) as listener:
            assert listener._client.opened == ("midi in",) and not listener.look(), "it does not go"


@pytest.mark.parametrize("apis", [[], [WINDOWS]])
def test_where_there_are_none_it_is_said(working, apis):
    working[:] = apis
    with pytest.raises(NoizestreamError, match=r"--virtual: .* give a port with -m"):
        virtual_port()


def test_a_port_of_our_own_is_made_again_once_its_server_is_back(working):
    working[:] = [ALSA, JACK]
    port = virtual_port()
    with Listener(None, port) as listener:
        working.remove(JACK)
        assert not listener.look() and not listener.listening, "and no other in its place"
        working.append(JACK)
        assert listener.look() and listener.listening and listener.port == port
