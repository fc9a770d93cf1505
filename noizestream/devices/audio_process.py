"""The audio process: it owns PortAudio and the callback, and nothing else. And the main process's handle on it.

PortAudio lists devices once, and when a JACK server dies it blocks for ten minutes in closing the stream. So a device that has
gone is left behind with its whole process, and a new process looks for the next; a driver that crashes takes no music with it.

    main process                             audio process
    AudioProcess(request).open() --spawn-->  looks for the device; `patient`: until there is one
    poll() -> Found              <--pipe---  the device, the rate and the channels it will be opened with
    open_device(bus, rings)      --pipe--->  opens it; the callback plays the rings from shared memory
    poll() -> Opened             <--pipe---
    put(slot, ring)              --pipe--->  another ring in a slot (the memory of the one before lives here as long as it is used)
    close()                      --pipe--->  ends; also when the main process dies
"""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

from noizestream.devices import portaudio
from noizestream.devices.portaudio import OutputDevice
from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import OutputBus, OutputBusLayout
from noizestream.realtime.parent import Parent, ParentEnded
from noizestream.realtime.process import ENDING_S, ChildProcess, Close, Failure
from noizestream.realtime.ring import Ring, RingLayout
from noizestream.system.stderr import silence_stderr

LOOK_S = 0.5
"""How often a patient process looks whether a device is there."""

LOOK_ASIDE_S = 3.0
"""The same while another device plays: to list what is there stirs all sound systems."""

FALLBACK_S = 4.0
"""So long it waits for the device that was asked for by name; then it takes the default one."""

LOST_S = 3.0
"""A device that has not asked for sound for so long has gone."""


@dataclass(frozen=True)
class DeviceRequest:
    """The device `asked` for (None: the default) by a model of `rate` Hz and `channels`, with PortAudio's low or high `latency`.

    `patient`: it is waited for; otherwise it is an error that there is none. `aside`: another device plays meanwhile, so it is
    waited for at leisure, and no default is taken in its place.
    """

    asked: str | None
    rate: int
    channels: int
    latency: str = "low"
    patient: bool = False
    aside: bool = False


@dataclass(frozen=True)
class Found:
    """A device, and how it will be opened: at `rate` Hz with `channels`."""

    device: OutputDevice
    rate: int
    channels: int


@dataclass(frozen=True)
class PutRing:
    """The ring to play in a slot of the output bus: the name of its memory, None for nothing, and its layout."""

    slot: int
    name: str | None = None
    layout: RingLayout | None = None

    @classmethod
    def of(cls, slot: int, ring: Ring | None) -> "PutRing":
        """Return the message that puts `ring` into `slot`; None takes off what is there."""
        return cls(slot) if ring is None else cls(slot, ring.memory.name, ring.layout)

    def attach(self) -> Ring | None:
        """Return the ring, mapped into this process, or None; FileNotFoundError if it is there no more."""
        return Ring.attach(self.name, self.layout, "callback") if self.name and self.layout else None


@dataclass(frozen=True)
class OpenDevice:
    """The device that was found is to be opened, and to play the `rings` on the output bus of that name."""

    bus: str
    layout: OutputBusLayout
    rings: tuple[PutRing, ...]


@dataclass(frozen=True)
class Opened:
    """The device is open: `latency_s` seconds from the callback to the connector; `compiled` as in `portaudio.Output`."""

    latency_s: float
    compiled: bool


