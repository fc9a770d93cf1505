"""What the machine says of itself."""

import os
import time

import pytest

from noizestream.system import machine


def test_memory_and_time_of_this_process():
    before = machine.resident_mb(os.getpid())
    held = bytearray(os.urandom(1 << 20)) * 64
    assert machine.resident_mb(os.getpid()) - before == pytest.approx(64, abs=16)
    del held
    assert machine.processor_seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.1)


def test_versions_without_importing():
    described = machine.description()
    assert described["torch"].startswith("2") and described["cores"] >= 1
    assert machine.version("no-such-package") is None
