"""The audio device of a session, from being looked for until it plays, and again whenever it has gone.

    LOOKING --- device found ---> PREPARING --- model ready ---> OPENING --- opened ---> SETTLING --- period known ---> PLAYING
       ^                            ^                                                                                      |
       '----------------------------+-------------- the device is lost, or does not open ----------------------------------+
                                    '--- LEAVING <---- the device that was asked for is back, while another plays in its place

Nothing here waits: every `tick` takes the one step that can be taken now.
"""

import contextlib
import enum
import time
from typing import Protocol

from noizestream.control.state import LiveState
from noizestream.devices.audio_process import LOOK_ASIDE_S, AudioProcess, DeviceRequest, Found, Opened
from noizestream.devices.midi_process import POLL_SECONDS
from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import OutputBus
from noizestream.realtime.ring import Ring
from noizestream.session.players import Players
from noizestream.session.status import Latency

AGAIN_S = 1.0
"""Pause before a device that did not open is tried again."""


SETTLED = 3
"""Bursts: with the third the second is over. The first may fill the device's whole buffer."""


class Phase(enum.Enum):
    """Where the output session is on its way to sound; the picture above has the ways between them."""

    LOOKING = enum.auto()
    PREPARING = enum.auto()
    OPENING = enum.auto()
    SETTLING = enum.auto()
    PLAYING = enum.auto()
    LEAVING = enum.auto()


class Listener(Protocol):
    """Who is told what happens to the device."""

    def device_found(self, found: Found) -> None:
        """It will be opened so; nothing plays now."""

    def device_plays(self, found: Found, opened: Opened) -> None:
        """Its period and the latencies are known; it sounds from now on."""

    def device_changed(self, period: int) -> None:
        """It asks for more frames at once than it did; the latencies are others."""

    def device_lost(self, found: Found) -> None:
        """It does not ask for sound any more; it is looked for again."""


