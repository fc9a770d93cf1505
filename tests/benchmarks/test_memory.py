"""The benchmark of memory sees the whole family of a process."""

import os
import subprocess
import sys

import pytest

from benchmarks import memory

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="only Linux tells which process started which")
def test_children_of_children_are_counted():
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "1\n"
        mine = memory.family(process.pid)
        assert mine[0] == process.pid and len(mine) == 2
        assert set(mine) < set(memory.family(os.getpid()))
        assert all(1 < own < 100 and server == 0 for own, server in map(memory.share_mb, mine))
    finally:
        process.communicate("\n")
