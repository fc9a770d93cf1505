"""A named pipe where a file is wanted: refused in one line, and not waited for."""

import os
import subprocess
import sys

import pytest

from rig.waiting import PATIENCE_S
from tests.commands.run import assert_one_line, run

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


@pytest.mark.parametrize(
    "line",
    [
        "view {pipe} -o x.png",
        "render {model} --prime {pipe} -o x.wav",
        "play {model} --prime {pipe}",
        "render {pipe} -o x.wav",
        "info {pipe}",
        "train {pipe} -o x.ts",
        "evaluate {pipe} {pipe}",
    ],
)
def test_every_command(line, sine_model, tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    done = run(*line.format(pipe="pipe.wav", model=sine_model).split(), cwd=tmp_path)
    assert_one_line(done, 1, "pipe.wav: is a pipe")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe.wav"]


def test_the_chords_of_a_pipe(tmp_path):
    from noizestream.control.chord_file import read_chords
    from noizestream.errors import NoizestreamError

    os.mkfifo(tmp_path / "song.mid")
    with pytest.raises(NoizestreamError, match=r"song\.mid: is a pipe"):
        read_chords(tmp_path / "song.mid")


def test_standard_input_from_a_file_is_a_file(sine_model):
    with sine_model.open() as file:
        line = [sys.executable, "-m", "noizestream.cli", "info", "/dev/stdin"]
        done = subprocess.run(line, stdin=file, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0 and "A, B, C" in done.stdout, done.stderr
