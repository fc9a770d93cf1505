"""`make test` and `.ci/run`: both of their parts run, and either fails the whole."""

import os
import re
import shutil
import subprocess
import tomllib
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


MAKE = """#!/bin/sh
case "$*" in
  *" lint "*) exit {lint} ;;
  *) echo "2 passed"; exit {tests} ;;
esac
"""


@pytest.mark.parametrize(("lint", "tests"), [(0, 0), (2, 0), (0, 2), (2, 2)])
def test_a_clean_clone_is_linted_and_tested_and_ends_with_the_summary(lint, tests, tmp_path):
    folder, make = tmp_path / "clone" / ".ci", tmp_path / "bin" / "make"
    for path in (folder / "run", make):
        path.parent.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", folder / "run")
    make.write_text(MAKE.format(lint=lint, tests=tests))
    make.chmod(0o755)
    environment = os.environ | {"PATH": f"{make.parent}:{os.environ['PATH']}"}
    line = ["bash", str(folder / "run"), "tests/engine"]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, check=False)
    assert (done.returncode == 0) == (lint == tests == 0)
    assert done.stdout.splitlines()[-1] == "2 passed" and ("make lint failed" in done.stdout) == (lint != 0)


def test_the_tools_are_pinned_as_they_are_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {re.split(r"[<>=]", each)[0].lower() for each in project["optional-dependencies"]["dev"]}
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / "constraints.txt").read_text().lower(), re.MULTILINE))
    assert asked <= set(pinned) and not set(pinned) & {re.split(r"[<>=]", each)[0].lower() for each in project["dependencies"]}
