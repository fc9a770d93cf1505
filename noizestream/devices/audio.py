"""Audio out through PortAudio: what devices there are, which one, which rate, and the stream that the compiled callback feeds."""

import math
import time
from dataclasses import dataclass
from typing import Any

from noizestream.devices.choose import choose
from noizestream.devices.quiet import no_server_start, quiet_stderr
from noizestream.engine import ring as slots
from noizestream.engine.ring import Ring
from noizestream.errors import NoizestreamError

FADE_SECONDS = 0.01
"""Length of the fades at start, stop and underrun."""


class NoAudioDevice(NoizestreamError):
    """There is nothing to play on: no device, or no PortAudio to reach one."""


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


def _sounddevice() -> Any:
    no_server_start()
    try:
        with quiet_stderr():
            import sounddevice
    except OSError:
        raise NoAudioDevice(
            "the PortAudio library is missing: install it (Debian, Ubuntu: apt install libportaudio2), or use --or-render FILE.wav"
        ) from None
    except Exception as error:  # PortAudioError: it is there but does not start
        raise NoAudioDevice(f"PortAudio does not start: {error}") from None
    return sounddevice


def outputs() -> list[OutputDevice]:
    """Return every device that can play; empty if there is none. NoizestreamError if PortAudio is missing."""
    sounddevice = _sounddevice()
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
    sounddevice = _sounddevice()
    try:
        with quiet_stderr():
            sounddevice.check_output_settings(device=device.index, samplerate=model_rate, channels=1, dtype="float32")
    except (sounddevice.PortAudioError, ValueError):
        return device.rate
    return model_rate


def playing_channels(device: OutputDevice, model_channels: int) -> int:
    """Return how many channels to open: the model's, at least two so that mono sounds on both sides, at most the device's."""
    return min(device.channels, max(2, model_channels))


class Output:
    """An open stream on `device`, fed from `ring`. Opens silent: `start` lets it sound, `stop` fades out, `close` frees the device.

    `compiled` is False where numba is missing and a Python callback that only copies stands in. NoizestreamError if the device
    refuses.
    """

    def __init__(self, device: OutputDevice, ring: Ring, rate: int, latency: str | float = "low"):
        sounddevice = _sounddevice()
        self.device, self._ring = device, ring
        # The fade of an underrun reads the past; the worker may meanwhile write TARGET frames of the future.
        fade = min(round(FADE_SECONDS * rate), ring.layout.capacity - int(ring.header[slots.TARGET]))
        ring.header[[slots.FADE_FRAMES, slots.GAIN_FRAMES]] = fade, round(0.005 * rate)
        options = {
            "samplerate": rate,
            "device": device.index,
            "channels": ring.layout.channels,
            "dtype": "float32",
            "latency": latency,
        }
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
                    memory = sounddevice._ffi.cast("void *", ring.header.ctypes.data)
                    self._stream = sounddevice._StreamBase(
                        kind="output", callback=function.address, wrap_callback=None, userdata=memory, clip_off=True, **options
                    )
                else:
                    self._stream = sounddevice.OutputStream(callback=copying_callback(ring), **options)
                self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            reason = str(error).split(" [PaErrorCode")[0]
            shape = f"at {rate} Hz with {ring.layout.channels} channels"
            raise NoizestreamError(f"{device.name} does not open {shape} ({reason}); try another -d or --latency") from None

    @property
    def latency_s(self) -> float:
        """Seconds from the callback to the connector, as PortAudio reports them."""
        return float(self._stream.latency)

    @property
    def active(self) -> bool:
        """False once the device has gone."""
        return bool(self._stream.active)

    def period_frames(self, timeout_s: float = 1.0) -> int:
        """Frames the device asks for at a time; waits for its first call, 0 if none comes in `timeout_s`."""
        end = time.monotonic() + timeout_s
        while self._ring.header[slots.CALLBACKS] < 2 and time.monotonic() < end:
            time.sleep(0.002)
        return int(self._ring.header[slots.PERIOD])

    def start(self) -> None:
        """Let it sound, with a fade, as soon as the ring is filled."""
        self._ring.header[slots.RUN] = 1

    def stop(self, timeout_s: float = 0.5) -> None:
        """Fade out and wait until it is silent (at most `timeout_s`: a device that has gone calls nobody back)."""
        self._ring.header[slots.RUN] = 0
        end = time.monotonic() + timeout_s
        while self._ring.header[slots.MODE] != slots.SILENT and time.monotonic() < end:
            time.sleep(0.002)

    def close(self) -> None:
        """Free the device; after that the ring may be closed."""
        with quiet_stderr():
            self._stream.close()


def copying_callback(ring: Ring) -> Any:
    """Return a Python callback that only copies: the stand-in where numba is missing. No fades, no volume above or below 0 dB."""
    header, audio, capacity = ring.header, ring.audio, ring.layout.capacity

    def callback(target: Any, frames: int, _time: Any, status: Any) -> None:
        header[slots.CALLBACKS] += 1
        header[slots.PERIOD] = frames
        header[slots.DEVICE_UNDERFLOWS] += bool(status.output_underflow)
        ready = int(header[slots.WRITTEN] - header[slots.PLAYED])
        if header[slots.MODE] != slots.PLAYING:
            ready = ready if ready >= max(header[slots.RESUME], 1) else 0
        count = min(frames, ready) if header[slots.RUN] else 0
        start = int(header[slots.PLAYED]) % capacity
        first = min(count, capacity - start)
        target[:first] = audio[start : start + first]
        target[first:count] = audio[: count - first]
        target[count:] = 0
        peak = float(abs(target).max(initial=0.0))
        ring.meters[slots.PEAK] = max(ring.meters[slots.PEAK], peak if math.isfinite(peak) else 0.0)
        if header[slots.RUN] and count < frames and header[slots.MODE] != slots.SILENT:
            header[slots.UNDERRUNS] += header[slots.MODE] == slots.PLAYING
            header[slots.MISSED] += frames - count
        sounding = slots.PLAYING if count == frames else slots.DRAINED if header[slots.MODE] != slots.SILENT else slots.SILENT
        header[slots.MODE] = sounding if header[slots.RUN] else slots.SILENT
        header[slots.PLAYED] += count

    return callback
