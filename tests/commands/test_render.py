"""`noizestream render` as a person runs it."""

import numpy as np
import pytest
import soundfile

from noizestream.control.chords import parse_chord
from tests.commands.run import assert_one_line, run
from tests.control import test_chord_file
from tests.foreign_models import LAYERED, Layered, chord_hz, write
from tests.modelfile.test_archive import bad_files


def test_the_same_seed_gives_the_same_bytes_and_another_differs(sine_model, tmp_path):
    for name, seed in (("a.wav", 7), ("b.wav", 7), ("c.wav", 8)):
        done = run("render", sine_model, "-o", tmp_path / name, "--seconds", 2, "-g", "b", "-t", 0.9, "--seed", seed)
        assert done.returncode == 0 and "x real time" in done.stdout, done.stderr
    first, second, other = ((tmp_path / name).read_bytes() for name in ("a.wav", "b.wav", "c.wav"))
    assert first == second != other
    audio, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 48000 and len(audio) == 96000
    assert np.abs(np.fft.rfft(audio)).argmax() / 2 == pytest.approx(440, abs=1)
    assert 0.1 < np.abs(audio).max() <= 10 ** (-0.3 / 20)


def test_a_mix_to_flac(sine_model, tmp_path):
    done = run("render", sine_model, "-o", tmp_path / "mix.flac", "--seconds", 2, "-g", "A:0.5,C:0.5", "-t", 0)
    assert done.returncode == 0, done.stderr
    audio, _ = soundfile.read(tmp_path / "mix.flac")
    assert set(np.argsort(np.abs(np.fft.rfft(audio)))[-2:] // 2) == {220, 880}


BAD_ARGUMENTS = [
    (["-g", "Polka"], 2, ["Polka", "A, B, C"]),
    (["-t", "-1"], 2, ["temperature", "0 to 2"]),
    (["-t", "nan"], 2, ["temperature"]),
    (["--tempo", "120"], 2, ["tempo", "temperature"]),
    (["--seconds", "0"], 2, ["--seconds"]),
    (["--seconds", "-3"], 2, ["--seconds"]),
    (["--seconds", "inf"], 2, ["--seconds"]),
    (["--prime", "missing.wav"], 1, ["--prime", "missing.wav"]),
    (["-o", "nowhere/take.wav"], 2, ["nowhere", "does not exist"]),
    (["-o", "take.mp3"], 2, [".wav"]),
    (["-o", "."], 2, [".wav"]),
]


@pytest.mark.parametrize(("arguments", "code", "words"), BAD_ARGUMENTS)
def test_bad_arguments(sine_model, tmp_path, arguments, code, words):
    assert_one_line(run("render", sine_model, "-o", "take.wav", *arguments, cwd=tmp_path), code, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["missing", "text", "not ours", "newer", "cut short", "raising"])
def test_bad_models(tmp_path, kind):
    path, words = bad_files(tmp_path)[kind]
    output = tmp_path / "out"
    output.mkdir()
    assert_one_line(run("render", path, "-o", output / "take.wav"), 1, path.name, words)
    assert list(output.iterdir()) == []


def test_wrong_usage_is_2(sine_model):
    assert run("render", sine_model).returncode == 2
    assert run("render", sine_model, "-o", "x.wav", "--seed", "-1").returncode == 2


def test_a_model_that_cannot_hear_says_so(sine_model, tmp_path):
    soundfile.write(tmp_path / "loop.wav", np.zeros(48000), 48000)
    done = run("render", sine_model, "-o", "take.wav", "--prime", "loop.wav", cwd=tmp_path)
    assert_one_line(done, 2, "cannot be primed")
    assert not (tmp_path / "take.wav").exists()


@pytest.fixture(scope="module")
def layered_model(tmp_path_factory):
    return write(Layered(), tmp_path_factory.mktemp("layered") / "layered.ts", LAYERED)


def tones(audio: np.ndarray, seconds: float) -> list[float]:
    """The loudest frequency in the middle of each stretch of `seconds`, in Hz."""
    length = int(48000 * seconds)
    parts = [audio[start : start + length][length // 4 : -length // 4] for start in range(0, len(audio) - length + 1, length)]
    return [float(np.abs(np.fft.rfft(part * np.hanning(len(part)), 192000)).argmax() / 4) for part in parts]


CADENCE = ["Am", "F", "C", "G"]


@pytest.mark.parametrize(
    ("arguments", "beat_s"),
    [([], 0.5), (["-g", "Folk"], 60 / 90), (["--tempo", 150], 0.4), (["--set", "tempo=60"], 1.0)],
    ids=["own", "another genre's own", "tempo", "set"],
)
def test_chords_follow_the_beat(layered_model, tmp_path, arguments, beat_s):
    take = tmp_path / "take.wav"
    written = " ".join(f"{name}:2" for name in CADENCE)
    done = run("render", layered_model, "-o", take, "--seconds", 20 * beat_s, "--chords", written, *arguments)
    assert done.returncode == 0, done.stderr
    audio, rate = soundfile.read(take)
    expected = [chord_hz(parse_chord(name)) for name in CADENCE * 3][:10]
    assert tones(audio[:, 0], 2 * beat_s) == pytest.approx(expected, abs=1.5)
    # The second chord begins with the block of 256 in which its beat lies, which is the third.
    wave, start = audio[: 3 * rate, 0], int(2 * beat_s * rate) // 256 * 256
    omega = 2 * np.pi * expected[0] / rate
    residue = np.abs(wave[2:] - 2 * np.cos(omega) * wave[1:-1] + wave[:-2])
    assert 0 <= np.flatnonzero(residue[1000:] > 3e-5)[0] + 1000 + 2 - start <= 2


def test_chords_of_a_midi_file(layered_model, tmp_path):
    test_chord_file.write(tmp_path / "cadence.mid")
    done = run("render", layered_model, "-o", "take.flac", "--seconds", 10, "--chords", "cadence.mid", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    audio, _ = soundfile.read(tmp_path / "take.flac")
    assert tones(audio[:, 0], 2.0) == pytest.approx([chord_hz(parse_chord(name)) for name in [*CADENCE, "Am"]], abs=1.5)


def test_any_control_that_the_model_declares_is_set(layered_model, tmp_path):
    loud = {}
    for number, value in enumerate(("drums_level=0", "drums_level=-20", "drums_mute=on")):
        take = tmp_path / f"{number}.wav"
        done = run("render", layered_model, "-o", take, "--seconds", 0.5, "--set", value, "--set", "chord=Am")
        assert done.returncode == 0, done.stderr
        audio, _ = soundfile.read(take)
        loud[value] = np.abs(audio).max()
    assert list(loud.values()) == pytest.approx([0.2, 0.02, 0.0], abs=2e-3)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "drums=1"], 2, ["'drums'", "drums_level"]),
        (["--set", "drums_level=10"], 2, ["--set drums_level", "-60 to 6 dB"]),
        (["--set", "drums_level"], 2, ["NAME=VALUE"]),
        (["--set", "tempo=99", "--tempo", "99"], 2, ["twice"]),
        (["--chords", "Am:4 H:4"], 2, ["'H'"]),
        (["--chords", "none.mid"], 1, ["none.mid", "No such file"]),
        (["--chords", "Am:4", "-g", "Free Jazz"], 2, ["--chords", "give --tempo"]),
    ],
)
def test_bad_settings_and_chords(layered_model, tmp_path, arguments, code, words):
    assert_one_line(run("render", layered_model, "-o", "take.wav", *arguments, cwd=tmp_path), code, *words)
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_chords_says_so(sine_model, tmp_path):
    done = run("render", sine_model, "-o", tmp_path / "take.wav", "--chords", "Am:4 F:4")
    assert_one_line(done, 2, "--chords", "no control chord")
    assert_one_line(run("render", sine_model, "-o", tmp_path / "take.wav", "--set", "chord=Am"), 2, "chord", "temperature")
