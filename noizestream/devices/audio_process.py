"""The audio process: it owns PortAudio and the callback, and nothing else. And the main process's handle on it.

PortAudio lists devices once, and when a JACK server dies it blocks for ten minutes in closing the stream. So a device that has
gone is left behind with its whole process, and a new process looks for the next; a driver that crashes takes no music with it.

    main process                       audio process
    Sound(asked, ...)     --spawn-->   looks for the device; `patient`: until there is one
    poll() -> Found       <--pipe---   the device, the rate and the channels it will be opened with
    open(bus, rings)    --pipe--->   opens it; the callback plays the rings from shared memory
    poll() -> Opened      <--pipe---
    put(deck, ring)       --pipe--->   another ring on a deck (the memory of the one before lives here as long as it is used)
    close()               --pipe--->   ends; also when the main process dies
"""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

from noizestream.devices import portaudio
from noizestream.devices.portaudio import NoAudioDevice, OutputDevice
from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import OutputBus
from noizestream.realtime.process import ignore_signals, spawn
from noizestream.realtime.ring import Ring
from noizestream.system.stderr import silence_stderr

LOOK_S = 0.5
"""How often a patient process looks whether a device is there."""

LOOK_ASIDE_S = 3.0
"""The same while another device plays: to list what is there stirs all sound systems."""

FALLBACK_S = 4.0
"""So long it waits for the device that was asked for by name; then it takes the default one."""

LOST_S = 3.0
"""A device that has not asked for sound for so long has gone."""

ERRORS = {kind.__name__: kind for kind in (NoizestreamError, NoAudioDevice)}


@dataclass(frozen=True)
class Found:
    """A device, and how it will be opened."""

    device: OutputDevice
    rate: int
    channels: int


@dataclass(frozen=True)
class Opened:
    """It is open. `latency_s` from the callback to the connector; `compiled` as in `audio.Output`."""

    latency_s: float
    compiled: bool


class Sound:
    """Starts looking for the device `asked` (None: the default) at once. `close` it at the end."""

    def __init__(
        self, asked: str | None, rate: int, channels: int, latency: str = "low", patient: bool = False, aside: bool = False
    ):
        """`rate` and `channels` are the model's. Not `patient`: `poll` raises at once where there is no such device.

        `aside`: another device plays meanwhile, so this one is waited for at leisure, and no default is taken in its place.
        """
        self._pipe, self._process = spawn(_run, "audio", asked, rate, channels, latency, patient, aside, os.getpid())
        self._bus: OutputBus | None = None
        self._calls, self._looked, self._silent_s = -1, 0.0, 0.0
        self._is_open = False

    def poll(self, timeout_s: float = 0.0) -> Found | Opened | None:
        """Return what it has to say, None: nothing yet. NoizestreamError (NoAudioDevice) when it cannot go on."""
        try:
            if not self._pipe.poll(timeout_s):
                return None
            message = self._pipe.recv()
        except (EOFError, OSError):
            raise NoizestreamError("the audio process ended unexpectedly") from None
        if isinstance(message, tuple):
            raise ERRORS[message[0]](message[1])
        if isinstance(message, Opened):
            self._is_open, self._looked = True, time.monotonic()
        return message

    def open(self, bus: OutputBus, rings: Mapping[int, Ring]) -> None:
        """Open the device that was found, with `rings` on their decks."""
        self._bus = bus
        self._calls = bus.callback.callbacks
        decks = [(deck, ring.memory.name, ring.layout) for deck, ring in rings.items()]
        self._send(("open", bus.memory.name, bus.layout, decks))

    def put(self, model_slot: int, ring: Ring | None) -> None:
        """Play `ring` in `model_slot`; None takes off what is there."""
        self._send(("put", model_slot, *((ring.memory.name, ring.layout) if ring else (None, None))))

    @property
    def lost(self) -> bool:
        """True when the open device has stopped asking for sound, or its process has ended."""
        if self._bus is None:
            return False
        calls, now = self._bus.callback.callbacks, time.monotonic()
        if calls != self._calls or not self._is_open:
            self._silent_s = 0.0
        else:  # where this process was held up too, the whole machine was: that says nothing about the device
            self._silent_s += min(now - self._looked, LOST_S / 4)
        self._calls, self._looked = calls, now
        return self._silent_s > LOST_S or not self._process.is_alive()

    def close(self, gone: bool = False) -> None:
        """End the process, by force where it does not end or its device has `gone`. After that the rings may be closed."""
        if not gone:
            self._send(("close",))
            self._process.join(1.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()

    def _send(self, message: tuple) -> None:
        with contextlib.suppress(OSError, ValueError):  # it has ended: `lost` will say so
            self._pipe.send(message)


def _run(
    pipe: Connection, asked: str | None, rate: int, channels: int, latency: str, patient: bool, aside: bool, parent: int
) -> None:
    """The audio process from start to end."""
    ignore_signals()
    silence_stderr()  # what C libraries print; our own errors go through the pipe
    try:
        found = _look(pipe, asked, rate, channels, patient, aside, parent)
        if found is not None:
            pipe.send(found)
            _serve(pipe, found, latency, parent)
    except NoizestreamError as error:
        kind = type(error).__name__ if type(error).__name__ in ERRORS else "NoizestreamError"
        _tell(pipe, (kind, str(error)))
    except Exception as error:
        _tell(pipe, ("NoizestreamError", f"the audio process failed ({type(error).__name__}: {error})"))
    os._exit(0)  # past PortAudio's own end, which may block on a device that has gone


def _tell(pipe: Connection, message: tuple) -> None:
    with contextlib.suppress(OSError):
        pipe.send(message)


def _look(pipe: Connection, asked: str | None, rate: int, channels: int, patient: bool, aside: bool, parent: int) -> Found | None:
    """The device; None when the main process needs none any more."""
    began = time.monotonic()
    while True:
        try:
            # A number may mean another device by now; and one that was asked for may be gone for good.
            waited = not aside and time.monotonic() - began > FALLBACK_S
            device = portaudio.find_output(None if patient and waited else asked)
            return Found(device, portaudio.playing_rate(device, rate), portaudio.playing_channels(device, channels))
        except NoizestreamError:
            if not patient:
                raise
        if pipe.poll(LOOK_ASIDE_S if aside else LOOK_S) or os.getppid() != parent:
            return None
        portaudio.forget()


def _serve(pipe: Connection, found: Found, latency: str, parent: int) -> None:
    """Open the device when told to, and change rings as told, until told to end."""
    with contextlib.suppress(ImportError):
        from noizestream.devices import callback

        callback.compiled()  # while the model is being loaded
    output, bus = None, None
    while os.getppid() == parent:
        if not pipe.poll(0.5):
            if output is not None and not output.active:
                return
            continue
        what, *rest = pipe.recv()
        if what == "close":
            if output is not None:
                output.close()
            return
        if what == "open":
            name, layout, decks = rest
            bus = OutputBus.attach(name, layout, "callback")
            output = portaudio.Output(found.device, bus, found.rate, latency)
            for deck, ring_name, ring_layout in decks:
                output.put(deck, Ring.attach(ring_name, ring_layout, "callback"))
            pipe.send(Opened(output.latency_s, output.compiled))
        elif output is not None:
            deck, ring_name, ring_layout = rest
            try:
                ring = Ring.attach(ring_name, ring_layout, "callback") if ring_name else None
            except FileNotFoundError:  # it was replaced again meanwhile
                ring = None
            output.put(deck, ring)
    os._exit(0)  # with the rings still mapped: the device does not know yet that nobody is there, and goes on to ask for sound
