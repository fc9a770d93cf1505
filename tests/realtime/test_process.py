"""A system that starts no more processes."""

import errno
import os

import pytest

from noizestream.errors import NoizestreamError
from noizestream.realtime.process import spawn


@pytest.mark.parametrize("lacking", ["multiprocessing.popen_spawn_posix.Popen.__init__", "multiprocessing.connection.Pipe"])
def test_a_process_that_cannot_be_started_is_one_line(monkeypatch, lacking):
    pytest.importorskip("multiprocessing.popen_spawn_posix")

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(lacking, refuse)
    with pytest.raises(NoizestreamError, match=f"^the worker process cannot be started .{os.strerror(errno.EMFILE)}.$"):
        spawn(print, "worker")
