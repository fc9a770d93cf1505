"""Fixtures that many tests share."""

import importlib.util
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from noizestream.music import compiled

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Compile what the tests use of librosa before they run in parallel, and keep features of music for this run alone.

    What a run before has left, or one beside it makes, must not decide what this one shows, nor whether a shell has put it into the
    background and nohup before it: programs that are started here hear signals as in a terminal. xdist's workers inherit all that.
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    compiled.ready()
    os.environ["NOIZESTREAM_CACHE"] = folder = tempfile.mkdtemp(prefix="noizestream-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session")
def sine_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file made by examples/sine_model.py: genres A, B and C are tones of 220, 440 and 880 Hz."""
    spec = importlib.util.spec_from_file_location("sine_model_example", ROOT / "examples" / "sine_model.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    path = tmp_path_factory.mktemp("models") / "sine.ts"
    example.write(str(path))
    return path
