"""Headers that lie: lengths are those that decode, absurd rates and channels are refused, and memory is bounded."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from noizestream.music.cuts import cuts_of
from noizestream.music.decode import decode, header_seconds, measure, pieces
from noizestream.music.headers import BITS_1, RATES_HZ
from noizestream.music.library import read_library
from noizestream.music.parallel import decode_all
from noizestream.music.prime import read_prime
from noizestream.music.skipped import Skip, Skipped
from noizestream.music.tracks import Track
from tests.commands.run import run

RATE = 44100
FAULTS = Path(__file__).parents[2].parent / "shared" / "faults"
SHARED = pytest.mark.skipif(not FAULTS.is_dir(), reason="needs ../shared/faults beside the checkout")


def noise(seconds: float, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * RATE), channels)).astype(np.float32)


def written(path: Path, audio: np.ndarray, **options) -> bytes:
    soundfile.write(path, audio, RATE, **options)
    return path.read_bytes()


def patched(path: Path, place: int, form: str, *values: int) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, place, *values)
    path.write_bytes(data)


def variable(path: Path, audio: np.ndarray) -> bytes:
    """Of an MP3 of variable bit rate, its Xing frame cut off."""
    data = written(path, audio, bitrate_mode="VARIABLE", compression_level=0.5)
    first = 144000 * BITS_1[data[2] >> 4] // RATES_HZ[data[2] >> 2 & 3] + (data[2] >> 1 & 1)
    assert b"Xing" in data[:first]
    return data[first:]


@SHARED
def test_a_flac_without_a_length_is_read_to_the_end():
    path = FAULTS / "flac_unknown_length" / "Odd" / "a.flac"
    assert soundfile.info(path).frames > 2**62 and header_seconds(path) == 0
    assert decode(path, 8000).shape == (1, 32000) and measure(path) == (8000, 4.0)
    skipped: list[Skipped] = []
    found = list(decode_all(read_library(FAULTS / "flac_unknown_length").tracks, skipped, workers=1))
    assert [(piece.track.genre, piece.audio.shape[1]) for piece in found] == [("Good", 192000), ("Odd", 192000)] and not skipped


def test_what_has_no_length_comes_in_pieces_of_bounded_length(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(variable(path, noise(12, 1)))
    whole = decode(path, RATE)
    found = list(pieces(path, RATE, 5.0, 1.0))
    assert [start for start, _ in found] == [0, 5, 10] and max(audio.shape[1] for _, audio in found) == 5 * RATE
    np.testing.assert_array_equal(np.concatenate([audio for _, audio in found], axis=1), whole)
    np.testing.assert_array_equal(decode(path, RATE, 3.0, 2.0), whole[:, 3 * RATE : 5 * RATE])
    assert [start for start, _ in pieces(path, RATE, 5.0, 3.0)] == [0, 5], "a short rest belongs to the last"


@pytest.mark.parametrize(("rate", "mode"), [(44100, "CONSTANT"), (44100, "VARIABLE"), (22050, "CONSTANT"), (8000, "CONSTANT")])
def test_the_length_of_an_mp3_that_does_not_say_it_is_guessed_by_its_frames(tmp_path, rate, mode):
    path = tmp_path / "a.mp3"
    soundfile.write(path, noise(20 * rate / RATE, 1), rate, bitrate_mode=mode, compression_level=0.3)
    data = path.read_bytes()
    mark = max(data.find(b"Xing", 0, 200), data.find(b"Info", 0, 200))
    path.write_bytes(data if mark < 0 else data[:mark] + b"none" + data[mark + 4 :])
    (cut,) = cuts_of(Track(path, "a"))
    assert header_seconds(path) == 0 and not cut.known and cut.seconds is None and cut.expected_s == pytest.approx(20, rel=0.1)
    path.write_bytes(b"ID3" + bytes(7) + b"no frame at all" * 100)
    assert cuts_of(Track(path, "a"))[0].expected_s < 1


def test_an_mp3_without_a_xing_frame_is_read_whole(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(variable(path, np.concatenate([noise(5, 1), np.zeros((15 * RATE, 1), np.float32)])))
    assert soundfile.info(path).duration < 10, "libsndfile believes the first frame"
    assert header_seconds(path) == 0
    assert decode(path, RATE).shape[1] / RATE == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125)])
def test_several_mp3s_in_one_file_are_read_whole(tmp_path, between):
    one, other = written(tmp_path / "one.mp3", noise(4)), written(tmp_path / "other.mp3", noise(6))
    path = tmp_path / "both.mp3"
    path.write_bytes(b"ID3\x04\0\0\0\0\x02\0" + bytes(256) + one + between + other)
    assert soundfile.info(path).duration == 4 and header_seconds(path) == 0
    assert decode(path, RATE).shape[1] / RATE == pytest.approx(10, abs=0.2)


def test_an_mp3_that_tells_the_truth_is_believed(tmp_path):
    written(tmp_path / "a.mp3", noise(4))
    assert header_seconds(tmp_path / "a.mp3") == 4


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("RF64", "PCM_24")])
@pytest.mark.parametrize("told", [0, 50_000, 2**32 - 1, 2**31 - 1])
def test_a_wav_that_was_never_finished_is_read_to_the_end(tmp_path, form, subtype, channels, told):
    path = tmp_path / "a.wav"
    data = written(path, noise(4, channels), subtype=subtype, format=form)
    whole = decode(path, RATE)
    if form == "RF64":
        patched(path, data.index(b"ds64") + 8, "<QQQ", told, told, told)
    else:
        patched(path, data.index(b"data") + 4, "<I", told)
        patched(path, 4, "<I", told)
    np.testing.assert_array_equal(decode(path, RATE), whole)


def test_what_follows_the_sound_of_a_wav_is_not_heard(tmp_path):
    path = tmp_path / "a.wav"
    data = written(path, noise(4))
    path.write_bytes(data + b"id3 " + struct.pack("<I", len(data)) + bytes(len(data)))
    assert header_seconds(path) == 4 and decode(path, RATE).shape == (2, 4 * RATE)


@pytest.mark.parametrize(
    ("place", "form", "value", "reason"), [(24, "<I", 1, "rate of 1 Hz"), (24, "<I", 2 * 10**9, "4 to 768 kHz")]
)
def test_absurd_rates_are_refused(tmp_path, place, form, value, reason):
    path = tmp_path / "a.wav"
    written(path, noise(4, 1))
    patched(path, place, form, value)
    assert header_seconds(path) == 0
    with pytest.raises(Skip, match=reason):
        decode(path)


@pytest.mark.parametrize(("channels", "reason"), [(0, "unreadable"), (255, "255 channels"), (65535, "unreadable")])
def test_absurd_channels_are_refused(tmp_path, channels, reason):
    path = tmp_path / "a.wav"
    written(path, noise(4, 1))
    patched(path, 22, "<H", channels)
    with pytest.raises(Skip, match=reason):
        decode(path)


def test_an_absurd_length_is_not_believed(tmp_path):
    path = tmp_path / "a.flac"
    written(path, noise(4, 1))
    patched(path, 22, ">I", 2**32 - 1)  # the low bits of the number of samples: a day
    assert soundfile.info(path).duration > 80000 and header_seconds(path) == 0
    assert decode(path, RATE).shape == (1, 4 * RATE)


def test_a_file_that_is_cut_off_is_used_and_said(tmp_path):
    data = written(tmp_path / "a.flac", noise(12))
    path = tmp_path / "cut.flac"
    path.write_bytes(data[: len(data) // 2])
    skipped: list[Skipped] = []
    (found,) = decode_all([Track(path, "Jazz")], skipped, RATE, workers=0)
    assert found.audio.shape[1] / RATE == pytest.approx(6, abs=0.3)
    assert [entry.used for entry in skipped] == [True] and "its header says 12.0" in skipped[0].reason


@SHARED
def test_a_flac_without_a_length_primes_and_is_drawn(tmp_path):
    path = FAULTS / "flac_unknown_length" / "Odd" / "a.flac"
    assert read_prime(path, 8000).shape == (1, 32000)
    done = run("view", path, "-o", tmp_path / "a.png")
    assert done.returncode == 0 and done.stderr == "" and (tmp_path / "a.png").is_file()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_is_named_as_audio_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    assert header_seconds(tmp_path / "a.wav") == 0
    with pytest.raises(Skip, match="a pipe, a socket or a device"):
        decode(tmp_path / "a.wav")


def test_a_name_in_no_encoding_and_a_long_one_are_read(tmp_path):
    data = written(tmp_path / "a.wav", noise(4))
    deep = tmp_path.joinpath(*["x" * 200] * 6)
    deep.mkdir(parents=True)
    for path in (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")), deep / "a.wav"):
        path.write_bytes(data)
        assert header_seconds(path) == 4 and decode(path, RATE).shape == (2, 4 * RATE)
