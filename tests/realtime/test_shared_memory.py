"""Shared memory that is not there: one line before it is written, not a bus error then."""

import errno
import os
import shutil
import subprocess
import sys
from multiprocessing import shared_memory

import pytest

from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import OutputBus
from rig.waiting import PATIENCE_S

SMALL = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=64k none /dev/shm && exec "$@"', "sh"]
"""What follows runs with 64 kB of shared memory, where this user may do so."""

PROGRAM = """
from noizestream.realtime.output_bus import OutputBus
from noizestream.errors import NoizestreamError
try:
    OutputBus.create(2, 100_000)
except NoizestreamError as error:
    print(error)
OutputBus.create(2, 1_000).close()
"""


def _can_make_it_small() -> bool:
    return shutil.which("unshare") is not None and subprocess.run([*SMALL, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not _can_make_it_small(), reason="this user cannot make shared memory smaller")
def test_shared_memory_that_is_too_small():
    done = subprocess.run([*SMALL, sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert "no room for 0.4 MB" in done.stdout and "/dev/shm" in done.stdout and len(done.stdout.splitlines()) == 1
    assert done.stderr == "", "nothing is left behind for the resource tracker to find"


@pytest.mark.skipif(not _can_make_it_small(), reason="this user cannot make shared memory smaller")
@pytest.mark.parametrize("line", ["bench {model} --seconds 0.1", "play {model} --record take.wav --seconds 1"])
def test_commands_say_it_in_one_line(line, sine_model, tmp_path):
    command = [*SMALL, sys.executable, "-m", "noizestream.cli", *line.format(model=sine_model).split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, cwd=tmp_path)
    assert done.returncode == 1 and "no room for" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system promises no memory that it does not have")
def test_what_was_begun_is_removed(monkeypatch):
    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made: list[shared_memory.SharedMemory] = []

    def make(*arguments: object, **options: object) -> shared_memory.SharedMemory:
        made.append(memory(*arguments, **options))
        return made[-1]

    memory = shared_memory.SharedMemory
    monkeypatch.setattr(shared_memory, "SharedMemory", make)
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(NoizestreamError, match=r"no room .* \(No space left on device\)"):
        OutputBus.create(2, 1000)
    with pytest.raises(FileNotFoundError):
        memory(made[0].name)
