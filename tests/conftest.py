"""Fixtures that many tests share."""

import importlib.util
from pathlib import Path

import pytest

from noizestream.music import compiled

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Compile what the tests use of librosa before they run in parallel: xdist's workers inherit the cache's place."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        compiled.ready()


@pytest.fixture(scope="session")
def sine_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file made by examples/sine_model.py: genres A, B and C are tones of 220, 440 and 880 Hz."""
    spec = importlib.util.spec_from_file_location("sine_model_example", ROOT / "examples" / "sine_model.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    path = tmp_path_factory.mktemp("models") / "sine.ts"
    example.write(str(path))
    return path
