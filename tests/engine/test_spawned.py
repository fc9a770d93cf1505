"""A system that starts no more processes."""

import errno
import os

import pytest

from noizestream.engine.spawned import spawn
from noizestream.errors import NoizestreamError


def test_a_process_that_cannot_be_started_is_one_line(monkeypatch):
    popen = pytest.importorskip("multiprocessing.popen_spawn_posix")

    def refuse(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(popen.Popen, "__init__", refuse)
    with pytest.raises(NoizestreamError, match=f"^the worker process cannot be started .{os.strerror(errno.EAGAIN)}.$"):
        spawn(print, "worker")
