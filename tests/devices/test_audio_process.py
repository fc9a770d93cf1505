"""The audio process without a device: it says so, or waits for one until it is told to end."""

import pytest

from noizestream.devices.audio_process import AudioProcess, DeviceRequest, PutRing
from noizestream.devices.portaudio import NoAudioDevice
from noizestream.errors import NoizestreamError
from noizestream.realtime.ring import Ring
from rig.waiting import PATIENCE_S

NOBODY_HAS = "a device that nobody has"


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "noizestream-no-server")


def test_a_device_that_is_not_there_is_an_error_of_one_line():
    with AudioProcess(DeviceRequest(NOBODY_HAS, 48000, 2)) as audio:
        with pytest.raises(NoizestreamError) as raised:
            audio.poll(PATIENCE_S)
        assert "\n" not in str(raised.value) and "unexpectedly" not in str(raised.value)
        assert isinstance(raised.value, NoAudioDevice) or NOBODY_HAS in str(raised.value)
        with pytest.raises(NoizestreamError, match=r"^the audio process ended unexpectedly$"):
            audio.poll(PATIENCE_S)
        assert not audio.lost, "it has opened none"


def test_a_patient_one_waits_until_it_is_told_to_end():
    audio = AudioProcess(DeviceRequest(NOBODY_HAS, 48000, 2, patient=True, aside=True)).open()
    assert audio.poll(0.5) is None and audio.alive
    audio.close(timeout_s=PATIENCE_S)
    assert audio.exit_code() == 0
    with pytest.raises(NoizestreamError):
        audio.poll()


def test_one_whose_device_has_gone_is_ended_by_force():
    audio = AudioProcess(DeviceRequest(NOBODY_HAS, 48000, 2, patient=True, aside=True)).open()
    audio.close(gone=True)
    assert audio.exit_code() == -9
    audio.close(gone=True)


def test_a_ring_is_put_by_the_name_of_its_memory():
    ring = Ring.create(1024, 2)
    try:
        ring.main.panic = 7
        there = PutRing.of(1, ring).attach()
        assert there is not None and there.main.panic == 7
        there.close()
    finally:
        ring.close()
    assert PutRing.of(1, None).attach() is None
    with pytest.raises(FileNotFoundError):
        PutRing(1, ring.memory.name, ring.layout).attach()
