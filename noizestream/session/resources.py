"""What a session has open while it plays: shared memory, workers, audio output, MIDI port, recorder; together, and apart again.

Imports no torch and no library for audio or MIDI: processes of their own do (docs/decisions/0001-the-callback-pulls.md).
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from noizestream.control.midi_map import MidiMap
from noizestream.control.state import LiveState
from noizestream.devices.audio_process import Found, Opened
from noizestream.devices.midi_process import MidiProcess
from noizestream.realtime.output_bus import OutputBus
from noizestream.realtime.ring import Ring
from noizestream.realtime.stats import statistics
from noizestream.session.events import DeviceLost, DevicePlaysAgain, Event, Notice, PeriodChanged, Started
from noizestream.session.osc import OscControl
from noizestream.session.output import OutputSession
from noizestream.session.players import Players
from noizestream.session.recorder import TAP_S, Recorder
from noizestream.session.request import SessionRequest
from noizestream.session.status import Device, SessionStatus, controls_of

TAP_SAMPLES = round(TAP_S * 48000 * 2)
FADE_OUT_S = 0.5
"""A fade that takes longer is not waited for: a device that has gone calls nobody back."""


class Resources:
    """All that is open for `request`, whose `models` are files. `with Resources(...)` opens it; at the end `results` is complete.

    `state` and `midi_map` say what MIDI does. `tell` takes events, from several threads. `prime_audio`, float32 [channels, n] at
    the first model's rate, is what its music goes on from.
    """

    bus: OutputBus

    def __init__(
        self,
        request: SessionRequest,
        state: LiveState,
        midi_map: MidiMap,
        tell: Callable[[Event], None],
        prime_audio: np.ndarray | None = None,
    ):
        self.request, self.state, self.midi_map, self._tell = request, state, midi_map, tell
        self.players = Players(request, state, self._put, tell, prime_audio)
        self.output = OutputSession(request.device, request.device_latency, state, self.players, self)
        self.midi: MidiProcess | None = None
        self.osc = None if request.osc is None else OscControl(request.osc, state, self._notice)
        self.recorder: Recorder | None = None
        self.results: dict[str, Any] = {}
        self._started = self._ended = 0.0
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> "Resources":
        with contextlib.ExitStack() as stack:
            self.bus = OutputBus.create(0, TAP_SAMPLES if self.request.record else 0)
            stack.callback(self.bus.close)
            stack.callback(self._collect)  # complete whatever fails on the way
            stack.callback(self.players.close)
            virtual, lost = self.request.virtual, self.midi_map.held.let_go
            self.midi = MidiProcess(self.request.midi, self._hear, self._notice, lost, virtual=virtual).open()
            stack.callback(self.midi.close)
            if self.osc is not None:
                stack.enter_context(self.osc.process)
            self.output.open(self.bus)
            stack.callback(self.output.close)
            stack.callback(self._end_recording)
            self.midi.wait()
            if self.osc is not None:
                self.osc.process.wait()
            self._closing = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Fade out, then close all in an order in which nothing is used after it has gone."""
        with self._closing:
            self._ended = time.monotonic()
            self.state.disconnect()
            if self.output.playing:
                self.players.stop()
                while not self.players.silent and time.monotonic() < self._ended + FADE_OUT_S:
                    time.sleep(0.002)

    def start(self) -> bool:
        """Take one step towards the first sound; return whether it sounds. What is wrong here is raised; later it would not be."""
        self.output.start()
        if self.output.playing:
            self._started = time.monotonic()
        return self.output.playing

    def tick(self) -> None:
        """Look after everything, as it has to be 20 times a second; NoizestreamError when the music cannot go on."""
        if self.output.playing:
            self.players.tick()
        self.output.tick()
        if self.midi is not None:
            self.midi.tick()
        if self.osc is not None:
            self.osc.process.tick()

    def status(self, sounds: bool = False) -> SessionStatus:
        """What holds now (`sounds`: in a moment); the peak is that since the last call. Only from the thread that calls `tick`."""
        playing = sounds or self.output.playing
        found, opened = self.output.found, self.output.opened
        device = None
        if found is not None and opened is not None:
            name, host = found.device.name, found.device.host
            device = Device(name, host, found.rate, found.channels, self.players.period, opened.compiled)
        worker = self.players.worker if playing else None
        ring = worker.ring if worker else None
        status = SessionStatus(
            **controls_of(self.state),
            playing=playing,
            seconds=time.monotonic() - self._started if self._started else 0.0,
            precision=str(worker.settings.get("precision", "float32")) if worker else "float32",
            loading=self.players.loading,
            device=device,
            latency=self.output.latency,
            peak=self.bus.peak(),
            ring_ms=1e3 * ring.fill() / self.players.rate if ring else 0.0,
            load=ring.worker.load if ring else 0.0,
            underruns=self.players.underruns,
            device_losses=self.output.losses,
            midi_port=self.midi.port if self.midi else None,
            midi_messages=self.midi_map.messages,
            midi_ignored=self.midi_map.ignored + self.state.refused,
            midi_errors=self.midi.errors if self.midi else 0,
            midi_losses=self.midi.losses if self.midi else 0,
            osc=self.osc.process.place if self.osc else None,
            osc_messages=self.osc.messages if self.osc else 0,
            osc_refused=self.osc.refused if self.osc else 0,
            recording=bool(self.bus.recorder.tap_on),
            recorded_s=self.recorder.seconds if self.recorder else 0.0,
        )
        if self.osc is not None:
            self.osc.show(status)
        return status

    # --- what the device says (output.Listener) ---------------------------------------------------------------------------------

    def device_found(self, found: Found) -> None:
        """What is recorded from now on is shaped as `found`."""
        if self.recorder is not None:
            self.recorder.shape(found.rate, found.channels)

    def device_plays(self, found: Found, opened: Opened) -> None:
        """Begin to record, and tell that the device sounds."""
        if self.request.record is not None and self.recorder is None:
            self.recorder = Recorder(Path(self.request.record), self.bus, found.rate, found.channels, self._tell).open()
        status = self.status(sounds=True)
        self._tell(DevicePlaysAgain(status) if self.output.losses else Started(status))

    def device_changed(self, period: int) -> None:
        """Tell the new period."""
        self._tell(PeriodChanged(period, self.output.latency.ring if self.output.latency else 0.0))

    def device_lost(self, found: Found) -> None:
        """Tell it; nobody hears of changes until a device plays."""
        self._tell(DeviceLost(found.device.name))
        self.state.disconnect()
        if self.midi is not None and "jack" in found.device.host.lower():
            self.midi.server_died()

    # --- what the others say ----------------------------------------------------------------------------------------------------

    def _put(self, slot: int, ring: Ring | None) -> None:
        self.output.put(slot, ring)

    def _hear(self, message: Sequence[int]) -> None:
        action = self.midi_map.translate(message, time.monotonic())
        if action is not None:
            self.state.apply(action)

    def _notice(self, line: str) -> None:
        self._tell(Notice(line))

    def _end_recording(self) -> None:
        if self.recorder is not None:
            self.recorder.end()

    def _collect(self) -> None:
        """The statistics of `--stats`: the workers', and what only this process knows."""
        totals = self.players.totals()
        latency = self.output.latency
        rate = self.players.rate or self.state.metadata.sample_rate
        self.results = statistics(
            totals,
            self.state.metadata,
            audio_latency_ms=round(latency.device, 2) if latency else None,
            control_latency_ms=round(latency.control, 2) if latency else None,
            midi_messages=self.midi_map.messages,
        ) | {
            "seconds": round(self._ended - self._started, 3) if self._started else 0.0,
            "midi_ignored": self.midi_map.ignored + self.state.refused,
            "missed_ms": round(1e3 * totals.missed / rate, 1),
            "device_underflows": self.bus.callback.device_underflows,
            "device_rate": rate,
            "period_frames": self.players.period,
            "ring_ms": round(latency.ring, 2) if latency else None,
            "device_losses": self.output.losses,
            "midi_losses": self.midi.losses if self.midi else 0,
            "midi_errors": self.midi.errors if self.midi else 0,
            "midi_restarts": self.midi.restarts if self.midi else 0,
            "osc_messages": self.osc.messages if self.osc else 0,
            "osc_refused": self.osc.refused if self.osc else 0,
            "osc_errors": self.osc.process.errors if self.osc else 0,
            "osc_restarts": self.osc.process.restarts if self.osc else 0,
            "worker_restarts": self.players.restarts,
            "model_switches": self.players.switches,
            "recorded_s": round(self.recorder.seconds, 3) if self.recorder else None,
            "record_lost_ms": round(self.recorder.lost_ms, 1) if self.recorder else None,
        }
