"""What the machine says of itself."""

import os
import subprocess
import sys
import time

import pytest

from noizestream.system import machine


def test_memory_of_a_process_grows_by_what_it_holds():
    """Of a new one: this one may hold memory that it has freed, and take that."""
    code = """
import os
from noizestream.system import machine
before = machine.resident_mb(os.getpid())
held = bytearray(os.urandom(1 << 20)) * 64
print(machine.resident_mb(os.getpid()) - before)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(told.stdout) == pytest.approx(64, abs=16)


def test_time_of_this_process():
    assert machine.processor_seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.1)


def test_versions_without_importing():
    described = machine.description()
    assert described["torch"].startswith("2") and described["cores"] >= 1
    assert machine.version("no-such-package") is None
