"""What messages call an argument: as the person who gave it does."""

import subprocess
import sys

import pytest

import noizestream
from noizestream.errors import UsageError
from noizestream.training.config import resolve
from rig.waiting import PATIENCE_S
from tests.commands.run import assert_one_line, run

WRONG = [
    ({"minutes": -1}, "minutes"),
    ({"minutes": 1, "steps": 1}, "steps"),
    ({"steps": 0}, "steps"),
    ({"preset": "huge"}, "preset"),
    ({"arch": "gan"}, "arch"),
    ({"loss": "l1", "arch": "raw"}, "loss"),
    ({"output": "m.wav"}, "output"),
    ({"output": "missing/m.ts"}, "output"),
    ({"base": "studio", "arch": "raw"}, "base"),
    ({"device": "tpu"}, "device"),
    ({"memory_mb": 0}, "memory_mb"),
    ({"rate": 1}, "rate"),
    ({"seed": -1}, "seed"),
    ({"genres": "Jazz"}, "genres"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("arguments", "name"), WRONG)
def test_in_python_messages_name_the_argument(arguments, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=rf"\b{name}\b") as raised:
        noizestream.train(tmp_path, **arguments)
    assert "--" not in str(raised.value) and "-o " not in str(raised.value) and "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "option"),
    [(["--memory", "0"], "--memory"), (["--rate", "1"], "--rate"), (["--seed", "-1"], "--seed"), (["-o", "m.wav"], "-o m.wav")],
)
def test_on_the_command_line_they_name_the_option(arguments, option, tmp_path):
    assert_one_line(run("train", tmp_path, *arguments), 2, option)


def test_the_edges_of_a_range_are_in_it():
    assert resolve(memory_mb=0.5, sample_rate=96000).memory_mb == 0.5


def test_only_the_command_line_speaks_of_options():
    """Importing it, as a documentation tool does, is not yet being it."""
    code = "import noizestream.cli\nfrom noizestream.errors import option\nprint(option('minutes'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout == "minutes\n", done.stderr
