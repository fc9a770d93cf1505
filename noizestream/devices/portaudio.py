"""Audio out through PortAudio: what devices there are, which one, which rate, and the stream that the compiled callback feeds."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from noizestream.devices.choose import choose
from noizestream.devices.sounddevice_adapter import NoAudioDevice, compiled_output, library, start_anew, takes
from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import MODEL_SLOTS, MOST_BURST, OutputBus
from noizestream.realtime.ring import DRAINED, PLAYING, SILENT, Ring
from noizestream.system.resource import Resource
from noizestream.system.stderr import quiet_stderr


@dataclass(frozen=True)
class OutputDevice:
    """One device that can play. `rate` is its default in Hz, latencies are what PortAudio expects for it, in seconds."""

    index: int
    name: str
    host: str
    channels: int
    rate: int
    low_latency_s: float
    high_latency_s: float
    is_default: bool


def outputs() -> list[OutputDevice]:
    """Return every device that can play; empty if there is none. NoizestreamError if PortAudio is missing."""
    sounddevice = library()
    default = sounddevice.default.device[1]
    if default is None or default < 0:
        default = max([api["default_output_device"] for api in sounddevice.query_hostapis()], default=-1)
    return [
        OutputDevice(
            index=device["index"],
            name=device["name"],
            host=sounddevice.query_hostapis(device["hostapi"])["name"],
            channels=device["max_output_channels"],
            rate=round(device["default_samplerate"]),
            low_latency_s=device["default_low_output_latency"],
            high_latency_s=device["default_high_output_latency"],
            is_default=device["index"] == default,
        )
        for device in sounddevice.query_devices()
        if device["max_output_channels"] > 0
    ]


def forget() -> None:
    """Let go of PortAudio: the devices that `outputs` lists next are those that are there then. Only while no stream is open."""
    start_anew()


def find_output(asked: str | None = None) -> OutputDevice:
    """Return the device numbered or named `asked`, or the default one; NoizestreamError if there is none (one line)."""
    found = outputs()
    if not found:
        raise NoAudioDevice("no audio device to play on; `noizestream devices` lists them, --or-render FILE.wav plays to a file")
    if asked is not None:
        return choose(found, asked, "-d", "audio device")
    return next((device for device in found if device.is_default), found[0])


def playing_rate(device: OutputDevice, model_rate: int) -> int:
    """Return the model's own rate in Hz where the device takes it, else the device's default rate."""
    return model_rate if takes(device.index, model_rate, 1) else device.rate


def playing_channels(device: OutputDevice, model_channels: int) -> int:
    """Return how many channels to open: the model's, at least two so that mono sounds on both sides, at most the device's."""
    return min(device.channels, max(2, model_channels))


class Output(Resource):
    """A stream on `device` at `rate` Hz, fed from the rings that `put` names, through `bus`; it plays from `open` to `close`.

    `compiled` is False where numba is missing and a Python callback that only copies stands in. Lives in the audio process
    (devices/audio_process.py).
    """

    compiled: bool

    def __init__(self, device: OutputDevice, bus: OutputBus, rate: int, latency: str | float = "low"):
        self.device, self.rate, self._bus, self._latency = device, rate, bus, latency
        self._stream: Any = None
        self._rings: list[Ring | None] = [None] * MODEL_SLOTS
        self._table = np.zeros(1 + MODEL_SLOTS, np.int64)  # of addresses, for the compiled callback
        self._table[0] = bus.address

    def open(self) -> Self:
        """Open the device and have it ask for sound; NoizestreamError if it refuses."""
        sounddevice = library()
        device, rate, channels = self.device, self.rate, self._bus.main.channels
        options = {"samplerate": rate, "device": device.index, "channels": channels, "dtype": "float32", "latency": self._latency}
        try:
            from noizestream.devices import callback
        except ImportError:
            self.compiled = False
        else:
            self.compiled = True
            function = callback.compiled()
        try:
            with quiet_stderr():
                if self.compiled:
                    self._keep = function  # the machine code must live as long as the stream
                    self._stream = compiled_output(function.address, self._table.ctypes.data, **options)
                else:
                    self._stream = sounddevice.OutputStream(callback=copying_callback(self._bus, self._rings), **options)
                self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            reason = str(error).split(" [PaErrorCode")[0]
            shape = f"at {rate} Hz with {channels} channels"
            raise NoizestreamError(f"{device.name} does not open {shape} ({reason}); try another -d or --latency") from None
        return self

    @property
    def latency_s(self) -> float:
        """Seconds from the callback to the connector, as PortAudio reports them."""
        return float(self._stream.latency)

    @property
    def active(self) -> bool:
        """Whether the device still asks for sound: False once it has gone."""
        return self._stream is not None and bool(self._stream.active)

    def put(self, model_slot: int, ring: Ring | None) -> None:
        """Play `ring` in `model_slot` (0 .. MODEL_SLOTS - 1), None: nothing. Then the callback uses the one before no more."""
        before, self._rings[model_slot] = self._rings[model_slot], ring
        self._table[1 + model_slot] = 0 if ring is None else ring.address
        calls, end = self._bus.callback.callbacks, time.monotonic() + 0.5  # a device that has gone calls nobody back
        while before is not None and self._bus.callback.callbacks < calls + 2 and time.monotonic() < end:
            time.sleep(0.001)
        if before is not None:
            before.close()

    def close(self) -> None:
        """Free the device. Not for one that has gone: PortAudio would wait ten minutes for a JACK server that is no more.

        Safe to call twice, and if it never was opened.
        """
        stream, self._stream = self._stream, None
        if stream is not None:
            with quiet_stderr():
                stream.close()


def copying_callback(bus: OutputBus, rings: Sequence[Ring | None]) -> Any:
    """Return a Python callback that only adds up `rings`: the stand-in where numba is missing. No fades, volume only downwards."""
    main, mine = bus.main, bus.callback

    def callback(target: Any, frames: int, time: Any, status: Any) -> None:
        target[:] = 0
        for ring in rings:
            if ring is not None:
                _copy(ring, target, frames)
        target *= min(main.volume_gain, 1.0)
        if target.shape[1] > 1:
            target[:, 0] *= min(1.0 - main.balance, 1.0)
            target[:, 1] *= min(1.0 + main.balance, 1.0)
        asked, loudest, heard = main.peak_asked, mine.loudest, float(abs(target).max(initial=0.0))
        if asked != mine.peak_answered:
            mine.peak, loudest = loudest, 0.0
        mine.loudest = max(loudest, heard if math.isfinite(heard) else 0.0)
        mine.peak_answered = asked
        if 0 < time.currentTime == mine.burst_at and mine.burst < MOST_BURST:
            mine.burst += frames
        else:
            mine.period, mine.burst, mine.burst_at = mine.burst, frames, time.currentTime
            mine.bursts += 1
        mine.device_underflows += bool(status.output_underflow)
        if bus.recorder.tap_on and not bus.feed(target.ravel()):
            mine.tap_lost += frames
        mine.callbacks += 1

    return callback


def _copy(ring: Ring, target: Any, frames: int) -> None:
    main, worker, mine = ring.main, ring.worker, ring.callback
    if mine.restarted != main.restart:
        mine.mode, mine.restarted = SILENT, main.restart
    if mine.panicked != main.panic:
        if worker.fresh == main.panic:
            mine.played = max(mine.played, worker.fresh_at)
            mine.panicked = main.panic
        mine.mode = SILENT
        return
    ready = ring.fill()
    if mine.mode != PLAYING:
        ready = ready if ready >= max(main.resume, 1) else 0
    count = min(frames, ready) if main.run else 0
    target[:count] += ring.read(mine.played, mine.played + count)
    if main.run and count < frames and mine.mode != SILENT:
        mine.underruns += mine.mode == PLAYING
        mine.missed += frames - count
    sounding = PLAYING if count == frames else DRAINED if mine.mode != SILENT else SILENT
    mine.mode = sounding if main.run else SILENT
    mine.played += count
