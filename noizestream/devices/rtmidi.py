"""MIDI in through RtMidi: which ports there are and which one to listen to. Nothing here knows what a message means."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from noizestream.devices.choose import choose
from noizestream.devices.libjack import no_server_start, quiet_jack
from noizestream.errors import NoizestreamError
from noizestream.system.resource import Resource
from noizestream.system.stderr import quiet_stderr

CLIENT = "noizestream"
QUEUE = 1024
"""Messages RtMidi keeps for us; beyond that it drops the newest."""

OWN_NAME, OWN_NUMBER = "midi in", -1
"""Of the port that others connect to, which is in no list."""

_NUMBERS = re.compile(r"\s+\d+:\d+$")


@dataclass(frozen=True)
class MidiPort:
    """One port that can be listened to; `number` is its place in the list of `api`, and -1 of a port of our own, a virtual one."""

    index: int
    name: str
    api: int
    api_name: str
    number: int
    is_default: bool

    @property
    def is_virtual(self) -> bool:
        """Whether it is a port of our own, which others connect to."""
        return self.number == OWN_NUMBER


def library() -> Any:
    """Return the module `rtmidi`, imported at the first call; NoizestreamError if it is not installed."""
    try:
        import rtmidi
    except ImportError:
        raise NoizestreamError("python-rtmidi is missing: pip install python-rtmidi") from None
    return rtmidi


def clients() -> Iterator[tuple[int, Any]]:
    """Yield (api, client) for every API that works on this machine; ALSA without a sequencer or JACK without a server do not."""
    rtmidi = library()
    no_server_start()
    quiet_jack()
    for api in rtmidi.get_compiled_api():
        if api == rtmidi.API_RTMIDI_DUMMY:
            continue
        try:
            with quiet_stderr():
                client = rtmidi.MidiIn(rtapi=api, name=CLIENT, queue_size_limit=QUEUE)
        except Exception:  # RtMidi has an exception class per API and version
            continue
        yield api, client


def ports() -> list[MidiPort]:
    """Return every MIDI input port, of all APIs, numbered through; the default is the first that is a real instrument."""
    rtmidi = library()
    found: list[MidiPort] = []
    has_default = False
    for api, client in clients():
        with quiet_stderr():
            names = client.get_ports()
        for number, name in enumerate(names):
            real = not any(part in name.lower() for part in ("through", "thru", CLIENT))
            found.append(MidiPort(len(found), name, api, rtmidi.get_api_display_name(api), number, real and not has_default))
            has_default = has_default or real
        with quiet_stderr():
            client.delete()
    return found


def find_port(asked: str | None = None) -> MidiPort | None:
    """Return the port numbered or named `asked` (NoizestreamError if there is none), or the default one, or None."""
    found = ports()
    if asked is not None:
        return choose(found, asked, "-m", "MIDI port")
    return next((port for port in found if port.is_default), None)


def virtual_port() -> MidiPort:
    """Return a port of our own, for others to connect to: JACK's where a server runs. NoizestreamError where there are none."""
    rtmidi = library()
    able = [api for api in _apis() if api != rtmidi.API_WINDOWS_MM]
    if not able:
        raise NoizestreamError("--virtual: virtual MIDI ports do not work here; run a JACK server, or give a port with -m")
    api = rtmidi.API_UNIX_JACK if rtmidi.API_UNIX_JACK in able else able[0]
    return MidiPort(OWN_NUMBER, f"{CLIENT}:{OWN_NAME}", api, rtmidi.get_api_display_name(api), OWN_NUMBER, False)


def same_port(one: str, other: str) -> bool:
    """Return whether two names are of one instrument: ALSA ends them with numbers that change when it is pulled and put back."""
    return _NUMBERS.sub("", one) == _NUMBERS.sub("", other)


class Listener(Resource):
    """Listens to `port`, and again when it has gone and come back; without one the first real instrument that comes is taken.

    Open it at the start, and close it at the end. RtMidi collects the messages in its own queue, which is looked into: a Python
    callback would make JACK's process thread wait for the interpreter.
    """

    def __init__(self, port: MidiPort | None, awaited: MidiPort | None = None, clock: bool = False):
        """`awaited`: the one to wait for where there is no `port` yet; `clock`: hand MIDI clock and time code over too."""
        self.port, self._at_once, self._clock = port or awaited, port, clock
        self._client: Any = None

    def open(self) -> Self:
        """Listen to the port, where there is one; NoizestreamError if it does not open."""
        if self._at_once is not None:
            self._client = _listen(self._at_once, self._clock)
        return self

    @property
    def listening(self) -> bool:
        """Whether the port is open."""
        return self._client is not None

    def messages(self) -> Iterator[bytes]:
        """Yield the messages that have come since the last time, as bytes each."""
        while self._client is not None and (entry := self._client.get_message()) is not None:
            yield bytes(entry[0])

    def look(self) -> bool:
        """Notice that the port has gone, or is there; return whether anything changed."""
        if self._client is None:
            port = self._found()
            if port is not None:
                self._client, self.port = _listen(port, self._clock), port
            return port is not None
        if self.port is not None and (
            self.port.is_virtual or any(same_port(name, self.port.name) for name in self._client.get_ports())
        ):
            return False
        self.close()
        return True

    def close(self) -> None:
        """Stop listening. Safe to call twice, and if it never was opened."""
        client, self._client = self._client, None
        if client is not None:
            with quiet_stderr(), contextlib.suppress(Exception):
                client.close_port()
                client.delete()

    def _found(self) -> MidiPort | None:
        """The port that is waited for, once it is there."""
        if self.port is not None and self.port.is_virtual:
            return self.port if self.port.api in _apis() else None
        return next((one for one in ports() if self._awaits(one)), None)

    def _awaits(self, port: MidiPort) -> bool:
        return port.is_default if self.port is None else same_port(port.name, self.port.name)


def _apis() -> list[int]:
    """The APIs that work now."""
    found = []
    for api, client in clients():
        with quiet_stderr():
            client.delete()
        found.append(api)
    return found


def _listen(port: MidiPort, clock: bool) -> Any:
    """An RtMidi client that listens to `port`, to its MIDI clock only with `clock`; NoizestreamError if it does not open."""
    rtmidi = library()
    try:
        with quiet_stderr():
            client = rtmidi.MidiIn(rtapi=port.api, name=CLIENT, queue_size_limit=QUEUE)
            client.set_error_callback(lambda *problem: None)
            client.ignore_types(timing=not clock)
            if port.is_virtual:
                client.open_virtual_port(OWN_NAME)
            else:
                client.open_port(port.number, OWN_NAME)
    except Exception as error:
        raise NoizestreamError(f"{port.name}: the MIDI port does not open ({error}); try another -m") from None
    return client
