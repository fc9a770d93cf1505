"""Processes for programs that multiprocessing would not start them for: from standard input, or without a main guard."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rig.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent

PROGRAM = """
print("main")
import sys
from noizestream.music.library import read_library
from noizestream.music.parallel import decode_all
skipped = []
for piece in decode_all(read_library(sys.argv[1]).tracks, skipped, workers=2):
    print(piece.track.title, piece.audio.shape)
print(skipped)
"""
HEARD = "main\na (1, 192000)\nb (1, 192000)\n[]\n"


@pytest.fixture
def library(tmp_path) -> Path:
    folder = tmp_path / "music" / "noise"
    folder.mkdir(parents=True)
    for name in "ab":
        soundfile.write(folder / f"{name}.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 4 * 48000), 48000)
    return folder.parent


def python(*arguments: object, **options) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=PATIENCE_S, **options)


def test_a_program_from_standard_input(library):
    done = python("-", library, input=PROGRAM)
    assert (done.returncode, done.stdout, done.stderr) == (0, HEARD, "")


def test_a_script_without_a_main_guard(library, tmp_path):
    """It runs once, not once more in every process."""
    (tmp_path / "script.py").write_text(PROGRAM)
    done = python(tmp_path / "script.py", library, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, HEARD, "")


def test_in_a_process_that_may_start_none(library, tmp_path):
    """A worker of somebody's own pool."""
    program = "import multiprocessing, sys\ndef work(path):\n"
    program += "".join(f"    {line}\n" for line in PROGRAM.replace("sys.argv[1]", "path").splitlines()) + "    sys.stdout.flush()\n"
    program += "if __name__ == '__main__':\n    with multiprocessing.Pool(1) as pool:\n        pool.map(work, [sys.argv[1]])\n"
    (tmp_path / "script.py").write_text(program)
    done = python(tmp_path / "script.py", library)
    assert (done.returncode, done.stdout, done.stderr) == (0, HEARD, "")
