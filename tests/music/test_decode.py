"""Decoding: shapes, resampling, pieces, and every kind of bad file skipped with its reason."""

import contextlib
import ctypes
import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console

from noizestream.errors import NoizestreamError
from noizestream.music import cuts, parallel
from noizestream.music.decode import MIN_S, decode
from noizestream.music.examine import examine
from noizestream.music.library import read_library
from noizestream.music.parallel import decode_all, require_some
from noizestream.music.skipped import Skip, Skipped, skipped_table
from noizestream.music.tracks import Track

FMA_TINY = Path(__file__).parents[2].parent / "shared" / "fma_tiny"


def tone(seconds: float, rate: int = 44100, channels: int = 2, hz: float = 440.0) -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave] * channels, axis=1).astype(np.float32)


def write(file: Path, audio: np.ndarray, rate: int = 44100, **options) -> Track:
    soundfile.write(file, audio, rate, **options)
    return Track(file, "Jazz")


def mean_of(track: Track, audio: np.ndarray) -> tuple[int, float]:
    return os.getpid(), float(np.abs(audio).mean())


def crash_on_b(track: Track, audio: np.ndarray) -> str:
    if track.path.stem == "b":
        os._exit(3)  # what a codec's segmentation fault looks like from outside
    return track.path.stem


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
def test_every_format_comes_at_the_rate_asked_for(tmp_path, name):
    write(tmp_path / name, tone(4))
    audio = decode(tmp_path / name, 48000)
    assert audio.dtype == np.float32 and audio.shape[0] == 2 and audio.flags.c_contiguous
    assert abs(audio.shape[1] / 48000 - 4) < 0.06  # MP3 pads
    spectrum = np.abs(np.fft.rfft(audio[0, 48000:96000]))
    assert spectrum.argmax() == 440 and abs(spectrum.max() / 24000 - 0.3) < 0.01


def test_a_part_is_the_same_as_that_part_of_the_whole(tmp_path):
    write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, (44100 * 6, 1)).astype(np.float32), subtype="FLOAT")
    whole = decode(tmp_path / "a.wav", 44100)
    np.testing.assert_array_equal(decode(tmp_path / "a.wav", 44100, 2.0, 3.0), whole[:, 88200 : 88200 + 132300])


def test_bad_files_are_skipped_with_their_reason_and_the_rest_comes_in_order(tmp_path):
    good = [write(tmp_path / f"good{n}.wav", tone(4, hz=200 + n)) for n in range(3)]
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.mp3").write_text("this is not audio\n" * 200)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "good0.wav").read_bytes()[:30])
    with_nan = tone(4)
    with_nan[1000] = np.nan
    bad = {
        "empty file": Track(tmp_path / "empty.mp3", "Jazz"),
        "unreadable": Track(tmp_path / "text.mp3", "Jazz"),
        "unreadable: not": Track(tmp_path / "cut.wav", "Jazz"),
        "missing": Track(tmp_path / "gone.wav", "Jazz"),
        "too short": write(tmp_path / "short.wav", tone(MIN_S - 0.1)),
        "silent": write(tmp_path / "silent.wav", 1e-4 * tone(4)),
        "NaN": write(tmp_path / "nan.wav", with_nan, subtype="FLOAT"),
    }
    skipped: list[Skipped] = []
    seen: list[tuple[int, int]] = []
    tracks = [good[0], *bad.values(), *good[1:]]
    result = list(decode_all(tracks, skipped, workers=2, progress=lambda done, total: seen.append((done, total))))
    assert [decoded.track for decoded in result] == good
    assert [Path(entry.item) for entry in skipped] == [track.path for track in bad.values()]
    assert all(reason in entry.reason for reason, entry in zip(bad, skipped, strict=True))
    assert seen[-1] == (10, 10) and seen == sorted(seen)
    here: list[Skipped] = []
    alone = list(decode_all(tracks, here, workers=0))
    assert here == skipped
    for one, other in zip(result, alone, strict=True):
        np.testing.assert_array_equal(one.audio, other.audio)


def test_work_is_done_in_the_workers(tmp_path):
    tracks = [write(tmp_path / f"{n}.wav", tone(4)) for n in range(2)]
    results = [decoded.audio for decoded in decode_all(tracks, [], workers=1, then=mean_of)]
    assert all(pid != os.getpid() and level == pytest.approx(0.3 * 2 / np.pi, rel=1e-3) for pid, level in results)


def test_a_crashing_decoder_takes_only_its_file_with_it(tmp_path):
    tracks = [write(tmp_path / f"{name}.wav", tone(4)) for name in "abcd"]
    skipped: list[Skipped] = []
    assert [decoded.audio for decoded in decode_all(tracks, skipped, workers=1, then=crash_on_b)] == ["a", "c", "d"]
    assert [Path(entry.item).stem for entry in skipped] == ["b"] and "crashed" in skipped[0].reason


