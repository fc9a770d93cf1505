"""MIDI in through RtMidi: which ports there are and which one to listen to. Nothing here knows what a message means."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from noizestream.devices.choose import choose
from noizestream.devices.quiet import no_server_start, quiet_stderr
from noizestream.errors import NoizestreamError

CLIENT = "noizestream"
QUEUE = 1024
"""Messages RtMidi keeps for us; beyond that it drops the newest."""

POLL_SECONDS = 0.002


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


class MidiInput:
    """Listens to `port` and hands every message, a list of bytes, to `handle`, in a thread of its own.

    RtMidi collects the messages in its own queue and we look into it every POLL_SECONDS: a Python callback would make JACK's
    process thread wait for the interpreter lock. NoizestreamError if the port does not open.
    """

    def __init__(self, port: MidiPort, handle: Callable[[Sequence[int]], None]):
        rtmidi = _rtmidi()
        self.port, self._handle = port, handle
        try:
            with quiet_stderr():
                self._client = rtmidi.MidiIn(rtapi=port.api, name=CLIENT, queue_size_limit=QUEUE)
                self._client.set_error_callback(lambda *problem: None)
                self._client.open_port(port.number, "midi in")
        except Exception as error:
            raise NoizestreamError(f"{port.name}: the MIDI port does not open ({error}); try another -m") from None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="midi", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ending.wait(POLL_SECONDS):
            # A port that goes away must not end the music: whatever RtMidi raises, keep looking.
            with contextlib.suppress(Exception):
                while (entry := self._client.get_message()) is not None:
                    self._handle(entry[0])

    def close(self) -> None:
        """Stop listening and leave the MIDI system."""
        self._ending.set()
        self._thread.join(timeout=1.0)
        with quiet_stderr(), contextlib.suppress(Exception):
            self._client.close_port()
            self._client.delete()
