"""A performance: connects worker, audio device, MIDI port and screen, and takes them apart again. Imports no torch."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from noizestream.control.live import LiveState
from noizestream.control.midi_map import MidiMap
from noizestream.devices import audio
from noizestream.devices.midi import POLL_SECONDS, MidiInput, MidiPort
from noizestream.engine import ring as slots
from noizestream.engine.worker import Worker
from noizestream.errors import NoizestreamError
from noizestream.metadata import Metadata
from noizestream.parameters import TEMPERATURE, TEMPO
from noizestream.ui.status import Status, StatusLine

SCREEN_HZ = 5

LOST_AFTER_S = 3.0
"""A device that has not asked for sound for so long is gone."""


class Performance:
    """One `play`, from its start to its statistics (`results`, complete after `play` returns or raises NoizestreamError).

    `kept_s` is the sound kept ready in the ring, in seconds; `relaxed` asks the device for its high latency. No `port`: no MIDI.
    """

    def __init__(
        self,
        model: Path,
        metadata: Metadata,
        state: LiveState,
        device: audio.OutputDevice,
        port: MidiPort | None,
        kept_s: float,
        relaxed: bool = False,
        seed: int = 0,
    ):
        self.metadata, self.state, self.device, self.port, self.relaxed = metadata, state, device, port, relaxed
        self.midi_map = MidiMap(len(metadata.genres))
        self.rate = audio.playing_rate(device, metadata.sample_rate)
        self.channels = audio.playing_channels(device, metadata.channels)
        # The ring must have room for what the device's periods may turn out to need.
        room = round(max(kept_s, 2 * device.high_latency_s) * self.rate)
        self.worker = Worker(model, self.rate, self.channels, room, seed, state.weights, state.values)
        self.worker.set_target(round(kept_s * self.rate))
        self.ring = self.worker.ring
        self.latency: dict[str, float] = {}
        self.period_frames = 0
        self.results: dict[str, Any] = {}

    def play(self, seconds: float | None, screen: bool) -> bool:
        """Play for `seconds` (None: until Ctrl-C); return whether it was interrupted.

        NoizestreamError when the worker or the device is lost.
        """
        sys.setswitchinterval(0.001)  # a busy thread may keep MIDI waiting for 1 ms at a time, not 5
        with contextlib.ExitStack() as stack:
            stack.callback(self.worker.close)
            compiling = threading.Thread(target=_prepare_callback, daemon=True)
            compiling.start()  # beside the worker's start, which takes longer
            self.worker.start()
            compiling.join()
            output = audio.Output(self.device, self.ring, self.rate, "high" if self.relaxed else "low")
            stack.callback(output.close)
            self._settle(output)
            self.state.connect(self.worker.set_controls, self._set_gains)
            if self.port is not None:
                stack.callback(MidiInput(self.port, self._hear).close)
            self._announce(output)
            started = time.monotonic()
            interrupted = False
            output.start()
            try:
                self._watch(output, None if seconds is None else started + seconds, screen)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                played = time.monotonic() - started
                output.stop()
                self.results = self._collect(played)
        return interrupted

    def _set_gains(self, attenuation: float, boost: float) -> None:
        self.ring.meters[slots.VOLUME_GAIN] = attenuation
        self.ring.meters[slots.BOOST_GAIN] = boost

    def _hear(self, message: Sequence[int]) -> None:
        action = self.midi_map.translate(message)
        if action is not None:
            self.state.apply(action)

    def _settle(self, output: audio.Output) -> None:
        """Raise the ring's target to what the device's period needs at least, and add up the latencies, in ms.

        `control` is the longest way of a change: a MIDI message is found at the next poll; the next block is made as soon as it
        fits, which fills the ring to its target; the device adds its own latency, the model what it looks ahead.
        """
        header = self.ring.header
        self.period_frames = output.period_frames()
        self.worker.set_target(max(int(header[slots.TARGET]), self.worker.block_frames + 2 * self.period_frames))
        header[slots.RESUME] = header[slots.TARGET] - self.worker.block_frames + 1
        self.latency = {
            "midi": 1e3 * POLL_SECONDS,
            "ring": 1e3 * float(header[slots.TARGET]) / self.rate,
            "device": 1e3 * output.latency_s,
            "model": 1e3 * self.metadata.latency_frames / self.metadata.sample_rate,
        }
        self.latency["control"] = sum(self.latency.values())

    def _announce(self, output: audio.Output) -> None:
        """Say what is about to sound, through what, and how late."""
        model, say = self.metadata, click.echo
        say(f"model    {model.name}: {', '.join(model.genres)}")
        say(
            f"device   {self.device.name} ({self.device.host}), {self.rate} Hz, {self.channels} channels"
            f", periods of {self.period_frames} frames"
        )
        if self.rate != model.sample_rate:
            say(f"         it does not take {model.sample_rate} Hz, the model's rate: resampled live")
        if self.channels != model.channels:
            say(f"         the model has {model.channels} channel{'s' * (model.channels > 1)}, mapped to {self.channels}")
        if not output.compiled:
            say("         numba is missing: a Python callback only copies, without fades and volume, and drops out under load")
        say(f"block    {model.block_frames} frames, {1e3 * model.block_frames / model.sample_rate:.1f} ms")
        parts = " + ".join(f"{name} {self.latency[name]:.0f}" for name in ("midi", "ring", "device", "model"))
        say(f"latency  audio {self.latency['device']:.0f} ms; control to sound at most {self.latency['control']:.0f} ms ({parts})")
        say(f"MIDI     {self.port.name} ({self.port.api_name})" if self.port else "MIDI     no port found, playing on without")

    def _watch(self, output: audio.Output, end: float | None, screen: bool) -> None:
        """Show the status until `end` (monotonic seconds, None: for ever)."""
        calls, heard = -1, time.monotonic()
        with StatusLine(screen) as line:
            while True:
                now = time.monotonic()
                if end is not None and now >= end:
                    return
                self.worker.check()
                if calls != self.ring.header[slots.CALLBACKS]:
                    calls, heard = int(self.ring.header[slots.CALLBACKS]), now
                if not output.active or now - heard > LOST_AFTER_S:
                    raise NoizestreamError(
                        f"{self.device.name}: the audio device is gone; `noizestream devices` lists what is there"
                    )
                line.show(self._status())
                time.sleep(1 / SCREEN_HZ if end is None else min(1 / SCREEN_HZ, end - now))

    def _status(self) -> Status:
        peak, self.ring.meters[slots.PEAK] = float(self.ring.meters[slots.PEAK]), 0.0
        return Status(
            genre=self.state.genre(),
            temperature=self.state.value(TEMPERATURE.name) or 0.0,
            tempo_bpm=self.state.value(TEMPO.name),
            volume_db=self.state.volume_db,
            peak=peak,
            ring_ms=1e3 * self.ring.fill() / self.rate,
            load=float(self.ring.meters[slots.LOAD]),
            underruns=int(self.ring.header[slots.UNDERRUNS]),
        )

    def _collect(self, seconds: float) -> dict[str, Any]:
        """The statistics of `--stats`: the worker's, and what only this process knows."""
        header = self.ring.header
        results = self.worker.statistics(
            audio_latency_ms=round(self.latency["device"], 2),
            control_latency_ms=round(self.latency["control"], 2),
            midi_messages=self.midi_map.messages,
        )
        return results | {
            "seconds": round(seconds, 3),
            "midi_ignored": self.midi_map.ignored + self.state.refused,
            "missed_ms": round(1e3 * float(header[slots.MISSED]) / self.rate, 1),
            "device_underflows": int(header[slots.DEVICE_UNDERFLOWS]),
            "device_rate": self.rate,
            "period_frames": self.period_frames,
            "ring_ms": round(self.latency["ring"], 2),
        }


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end the music like Ctrl-C does: with a fade and statistics."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _prepare_callback() -> None:
    with contextlib.suppress(ImportError):
        from noizestream.devices import callback

        callback.compiled()