def hang_on_b(track: Track, audio: np.ndarray) -> str:
    if track.path.stem == "b":
        ctypes.PyDLL(None).pause()  # a codec that hangs, and lets Python do nothing else
    return track.path.stem


def fail_on_b(track: Track, audio: np.ndarray) -> str:
    if track.path.stem == "b":
        raise ValueError("no peaks")
    return track.path.stem


def test_a_file_that_hangs_is_given_up_and_the_others_come(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "LIMIT_S", 0.0)
    monkeypatch.setattr(parallel, "LIMIT_PER_S", 1.0)
    tracks = [write(tmp_path / f"{name}.wav", tone(3 if name == "b" else 60, 8000), 8000) for name in "abcd"]
    monkeypatch.setattr(parallel.compiled, "heal", lambda: False)
    skipped: list[Skipped] = []
    assert [decoded.audio for decoded in decode_all(tracks, skipped, workers=1, then=hang_on_b)] == ["a", "c", "d"]
    assert skipped == [Skipped(str(tracks[1].path), "took more than 3 s")]


def test_a_file_that_cannot_be_analysed_is_skipped(tmp_path):
    tracks = [write(tmp_path / f"{name}.wav", tone(4)) for name in "abc"]
    skipped: list[Skipped] = []
    assert [decoded.audio for decoded in decode_all(tracks, skipped, workers=0, then=fail_on_b)] == ["a", "c"]
    assert [entry.reason for entry in skipped] == ["cannot be analysed (ValueError: no peaks)"]


def test_what_was_mended_in_every_piece_is_said_once(tmp_path, monkeypatch):
    monkeypatch.setattr(cuts, "PIECE_S", 5.0)
    left = tone(12, channels=1)
    track = write(tmp_path / "a.wav", np.concatenate([left, -left], axis=1))
    skipped: list[Skipped] = []
    assert [decoded.audio.shape[0] for decoded in decode_all([track], skipped, workers=0)] == [1, 1]
    assert len(skipped) == 1 and skipped[0].used and "cancel" in skipped[0].reason


def test_long_tracks_come_in_pieces_without_a_seam(tmp_path, monkeypatch):
    monkeypatch.setattr(cuts, "PIECE_S", 5.0)
    track = write(tmp_path / "long.wav", np.random.default_rng(1).uniform(-0.5, 0.5, (48000 * 12, 1)), rate=48000)
    pieces = list(decode_all([track], [], workers=0))
    assert [piece.start_s for piece in pieces] == [0, 6] and all(piece.audio.shape[1] == 6 * 48000 for piece in pieces)
    np.testing.assert_array_equal(np.concatenate([piece.audio for piece in pieces], axis=1), decode(track.path))


def test_laziness_bounds_what_is_decoded(tmp_path):
    track = write(tmp_path / "a.wav", tone(4))
    seen = []
    stream = decode_all([track] * 50, [], workers=0, progress=lambda done, total: seen.append(done))
    next(stream)
    assert len(seen) <= 3  # the other 47 wait until they are asked for
    stream.close()


def test_decoders_do_not_talk_to_the_user(tmp_path, capfd):
    (tmp_path / "noise.mp3").write_bytes(np.random.default_rng(2).bytes(20000))
    write(tmp_path / "a.mp3", tone(4))
    (tmp_path / "cut.mp3").write_bytes((tmp_path / "a.mp3").read_bytes()[:9000])
    for name in ("noise.mp3", "cut.mp3"):
        with contextlib.suppress(Skip):
            decode(tmp_path / name)
    assert capfd.readouterr().err == ""


def test_examine_names_each_fault():
    with pytest.raises(Skip, match="too short"):
        examine(np.ones((1, 100), np.float32), 48000)
    examine(tone(4, 48000).T, 48000)


def test_nothing_left_is_an_error():
    require_some(1, [], "x")
    with pytest.raises(NoizestreamError, match=r"nothing left.*2 files"):
        require_some(0, [Skipped("a", "silent"), Skipped("b", "empty file")], "x")


def test_the_table_lists_files_and_sums_up_the_rest():
    text = io.StringIO()
    entries = [Skipped(f"[b]{n}.mp3", "silent") for n in range(40)]
    skipped_table(entries, Console(file=text, width=100))
    assert "[b]0.mp3" in text.getvalue() and "10 more" in text.getvalue() and "40" in text.getvalue()
    skipped_table([], Console(file=text))


@pytest.mark.skipif(not FMA_TINY.is_dir(), reason="needs ../shared/fma_tiny beside the checkout")
def test_fma_tiny_loses_exactly_its_five_faults():
    library = read_library(FMA_TINY)
    skipped = list(library.skipped)
    assert len([decoded for decoded in decode_all(library.tracks, skipped, workers=2, then=mean_of)]) == 12
    reasons = {Path(entry.item).stem[-6:]: entry.reason.split(":")[0] for entry in skipped}
    assert reasons == {
        "099134": "missing file",
        "140000": "no top genre",
        "098565": "too short",
        "108925": "unreadable",
        "133297": "empty file",
    }
