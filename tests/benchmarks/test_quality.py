"""The quality benchmark from its command line, with a folder of audio in the model's place and with a model."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from noizestream.errors import NoizestreamError, UsageError

RATE = 48000
FILE = Path(__file__).parents[2] / "benchmarks" / "quality.py"


@pytest.fixture(scope="module")
def quality():
    spec = importlib.util.spec_from_file_location("quality_benchmark", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def library(folder: Path, seed: int) -> Path:
    """A: tones that beat twice a second; B: noise that never does; C: steady buzz. Six seconds each."""
    random = np.random.default_rng(seed)
    time = np.arange(6 * RATE) / RATE
    hz = 200 + 20 * random.random()
    genres = {
        "A": np.sin(2 * np.pi * hz * time) * np.exp(-6 * (time % 0.5)),
        "B": random.standard_normal(len(time)) * 0.3,
        "C": np.sign(np.sin(2 * np.pi * hz * time)),
    }
    for genre, audio in genres.items():
        (folder / genre).mkdir(parents=True)
        soundfile.write(folder / genre / "a.wav", 0.3 * audio, RATE)
    return folder


def test_like_music_is_recognised_and_unlike_music_is_not(quality, tmp_path, monkeypatch):
    monkeypatch.setenv("NOIZESTREAM_CACHE", str(tmp_path / "cache"))
    real, like = library(tmp_path / "real", 1), library(tmp_path / "like", 2)
    unlike = tmp_path / "unlike"
    for genre, other in (("A", "B"), ("B", "C"), ("C", "A")):
        (unlike / genre).mkdir(parents=True)
        shutil.copy(like / other / "a.wav", unlike / genre)
    figures = {}
    for name, folder in (("like", like), ("unlike", unlike)):
        target = tmp_path / f"{name}.json"
        result = CliRunner().invoke(
            quality.main, [str(real), "--audio", str(folder), "--json", str(target)], catch_exceptions=False
        )
        assert result.exit_code == 0 and "recognised" in result.output
        figures[name] = json.loads(target.read_text())
    assert set(figures["like"]) == {"A", "B", "C", "all"}
    assert figures["like"]["all"]["recognised"] > 0.9 and figures["unlike"]["all"]["recognised"] < 0.1
    assert figures["like"]["A"]["ratio"]["pulse"] == pytest.approx(1, abs=0.2)
    assert figures["unlike"]["A"]["ratio"]["pulse"] < 0.5
    assert figures["like"]["A"]["tempo_error"] < 0.01


def test_a_model_is_rendered(quality, tmp_path, monkeypatch, sine_model):
    monkeypatch.setenv("NOIZESTREAM_CACHE", str(tmp_path / "cache"))
    arguments = [str(sine_model), str(library(tmp_path / "real", 1)), "--seconds", "4", "--seeds", "2"]
    result = CliRunner().invoke(quality.main, [*arguments, "--json", str(tmp_path / "q.json")], catch_exceptions=False)
    assert result.exit_code == 0
    figures = json.loads((tmp_path / "q.json").read_text())
    assert figures["A"]["windows"] == 6 and figures["A"]["rendered"]["repeats"] > 0.8  # a tone that never ends


def test_wrong_use(quality, tmp_path):
    for arguments, error in (
        (["x"], UsageError),
        (["a", "b", "--audio", "c"], UsageError),
        (["m.ts", str(tmp_path)], NoizestreamError),
    ):
        assert isinstance(CliRunner().invoke(quality.main, arguments).exception, error)
