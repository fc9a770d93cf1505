"""Standard output and error that are full, closed or gone: one line, and the work is done all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.waiting import PATIENCE_S
from tests.commands.run import assert_one_line

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
COMMANDS = [["--help"], ["--version"], ["info"], ["info", "--json"], ["train", "--help"], ["devices"]]


def noizestream(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "noizestream.cli", *arguments], text=True, timeout=PATIENCE_S, **options)


def python(code: str, **options) -> subprocess.CompletedProcess:
    """`code` after the standard streams have been opened as the command line opens them."""
    start = "from noizestream.system.streams import close_output, open_standard_streams\nopen_standard_streams()\n"
    return subprocess.run([sys.executable, "-c", start + code], text=True, timeout=PATIENCE_S, **options)


@needs_full
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_output_that_is_full_is_one_line(arguments):
    with FULL.open("w") as full:
        done = noizestream(*arguments, stdout=full, stderr=subprocess.PIPE)
    assert_one_line(done, 1, "standard output", "No space left")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_pipe_that_is_closed_is_one_line(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = noizestream(*arguments, stdout=pipe, stderr=subprocess.PIPE)
    assert_one_line(done, 1, "standard output", "Broken pipe")


@needs_full
def test_messages_that_cannot_be_written_change_nothing():
    with FULL.open("w") as full:
        assert noizestream("info", "nowhere", stderr=full, stdout=subprocess.PIPE).returncode == 1
        assert noizestream("info", "--such", stderr=full, stdout=subprocess.PIPE).returncode == 2
        code = "from noizestream.ui.training import TrainingScreen\nwith TrainingScreen() as s: s.say('hello')\nprint('done')"
        done = python(code, stderr=full, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_what_was_lost_on_the_way_is_said_at_the_end():
    code = (
        "import contextlib, os\n"
        "with contextlib.suppress(OSError):\n"
        "    print('x', flush=True)\n"
        "print('y', flush=True)\n"
        "try:\n"
        "    close_output()\n"
        "except OSError as error:\n"
        "    os.write(2, str(error).encode())\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = python(code, stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "standard output: cannot be written (Broken pipe)")


def test_descriptors_that_are_closed_are_given_to_no_file(tmp_path):
    """Else what a C library prints lands in the next file that is opened."""
    file = tmp_path / "take.wav"
    code = f"import os, sys\nprint('hello')\ntake = open({str(file)!r}, 'w')\nos.write(1, b'noise')\nos.write(2, b'noise')\n"
    code += "os.system('echo noise; echo noise >&2')\nsys.stdout.flush(); close_output()\ntake.write('music')\n"
    close = 'exec 0<&- 1>&- 2>&-; exec "$@"'
    start = "from noizestream.system.streams import close_output, open_standard_streams\nopen_standard_streams()\n"
    done = subprocess.run(["sh", "-c", close, "sh", sys.executable, "-c", start + code], timeout=PATIENCE_S)
    assert done.returncode == 0
    assert file.read_text() == "music"


def test_no_character_stops_the_output():
    environment = os.environ | {"PYTHONIOENCODING": "latin-1:strict", "PYTHONUTF8": "0"}
    done = python("print('Höch \\u2500 caf\\udce9')", env=environment, stdout=subprocess.PIPE, encoding="latin-1")
    assert (done.returncode, done.stdout) == (0, "Höch ? caf?\n")


def test_a_working_directory_that_is_gone(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    line = ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", sys.executable, "-m", "noizestream.cli", "info"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    done = subprocess.run(line, cwd=gone, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    assert_one_line(done, 1, "working directory is gone")
