"""A performance: connects models, audio device, MIDI port, recorder and screen, keeps them together, and takes them apart again.

Imports no torch and no library for audio or MIDI: processes of their own do (docs/decisions/0001-the-callback-pulls.md).
"""

import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.control.chord_keys import ChordKeys
from noizestream.control.midi_map import MidiMap
from noizestream.control.parameters import TEMPERATURE, TEMPO
from noizestream.control.state import LiveState
from noizestream.devices.audio_process import Found, Opened
from noizestream.devices.midi_process import MidiInput
from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import OutputBus
from noizestream.realtime.ring import Ring
from noizestream.realtime.stats import statistics
from noizestream.session.interrupts import Interrupts
from noizestream.session.output import OutputSession
from noizestream.session.players import Players
from noizestream.session.recorder import TAP_S, Recorder
from noizestream.ui.announcement import again, announcement
from noizestream.ui.screen import SCREEN_HZ, Screen
from noizestream.ui.status import Status

TICK_S = 0.05
STARTING_TICK_S = 0.005
START_TIMEOUT_S = 90.0

TAP_SAMPLES = round(TAP_S * 48000 * 2)


class Session:
    """One `play`, from its start to its statistics: `results` is complete after `play` has returned or raised.

    `device` and `midi` are what the user asked for, None for the defaults. `kept_s` seconds of sound are kept ready in the ring;
    `exact` allows as little of it as can be played at all; `relaxed` asks the device for its high latency; `record` names a WAV.
    `heard`, float32 [channels, n] at the first model's rate, is what its music goes on from. `chord_keys` name chords.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        state: LiveState,
        device: str | None,
        midi: str | None,
        kept_s: float,
        exact: bool = False,
        relaxed: bool = False,
        seed: int = 0,
        record: Path | None = None,
        heard: np.ndarray | None = None,
        chord_keys: ChordKeys | None = None,
    ):
        self.state, self.asked_device, self.asked_midi, self.record = state, device, midi, record
        self.latency_option = "high" if relaxed else "low"
        self.midi_map = MidiMap(max(len(model.genres) for model in state.models), chord_keys=chord_keys)
        self.bus = OutputBus.create(0, TAP_SAMPLES if record else 0)
        self.players = Players(paths, state, kept_s, seed, self._put, self._say, exact, heard)
        self.screen = Screen(False)
        self.output: OutputSession | None = None
        self.recorder: Recorder | None = None
        self.midi: MidiInput | None = None
        self.results: dict[str, Any] = {}
        self._started = self._ended = 0.0

    def play(self, interrupts: Interrupts, seconds: float | None, status_line: bool) -> bool:
        """Play for `seconds` (None: until interrupted); return whether it was interrupted.

        NoAudioDevice where there is none at the start, NoizestreamError where the music cannot go on.
        """
        sys.setswitchinterval(0.001)  # a busy thread may keep MIDI waiting for 1 ms at a time, not 5
        interrupted = False
        self.screen = Screen(status_line)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.screen)
            stack.callback(self._take_apart)
            try:
                self._start()
                interrupts.gently()
                self._started = time.monotonic()
                interrupted = self._watch(interrupts, None if seconds is None else self._started + seconds)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                interrupts.gently()
                self._fade_out()
        return interrupted

    @property
    def sounded(self) -> bool:
        """Whether there was anything to count: an error before the first sound leaves nothing."""
        return bool(self.results) and self.results["blocks"] > 0

    # --- start and end ----------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Until the first sound. What is wrong here ends it with an error; later it would not."""
        self.midi = MidiInput(self.asked_midi, self._hear, self._say, self.midi_map.held.let_go)
        self.output = OutputSession(self.asked_device, self.latency_option, self.state, self.players, self.bus, self)
        self.midi.wait()
        end = time.monotonic() + START_TIMEOUT_S
        while not self.output.playing:
            self.output.start()
            if time.monotonic() > end:
                raise NoizestreamError(f"the music does not start within {START_TIMEOUT_S:g} s; is the machine overloaded?")
            time.sleep(STARTING_TICK_S)

    def _fade_out(self) -> None:
        self._ended = time.monotonic()
        self.state.disconnect()
        if self.output is not None and self.output.playing:
            self.players.stop()
            while not self.players.silent and time.monotonic() < self._ended + 0.5:  # a device that has gone calls nobody back
                time.sleep(0.002)

    def _take_apart(self) -> None:
        """In an order in which nothing is used after it has gone. The statistics are complete whatever fails on the way."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.bus.close)
            stack.callback(self._collect)
            stack.callback(self.players.close)
            if self.output is not None:
                stack.callback(self.output.close)
            if self.midi is not None:
                stack.callback(self.midi.close)
            if self.recorder is not None:
                stack.callback(self.recorder.end)

    # --- while it plays ---------------------------------------------------------------------------------------------------------

    def _watch(self, interrupts: Interrupts, end: float | None) -> bool:
        """Look after everything until `end` (monotonic seconds, None: for ever) or an interrupt; return whether it was one."""
        assert self.output is not None
        shown = 0.0
        while end is None or time.monotonic() < end:
            if interrupts.wait(TICK_S if end is None else min(TICK_S, max(end - time.monotonic(), 0.0))):
                return True
            if self.output.playing:
                self.players.tick()
            self.output.tick()
            if self.midi is not None:
                self.midi.tick()
            if time.monotonic() - shown >= 1 / SCREEN_HZ:
                shown = time.monotonic()
                self.screen.show(self._status())
        return False

    def device_found(self, found: Found) -> None:
        """Of `stage.Listener`: what is recorded from now on is shaped so."""
        if self.recorder is not None:
            self.recorder.shape(found.rate, found.channels)

    def device_plays(self, found: Found, opened: Opened) -> None:
        """Of `stage.Listener`: announce it, and begin to record."""
        if self.record is not None and self.recorder is None:
            self.recorder = Recorder(self.record, self.bus, found.rate, found.channels, self._say)
        self._announce(found, opened)

    def device_changed(self, period: int) -> None:
        """Of `stage.Listener`: say so."""
        assert self.output is not None
        self._say(f"the device asks for {period} frames at once now; {self.output.latency['ring']:.0f} ms of sound kept ready")

    def device_lost(self, found: Found) -> None:
        """Of `stage.Listener`: say so; nobody hears of changes until a device plays."""
        self._say(f"{found.device.name}: the audio device is gone; the music waits for it")
        self.state.disconnect()
        if self.midi is not None and "jack" in found.device.host.lower():
            self.midi.server_died()

    def _put(self, deck: int, ring: Ring | None) -> None:
        if self.output is not None:
            self.output.put(deck, ring)

    def _hear(self, message: Sequence[int]) -> None:
        action = self.midi_map.translate(message, time.monotonic())
        if action is not None:
            self.state.apply(action)

    # --- what is said -----------------------------------------------------------------------------------------------------------

    def _say(self, line: str) -> None:
        self.screen.say(line)

    def _announce(self, found: Found, opened: Opened) -> None:
        assert self.output is not None
        if self.output.losses:
            lines = again(self.state.metadata, found)
        else:
            port = self.midi.port if self.midi else None
            precision = self.players.worker.settings.get("precision", "float32")
            lines = announcement(self.state.models, precision, found, opened, self.players.period, self.output.latency, port)
        for line in lines:
            self._say(line)

    def _status(self) -> Status:
        state = self.state
        playing = self.output is not None and self.output.playing
        ring = self.players.worker.ring if playing else None
        notes = [] if playing else ["no device"]
        notes += [f"loading {self.players.loading}"] if self.players.loading else []
        notes += ["muted"] if state.mute else []
        notes += [f"MIDI errors {self.midi.errors}"] if self.midi is not None and self.midi.errors else []
        notes += ["rec"] if self.bus.recorder.tap_on else []
        return Status(
            genre=state.genre() if len(state.models) == 1 else f"{state.metadata.name}: {state.genre()}",
            temperature=state.value(TEMPERATURE.name) or 0.0,
            tempo_bpm=state.value(TEMPO.name),
            volume_db=state.volume_db,
            peak=self.bus.peak(),
            ring_ms=1e3 * ring.fill() / self.players.rate if ring else 0.0,
            load=ring.worker.load if ring else 0.0,
            underruns=self.players.underruns,
            note=", ".join(notes),
            changed=", ".join(state.changed()),
        )

    def _collect(self) -> None:
        """The statistics of `--stats`: the workers', and what only this process knows."""
        totals = self.players.totals()
        latency = self.output.latency if self.output else None
        rate = self.players.rate or self.state.metadata.sample_rate
        self.results = statistics(
            totals,
            self.state.metadata,
            audio_latency_ms=round(latency["device"], 2) if latency else None,
            control_latency_ms=round(latency["control"], 2) if latency else None,
            midi_messages=self.midi_map.messages,
        ) | {
            "seconds": round(self._ended - self._started, 3) if self._started else 0.0,
            "midi_ignored": self.midi_map.ignored + self.state.refused,
            "missed_ms": round(1e3 * totals.missed / rate, 1),
            "device_underflows": self.bus.callback.device_underflows,
            "device_rate": rate,
            "period_frames": self.players.period,
            "ring_ms": round(latency["ring"], 2) if latency else None,
            "device_losses": self.output.losses if self.output else 0,
            "midi_losses": self.midi.losses if self.midi else 0,
            "midi_errors": self.midi.errors if self.midi else 0,
            "midi_restarts": self.midi.restarts if self.midi else 0,
            "worker_restarts": self.players.restarts,
            "model_switches": self.players.switches,
            "recorded_s": round(self.recorder.seconds, 3) if self.recorder else None,
            "record_lost_ms": round(self.recorder.lost_ms, 1) if self.recorder else None,
        }
