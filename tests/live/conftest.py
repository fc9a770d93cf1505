"""The JACK server of the live tests."""

import importlib.util
import os
import shutil
from collections.abc import Iterator

import pytest

from rig.jack_server import JackServer


@pytest.fixture(scope="session")
def jack_server() -> Iterator[JackServer]:
    """A dummy JACK server at 48 kHz with periods of 256 frames, of this test run only."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed (Debian, Ubuntu: apt install jackd2)")
    if importlib.util.find_spec("jack") is None:
        pytest.skip("JACK-Client is not installed (pip install JACK-Client)")
    with JackServer(f"noizestream-test-{os.getpid()}") as server:
        yield server
