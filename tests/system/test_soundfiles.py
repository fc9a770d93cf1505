"""Sound files of any name, and outputs that are no files."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from noizestream.system.soundfiles import handle, opened, reason, shorten_header, sound_file, update_header

AUDIO = np.random.default_rng(1).uniform(-0.5, 0.5, (1000, 2))


@pytest.mark.parametrize("folder", ["fran\udce7aise", "/".join(["x" * 200] * 8)], ids=["no text", "1600 bytes"])
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_written_and_read_by_any_name(tmp_path, folder, ending):
    path = tmp_path / folder / f"caf\udce9.{ending}"
    path.parent.mkdir(parents=True)
    with sound_file(path, 48000, 2) as file:
        file.write(AUDIO)
    with opened(path) as file:
        assert (file.samplerate, file.format) == (48000, ending.upper())
        np.testing.assert_allclose(file.read(), AUDIO, atol=2**-23)


def test_into_a_pipe_goes_a_whole_wav(tmp_path):
    pipe, taken = tmp_path / "pipe.raw", tmp_path / "taken.wav"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        taking = pool.submit(lambda: taken.write_bytes(pipe.read_bytes()))
        with sound_file(pipe, 44100, 2) as file:
            file.write(AUDIO)
        taking.result(30)
    assert soundfile.info(taken).frames == 1000 and soundfile.info(taken).samplerate == 44100


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(OSError, match="a pipe"), opened(tmp_path / "pipe.wav"):
        pass


def test_libsndfile_is_told_what_soundfile_has_no_names_for(tmp_path):
    """The private names of soundfile: a header that is true while the file is open, and an ordinary WAV in the end."""
    path = tmp_path / "take.wav"
    with path.open("wb+") as raw, soundfile.SoundFile(handle(raw), "w", 48000, 2, "PCM_24", format="RF64", closefd=False) as file:
        shorten_header(file)
        file.write(AUDIO)
        update_header(file)
        assert soundfile.info(path).frames == 1000
        file.write(AUDIO)
    assert path.read_bytes().startswith(b"RIFF") and soundfile.info(path).frames == 2000


def test_the_reason_is_the_systems_own():
    with open("/dev/full", "wb") as full, pytest.raises(soundfile.LibsndfileError) as found:
        file = soundfile.SoundFile(full.fileno(), "w", 48000, 2, "PCM_24", format="WAV", closefd=False)
        file.write(AUDIO)
        file.close()
    assert reason(found.value) == os.strerror(errno.ENOSPC)
