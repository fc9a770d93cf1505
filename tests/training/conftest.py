"""A small library to train on, prepared once: one genre in stereo that leans left, one in mono, and the faults of real folders:
a second spelling of its name and a link to it among them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from noizestream.music.library import read_library
from noizestream.training.config import Config, resolve
from noizestream.training.data.dataset import Prepared
from noizestream.training.data.prepare import prepare
from noizestream.training.recipes.units import UnitRecipe

RATE = 48000


def clicks(bpm: float, seconds: float, first: float = 0.0, pitch: float = 200.0, seed: int = 0) -> np.ndarray:
    """Decaying tones on every beat over a little noise: float32 [n]."""
    time = np.arange(round(seconds * RATE)) / RATE
    since = np.mod(time - first, 60 / bpm)
    sound = 0.4 * np.sin(2 * np.pi * pitch * time) * np.exp(-since * 20)
    return (sound + 0.005 * np.random.default_rng(seed).standard_normal(len(time))).astype(np.float32)


def quiet(*arguments) -> None:
    """A report or progress that says nothing."""


def never() -> bool:
    """A stop that never comes."""
    return False


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for genre, bpm, pitch in (("Höch", 120, 800), ("low", 90, 150)):
        (folder / genre).mkdir()
        for number in range(2):
            sound = clicks(bpm, 16, pitch=pitch * (1 + 0.1 * number), seed=number)
            sides = np.stack([1.5 * sound, 0.5 * sound], 1) if genre == "Höch" else sound
            soundfile.write(folder / genre / f"{number}.wav", sides, RATE)
    (folder / "low" / "broken.wav").write_text("this is not audio")
    (folder / "low" / "empty.mp3").touch()
    soundfile.write(folder / "low" / "silent.wav", np.zeros(5 * RATE), RATE)
    soundfile.write(folder / "low" / "short.wav", clicks(90, 1), RATE)
    (folder / "low ").mkdir()
    (folder / "low" / "1.wav").rename(folder / "low " / "1.wav")
    (folder / "again").symlink_to(folder / "low", target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def config() -> Config:
    return resolve("small", steps=4, minutes=0, batch=4, slots=32, hidden=32, codes=24, holdout=0.2)


@pytest.fixture(scope="session")
def prepared(music: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    return prepare(read_library(music), config, folder, cache_root=tmp_path_factory.mktemp("cache"), workers=0)


@pytest.fixture(scope="session")
def recipe(prepared: Prepared, config: Config, tmp_path_factory: pytest.TempPathFactory) -> UnitRecipe:
    """A generator that has learned for a hundred steps."""
    made = UnitRecipe(prepared, replace(config, steps=100), tmp_path_factory.mktemp("learned"))
    made.build(quiet)
    made.fit()
    return made
