"""MIDI in through RtMidi: which ports there are and which one to listen to. Nothing here knows what a message means."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from noizestream.devices.choose import choose
from noizestream.devices.quiet import no_server_start, quiet_jack, quiet_stderr
from noizestream.errors import NoizestreamError

CLIENT = "noizestream"
QUEUE = 1024
"""Messages RtMidi keeps for us; beyond that it drops the newest."""

POLL_SECONDS = 0.002
LOOK_SECONDS = 1.0
"""How often it is looked whether the port is still there, or has come back."""

_NUMBERS = re.compile(r"\s+\d+:\d+$")


@dataclass(frozen=True)
class MidiPort:
    """One port that can be listened to; `number` is its place in the list of `api`."""

    index: int
    name: str
    api: int
    api_name: str
    number: int
    is_default: bool


def _rtmidi() -> Any:
    try:
        import rtmidi
    except ImportError:
        raise NoizestreamError("python-rtmidi is missing: pip install python-rtmidi") from None
    return rtmidi


def _clients() -> Iterator[tuple[int, Any]]:
    """Yield (api, client) for every API that works on this machine; ALSA without a sequencer or JACK without a server do not."""
    rtmidi = _rtmidi()
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
    rtmidi = _rtmidi()
    found: list[MidiPort] = []
    has_default = False
    for api, client in _clients():
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


def same_port(one: str, other: str) -> bool:
    """Whether two names are of one instrument: ALSA ends them with numbers that change when it is pulled and put back."""
    return _NUMBERS.sub("", one) == _NUMBERS.sub("", other)


class MidiInput:
    """Listens to `port` and hands every message, a list of bytes, to `handle`, in a thread of its own.

    RtMidi collects the messages in its own queue and we look into it every POLL_SECONDS: a Python callback would make JACK's
    process thread wait for the interpreter lock. A port that goes is waited for, and listened to again; without a `port` the
    first real one that comes is taken. `say` takes lines for the user. NoizestreamError if `port` does not open.
    """

    def __init__(
        self, port: MidiPort | None, handle: Callable[[Sequence[int]], None], say: Callable[[str], None] = lambda line: None
    ):
        self.port, self._handle, self._say = port, handle, say
        self.losses = 0
        self._server_died = False
        self._client: Any = None if port is None else _listen(port)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi", daemon=True)
        self._thread.start()

    def server_died(self) -> None:
        """The JACK server has gone: a client of it lists the ports that were there last for ever, so it must be told."""
        self._server_died = self.port is not None and "jack" in self.port.api_name.lower()

    def close(self) -> None:
        """Stop listening and leave the MIDI system."""
        self._ending.set()
        self._thread.join(timeout=1.0)
        self._let_go()

    def _run(self) -> None:
        looked = time.monotonic()
        while not self._ending.wait(POLL_SECONDS if self._client is not None else LOOK_SECONDS):
            # Whatever RtMidi raises, and whatever a message does: the music goes on, and so do we.
            with contextlib.suppress(Exception):
                if self._client is not None:
                    while (entry := self._client.get_message()) is not None:
                        with contextlib.suppress(Exception):
                            self._handle(entry[0])
                    if time.monotonic() - looked < LOOK_SECONDS:
                        continue
                    looked = time.monotonic()
                    if self._server_died or not self._is_there():
                        self._server_died = False
                        self._lose()
                elif (port := self._find()) is not None:
                    self._client = _listen(port)
                    self._say(f"MIDI     {port.name} ({port.api_name})" + (" is back" if self.port else ""))
                    self.port = port

    def _is_there(self) -> bool:
        return self.port is not None and any(same_port(name, self.port.name) for name in self._client.get_ports())

    def _find(self) -> MidiPort | None:
        if self.port is None:
            return next((port for port in ports() if port.is_default), None)
        return next((port for port in ports() if same_port(port.name, self.port.name)), None)

    def _lose(self) -> None:
        self.losses += 1
        self._say(f"{self.port.name if self.port else ''}: the MIDI port is gone; the music goes on, and it is waited for")
        self._let_go()

    def _let_go(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with quiet_stderr(), contextlib.suppress(Exception):
                client.close_port()
                client.delete()


def _listen(port: MidiPort) -> Any:
    """An RtMidi client that listens to `port`; NoizestreamError if it does not open."""
    rtmidi = _rtmidi()
    try:
        with quiet_stderr():
            client = rtmidi.MidiIn(rtapi=port.api, name=CLIENT, queue_size_limit=QUEUE)
            client.set_error_callback(lambda *problem: None)
            client.open_port(port.number, "midi in")
    except Exception as error:
        raise NoizestreamError(f"{port.name}: the MIDI port does not open ({error}); try another -m") from None
    return client
