"""A process that is ended by who it is, not by its number alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from noizestream.realtime.follower import Follower
from noizestream.system import machine
from rig.waiting import PATIENCE_S

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a worker is followed")


@pytest.fixture
def process() -> Iterator[subprocess.Popen]:
    """One that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def no_descriptor(pid: int) -> int:
    raise OSError("an old kernel")


@pytest.mark.parametrize("descriptors", [True, False])
def test_it_is_killed(process, monkeypatch, descriptors):
    if not descriptors:
        monkeypatch.setattr(os, "pidfd_open", no_descriptor)
    follower = Follower(process.pid, machine.started(process.pid))
    follower.kill()
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    follower.kill()  # it has been reaped: nothing happens
    follower.close()


@pytest.mark.parametrize("descriptors", [True, False])
def test_another_that_has_its_number_now_is_left_alone(process, monkeypatch, descriptors):
    if not descriptors:
        monkeypatch.setattr(os, "pidfd_open", no_descriptor)
    follower = Follower(process.pid, machine.started(process.pid) - 1)
    follower.kill()
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.wait(PATIENCE_S) == 0
    follower.close()
    follower.close()
