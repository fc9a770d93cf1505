"""The library sounddevice: the only module that imports it, and that uses what it keeps private (`sounddevice._...`).

Nothing public lets PortAudio call compiled code, or look for devices anew. So pyproject.toml bounds the version, and
tests/devices/test_sounddevice_adapter.py shows that the private names are there and do what is done with them here.
"""

from typing import Any

from noizestream.devices.libjack import no_server_start
from noizestream.errors import NoizestreamError
from noizestream.system.stderr import quiet_stderr


class NoAudioDevice(NoizestreamError):
    """There is nothing to play on: no device, or no PortAudio to reach one."""


def library() -> Any:
    """Return the module `sounddevice`, imported at the first call; NoAudioDevice if PortAudio is missing or does not start."""
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


def takes(device: int, rate: int, channels: int) -> bool:
    """Return whether the device with the number `device` plays float32 at `rate` Hz on so many `channels`, as it is now."""
    sounddevice = library()
    try:
        with quiet_stderr():
            sounddevice.check_output_settings(device=device, samplerate=rate, channels=channels, dtype="float32")
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True


def start_anew() -> None:
    """End PortAudio and start it again, so that it looks which devices there are. Only while no stream is open."""
    sounddevice = library()
    with quiet_stderr():
        while sounddevice._initialized > 0:
            sounddevice._terminate()
        sounddevice._initialize()


def compiled_output(callback: int, table: int, **options: Any) -> Any:
    """Return a stream, not started yet, that PortAudio feeds by calling the machine code at the address `callback`.

    The code is a PaStreamCallback and is handed the address `table` as its user data; `options` are those of
    `sounddevice.OutputStream`. PortAudioError or ValueError if the device refuses them.
    """
    sounddevice = library()
    handed = sounddevice._ffi.cast("void *", table)
    return sounddevice._StreamBase(kind="output", callback=callback, wrap_callback=None, userdata=handed, clip_off=True, **options)
