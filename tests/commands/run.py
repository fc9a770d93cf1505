"""The real command line in a process of its own."""

import subprocess
import sys
from pathlib import Path

from rig.waiting import PATIENCE_S


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """`noizestream ARGUMENTS`; returns with `returncode`, `stdout` and `stderr` (text)."""
    line = [sys.executable, "-m", "noizestream.cli", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd, timeout=PATIENCE_S)


def assert_one_line(done: subprocess.CompletedProcess, code: int, *words: str) -> None:
    """The command failed with exit `code` and one line on standard error that holds `words`; no traceback."""
    assert done.returncode == code, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("noizestream: "), done.stderr
    assert all(word in lines[0] for word in words), lines[0]
