"""The JACK server of the live tests."""

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from rig.jack_server import JackServer
from rig.waiting import PATIENCE_S


@pytest.fixture(scope="session", autouse=True)
def alone() -> Iterator[None]:
    """These tests have the machine to themselves: those of another copy wait until ours are through, but not for ever."""
    lock = FileLock(Path(tempfile.gettempdir()) / "noizestream-live-tests.lock", timeout=PATIENCE_S, mode=0o666)
    with contextlib.suppress(Timeout, OSError):  # OSError: it is somebody else's file
        lock.acquire()
    yield
    lock.release()


@pytest.fixture(scope="session")
def jack_server() -> Iterator[JackServer]:
    """A dummy JACK server at 48 kHz with periods of 256 frames, of this test run only."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed (Debian, Ubuntu: apt install jackd2)")
    if importlib.util.find_spec("jack") is None:
        pytest.skip("JACK-Client is not installed (pip install JACK-Client)")
    with JackServer(f"noizestream-test-{os.getpid()}") as server:
        yield server