class OutputSession:
    """Brings `players` to sound on the device `asked` (None: the default), with its `low` or `high` latency, once it is opened."""

    bus: OutputBus
    sound: AudioProcess

    def __init__(self, asked: str | None, latency_option: str, state: LiveState, players: Players, listener: Listener):
        self.asked, self.latency_option = asked, latency_option
        self.state, self.players, self._listener = state, players, listener
        self.found: Found | None = None
        self.latency: Latency | None = None
        self.losses = 0
        self._first_device = ""  # its name: what is looked for when it goes, whatever played in between
        self._phase, self._bursts, self._again = Phase.LOOKING, 0, 0.0
        self.opened: Opened | None = None
        self._back: Found | None = None
        self._scout: AudioProcess | None = None  # looks for the device that was asked for, while another plays

    def open(self, bus: OutputBus) -> None:
        """Begin to look for the device, to play through `bus`; NoizestreamError if no process can be started."""
        self.bus, self.sound = bus, self._new_sound(self.asked)

    @property
    def playing(self) -> bool:
        """Whether the device asks for sound."""
        return self._phase == Phase.PLAYING

    def put(self, slot: int, ring: Ring | None) -> None:
        """Play `ring` in the model slot `slot`, if anything plays; None takes out what is there."""
        if self.playing:
            self.sound.put(slot, ring)

    def close(self) -> None:
        """Leave the device."""
        self._dismiss()
        self.sound.close(gone=not self.playing)

    def start(self) -> None:
        """Take one step towards the first sound. What is wrong here is raised (NoAudioDevice); later it would not be."""
        self._bring_back()

    def tick(self) -> None:
        """Notice that the device has gone, or bring back one that had."""
        if self._phase in (Phase.PLAYING, Phase.LEAVING):
            if self.sound.lost:
                self._lose()
            elif self.playing and self.bus.callback.period > self.players.period:
                self._fit()
                self._listener.device_changed(self.players.period)
            elif self._scout is not None:
                self._return()
            elif self._elsewhere and time.monotonic() >= self._again:
                self._send_out()
        elif time.monotonic() >= self._again:
            try:
                self._bring_back()
            except NoizestreamError:
                self._look_again()

    def _new_sound(self, asked: str | None, patient: bool = False, aside: bool = False) -> AudioProcess:
        channels = max(model.channels for model in self.state.models)
        rate = self.state.metadata.sample_rate
        return AudioProcess(DeviceRequest(asked, rate, channels, self.latency_option, patient, aside)).open()

    def _lose(self) -> None:
        assert self.found is not None
        self.losses += 1
        self._listener.device_lost(self.found)
        self._look_again()
        self._again = 0.0

    def _look_again(self) -> None:
        """With a new audio process; the one before is stuck in a device that is no more."""
        self._dismiss()
        self.sound.close(gone=True)
        self._phase, self._again = Phase.LOOKING, time.monotonic() + AGAIN_S
        with contextlib.suppress(NoizestreamError):  # the system gives none now: the closed one says so, and this comes again
            self.sound = self._new_sound(self._first_device, patient=True)

    def _return(self) -> None:
        """Leave the device that plays, with a fade, once the one that was asked for is there."""
        assert self._scout is not None
        if self._phase == Phase.PLAYING:
            try:
                found = self._scout.poll()
            except NoizestreamError:  # it has ended: another is sent
                self._dismiss()
                self._again = time.monotonic() + LOOK_ASIDE_S
                return
            if isinstance(found, Found):
                self._back, self._phase = found, Phase.LEAVING
                self.state.disconnect()
                self.players.stop()
        elif self.players.silent:
            self.sound.close()
            self.sound, self._scout = self._scout, None
            assert self._back is not None
            self._prepare(self._back)

    @property
    def _elsewhere(self) -> bool:
        """Whether another device plays in place of the one that was asked for."""
        return self.asked is not None and self.found is not None and self.found.device.name != self._first_device

    def _send_out(self) -> None:
        """Have a process of its own look for the device that was asked for, at leisure."""
        self._again = time.monotonic() + LOOK_ASIDE_S
        with contextlib.suppress(NoizestreamError):  # the system gives none now; it is asked again
            self._scout = self._new_sound(self._first_device, patient=True, aside=True)

    def _dismiss(self) -> None:
        scout, self._scout = self._scout, None
        if scout is not None:
            scout.close(gone=True)

    def _prepare(self, found: Found) -> None:
        self.found, self._phase = found, Phase.PREPARING
        self._first_device = self._first_device or found.device.name
        self.players.shape(self.bus, found.rate, found.channels, 2 * found.device.high_latency_s)
        self._listener.device_found(found)

    def _bring_back(self) -> None:
        """Take one step towards PLAYING, if it can be taken now. NoizestreamError if it never can."""
        if self._phase == Phase.LOOKING:
            found = self.sound.poll()
            if isinstance(found, Found):
                self._prepare(found)
        elif self._phase == Phase.PREPARING:
            if self.players.ready():
                self._bursts = self.bus.callback.bursts
                self.sound.open_device(self.bus, self.players.rings())
                self._phase = Phase.OPENING
        elif self._phase == Phase.OPENING:
            opened = self.sound.poll()
            if isinstance(opened, Opened):
                self.opened, self._phase = opened, Phase.SETTLING
        elif self.bus.callback.bursts >= self._bursts + SETTLED:
            self._sound()
        if self.sound.lost:
            raise NoizestreamError("the audio device does not ask for sound; try another -d")

    def _sound(self) -> None:
        """The device is open and its period known: let it sound."""
        assert self.found is not None and self.opened is not None
        self._fit()
        self._listener.device_plays(self.found, self.opened)
        self.players.play()
        self._phase = Phase.PLAYING

    def _fit(self) -> None:
        """Fit the rings to the period of the device, and add up the latencies in ms.

        `control` is the way of a change: a MIDI message is found at the next poll; what follows the period that is played next is
        made again, from the next block on; the device adds its own latency, the model what it looks ahead.
        """
        assert self.found is not None and self.opened is not None
        self.players.settle(self.bus.callback.period, round(self.opened.latency_s * self.found.rate))
        model = self.state.metadata
        self.latency = Latency(
            midi=1e3 * POLL_SECONDS,
            change=1e3 * self.players.worker.change_frames / self.found.rate,
            device=1e3 * self.opened.latency_s,
            model=1e3 * model.latency_frames / model.sample_rate,
            ring=1e3 * self.players.worker.ring.main.target / self.found.rate,
        )
