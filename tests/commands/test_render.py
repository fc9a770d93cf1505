"""`noizestream render` as a person runs it."""

import numpy as np
import pytest
import soundfile

from tests.commands.run import assert_one_line, run
from tests.test_artifact import bad_files


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
    (["-o", "nowhere/take.wav"], 1, ["nowhere", "does not exist"]),
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
