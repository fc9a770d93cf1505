"""`make test`: both of its parts run, and either fails the whole."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = """#!/bin/sh
case "$*" in
  *--ignore*) echo "all but the live tests"; exit {rest} ;;
  *) echo "the live tests"; exit {live} ;;
esac
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("rest", "live"), [(0, 0), (1, 0), (0, 1), (2, 5)])
def test_the_live_tests_start_whatever_becomes_of_the_others(rest, live, tmp_path):
    python = tmp_path / "bin" / "python"  # stands for the environment's: says what it was to run
    python.parent.mkdir()
    python.write_text(PYTHON.format(rest=rest, live=live))
    python.chmod(0o755)
    line = ["make", "--no-print-directory", "-o", "setup", "-o", "setup-tests", "test", f"VENV={tmp_path}", "ARGS="]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["all but the live tests", "the live tests"], done.stderr
    assert (done.returncode == 0) == (rest == live == 0)
    assert (f"exit code {rest} of all but the live tests, {live} of the live tests" in done.stderr) == (done.returncode != 0)
