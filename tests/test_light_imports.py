"""What must start at once imports nothing heavy."""

import subprocess
import sys

import pytest

HEAVY = "torch librosa scipy numba sklearn pandas matplotlib soundfile sounddevice rtmidi pythonosc".split()  # noqa: SIM905

CODE = """
import sys
sys.argv = ["noizestream", *{arguments!r}]
from noizestream.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
heavy = [name for name in {heavy!r} if name in sys.modules]
assert not heavy, heavy
"""


def check(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-c", CODE.format(arguments=arguments, heavy=HEAVY)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["render", "--help"], ["info", "--help"], ["osc", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    check(*arguments)


def test_info_imports_nothing_heavy(sine_model):
    check("info", str(sine_model))


def test_the_addresses_import_nothing_heavy(sine_model):
    check("osc", str(sine_model))
