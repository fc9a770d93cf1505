"""What sounddevice keeps private and we use: it is there, and does what devices/sounddevice_adapter.py says. Needs no device."""

import inspect

import pytest

from noizestream.devices import sounddevice_adapter
from noizestream.devices.sounddevice_adapter import compiled_output, library, start_anew, takes

NO_DEVICE = 10_000


@pytest.fixture(scope="module", autouse=True)
def nobody_starts_a_server():
    try:
        library()
    except sounddevice_adapter.NoAudioDevice as error:
        pytest.skip(str(error))


def test_portaudio_looks_anew_and_is_initialised_once():
    sounddevice = library()
    start_anew()
    assert sounddevice._initialized == 1
    sounddevice._initialize()
    start_anew()
    assert sounddevice._initialized == 1, "however often it was initialised"
    sounddevice.query_devices()


def test_an_address_becomes_user_data():
    sounddevice = library()
    handed = sounddevice._ffi.cast("void *", 0x1234)
    assert int(sounddevice._ffi.cast("intptr_t", handed)) == 0x1234


def test_a_stream_takes_the_address_of_a_callback_and_says_that_a_device_is_not_there():
    sounddevice = library()
    names = inspect.signature(sounddevice._StreamBase.__init__).parameters
    assert {"kind", "callback", "wrap_callback", "userdata", "clip_off", "samplerate", "device", "latency"} <= names.keys()
    assert all(hasattr(sounddevice._StreamBase, name) for name in ("start", "close", "latency", "active"))
    with pytest.raises((sounddevice.PortAudioError, ValueError)):
        compiled_output(0x1234, 0x1234, samplerate=48000, device=NO_DEVICE, channels=2, dtype="float32", latency="low")
    assert not takes(NO_DEVICE, 48000, 2)
