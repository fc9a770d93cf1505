"""The recorder, with the test as the callback that fills the tap."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from noizestream.errors import NoizestreamError, UsageError
from noizestream.realtime.output_bus import OutputBus
from noizestream.session.events import RecordingMoved
from noizestream.session.recorder import Recorder, check_take
from rig.waiting import wait_for


def tap(bus: OutputBus, audio: np.ndarray) -> None:
    """Put `audio` [n, channels] into the tap as the callback would, waiting for room."""
    for part in np.array_split(audio, max(len(audio) // 256, 1)):
        wait_for(lambda part=part: bus.feed(part.ravel()), "room", every_s=0.001)


@pytest.fixture
def bus():
    made = OutputBus.create(2, 2 * 4800, "callback")
    yield made
    made.close()


def test_a_take_is_what_was_played_and_another_device_goes_on_in_another_file(bus, tmp_path):
    said = []
    audio = np.random.default_rng(1).uniform(-0.9, 0.9, (9600, 2)).astype(np.float32)
    recorder = Recorder(tmp_path / "take.wav", bus, 48000, 2, said.append).open()
    tap(bus, audio)
    recorder.shape(44100, 1)
    wait_for(lambda: said, "word of another file")
    tap(bus, audio[:500, :1])
    recorder.end()
    assert bus.recorder.tap_on == 0 and recorder.lost_ms == 0 and said == [RecordingMoved(tmp_path / "take-2.wav")]
    for name, rate, expected in (("take.wav", 48000, audio), ("take-2.wav", 44100, audio[:500, :1])):
        info = soundfile.info(tmp_path / name)
        assert (info.subtype, info.samplerate) == ("PCM_24", rate)
        assert (tmp_path / name).read_bytes().startswith(b"RIFF"), "an ordinary WAV while it is under 4 GB"
        np.testing.assert_allclose(soundfile.read(tmp_path / name, always_2d=True)[0], expected, atol=2**-23)
    assert recorder.seconds == pytest.approx(9600 / 48000 + 500 / 44100)


def test_nothing_is_made_before_it_is_opened_and_it_ends_more_than_once(bus, tmp_path):
    recorder = Recorder(tmp_path / "take.wav", bus, 48000, 2, print)
    recorder.end()
    assert not list(tmp_path.iterdir())
    with recorder:
        assert bus.recorder.tap_on == 1
    recorder.end()
    assert bus.recorder.tap_on == 0 and soundfile.info(tmp_path / "take.wav").frames == 0


def test_what_the_last_device_played_stays_in_its_file(bus, tmp_path, monkeypatch):
    """The device changes at the worst moment: just after the recorder has emptied the tap."""
    monkeypatch.setattr("noizestream.session.recorder.WRITE_S", 1e9)
    said, audio = [], np.random.default_rng(2).uniform(-0.9, 0.9, (300, 2)).astype(np.float32)
    recorder = Recorder(tmp_path / "take.wav", bus, 48000, 2, said.append).open()
    take = bus.take

    def late():
        taken = take()
        tap(bus, audio)
        recorder.shape(48000, 1)
        monkeypatch.setattr(bus, "take", take)
        return taken

    monkeypatch.setattr(bus, "take", late)
    recorder._write()
    recorder.end()
    np.testing.assert_allclose(soundfile.read(tmp_path / "take.wav", always_2d=True)[0], audio, atol=2**-23)
    assert len(said) == 1 and soundfile.info(tmp_path / "take-2.wav").frames == 0


def test_beyond_4_gb_it_is_rf64(tmp_path, bus):
    """A sparse file: no disk is filled."""
    recorder = Recorder(tmp_path / "long.wav", bus, 96000, 2, print).open()
    beyond = 2**32 // 6 + 1000
    recorder._file.write(np.zeros((1, 2), np.float32))
    recorder._file.seek(beyond)
    tap(bus, np.full((256, 2), 0.25, np.float32))
    recorder.end()
    info = soundfile.info(tmp_path / "long.wav")
    assert (info.format, info.frames) == ("RF64", beyond + 256)
    assert (soundfile.read(tmp_path / "long.wav", start=beyond)[0] == 0.25).all()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_is_full_from_the_start_is_said(bus):
    with pytest.raises(NoizestreamError, match="record /dev/full: cannot be written"):
        Recorder(Path("/dev/full"), bus, 48000, 2, print).open()


def test_an_earlier_take_is_never_overwritten(tmp_path):
    (tmp_path / "take.wav").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"take\.wav"):
        check_take(tmp_path / "take.wav")
    with pytest.raises(UsageError, match="wav"):
        check_take(tmp_path / "take.mp3")


def test_takes_of_any_name_and_no_earlier_one_is_overwritten(bus, tmp_path):
    take, said = tmp_path / "caf\udce9.wav", []
    take.with_stem("caf\udce9-2").write_bytes(b"x")
    recorder = Recorder(check_take(take), bus, 48000, 2, said.append).open()
    tap(bus, np.zeros((10, 2), np.float32))
    recorder.shape(44100, 2)
    recorder.end()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["caf\udce9-2.wav", "caf\udce9-3.wav", "caf\udce9.wav"]
    assert take.with_stem("caf\udce9-2").read_bytes() == b"x"
    with open(take, "rb") as file:
        assert soundfile.info(file).frames == 10


@pytest.mark.parametrize("name", ["pipe.wav", "no/take.wav", "x" * 300 + ".wav"])
def test_what_cannot_be_recorded_to_is_said_at_once(tmp_path, name):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(NoizestreamError, match=r"^record .*\.wav: "):
        check_take(tmp_path / name)