class AudioProcess(ChildProcess[Found | Opened | Failure]):
    """Looks for the device of `request`, and plays on it. Open it at the start, and close it at the end."""

    def __init__(self, request: DeviceRequest):
        super().__init__(_run, "audio", request)
        self._bus: OutputBus | None = None
        self._calls, self._looked, self._silent_s = -1, 0.0, 0.0
        self._plays = False

    def poll(self, timeout_s: float | None = 0.0) -> Found | Opened | None:
        """Return what the process has found or opened, waiting `timeout_s` seconds at most; None if it says nothing.

        NoizestreamError (NoAudioDevice) when it cannot go on, or has ended.
        """
        message = super().poll(timeout_s)
        if isinstance(message, Failure):
            raise message.error
        if isinstance(message, Opened):
            self._plays, self._looked = True, time.monotonic()
        return message

    def open_device(self, bus: OutputBus, rings: Mapping[int, Ring]) -> None:
        """Open the device that was found, to play `rings` in their slots of `bus`; `poll` returns Opened when it is."""
        self._bus = bus
        self._calls = bus.callback.callbacks
        puts = tuple(PutRing.of(slot, ring) for slot, ring in rings.items())
        self.send(OpenDevice(bus.memory.name, bus.layout, puts))

    def put(self, slot: int, ring: Ring | None) -> None:
        """Play `ring` in `slot`; None takes off what is there."""
        self.send(PutRing.of(slot, ring))

    @property
    def lost(self) -> bool:
        """True when the open device has stopped asking for sound, or its process has ended."""
        if self._bus is None:
            return False
        calls, now = self._bus.callback.callbacks, time.monotonic()
        if calls != self._calls or not self._plays:
            self._silent_s = 0.0
        else:  # where this process was held up too, the whole machine was: that says nothing about the device
            self._silent_s += min(now - self._looked, LOST_S / 4)
        self._calls, self._looked = calls, now
        return self._silent_s > LOST_S or not self.alive

    def close(self, timeout_s: float = ENDING_S, gone: bool = False) -> None:
        """End the process, by force after `timeout_s` seconds, or at once where its device has `gone`.

        After that the rings may be closed.
        """
        if gone:
            self.kill()
        super().close(timeout_s)


def _run(parent: Parent, request: DeviceRequest) -> None:
    """The audio process from start to end."""
    silence_stderr()  # what C libraries print; our own errors go through the pipe
    try:
        found = _look(parent, request)
        if found is not None:
            parent.send(found)
            _serve(parent, found, request.latency)
    except ParentEnded:
        os._exit(0)  # with the rings still mapped: the device does not know yet that nobody is there, and goes on to ask for sound
    except Exception as error:
        parent.send(Failure.of(error, f"the audio process failed ({type(error).__name__}: {error})"))
    os._exit(0)  # past PortAudio's own end, which may block on a device that has gone


def _look(parent: Parent, request: DeviceRequest) -> Found | None:
    """The device; None when the main process needs none any more."""
    began = time.monotonic()
    while True:
        try:
            # A number may mean another device by now; and one that was asked for may be gone for good.
            waited = not request.aside and time.monotonic() - began > FALLBACK_S
            device = portaudio.find_output(None if request.patient and waited else request.asked)
            rate, channels = portaudio.playing_rate(device, request.rate), portaudio.playing_channels(device, request.channels)
            return Found(device, rate, channels)
        except NoizestreamError:
            if not request.patient:
                raise
        if parent.receive(LOOK_ASIDE_S if request.aside else LOOK_S) is not None:
            return None
        portaudio.forget()


def _serve(parent: Parent, found: Found, latency: str) -> None:
    """Open the device when told to, and change rings as told, until told to end."""
    with contextlib.suppress(ImportError):
        from noizestream.devices import callback

        callback.compiled()  # while the model is being loaded
    output: portaudio.Output | None = None
    while True:
        message = parent.receive(0.5)
        if isinstance(message, OpenDevice):
            bus = OutputBus.attach(message.bus, message.layout, "callback")
            output = portaudio.Output(found.device, bus, found.rate, latency).open()
            for put in message.rings:
                output.put(put.slot, put.attach())
            parent.send(Opened(output.latency_s, output.compiled))
        elif output is None:
            if isinstance(message, Close):
                return
        elif isinstance(message, PutRing):
            try:
                ring = message.attach()
            except FileNotFoundError:  # it was replaced again meanwhile
                ring = None
            output.put(message.slot, ring)
        elif isinstance(message, Close):
            output.close()
            return
        elif not output.active:
            return
