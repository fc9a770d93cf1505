"""A child process: what it says, how it fails and ends, and that it is ended by who it is, not by its number alone."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from noizestream.errors import NoizestreamError, UsageError
from noizestream.realtime.parent import Parent
from noizestream.realtime.process import ChildProcess, Close, Failure, Follows
from noizestream.system import machine
from rig.waiting import PATIENCE_S, wait_for
from tests.processes import alive

linux = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a process is followed")


def echo(parent: Parent) -> None:
    """Says what it is told, and ends when it is told to."""
    while not isinstance(message := parent.receive(60), Close):
        if message is not None:
            parent.send(message)


def fail(parent: Parent, error: Exception) -> None:
    """Says what went wrong."""
    parent.send(Failure.of(error, "it failed"))


def hang(parent: Parent) -> None:
    """Does not listen."""
    parent.send("deaf")
    time.sleep(600)


def watch(parent: Parent) -> None:
    """Only looks whether the main process is there."""
    while parent.lives:
        time.sleep(0.01)


def test_nothing_is_started_before_it_is_opened():
    process = ChildProcess(echo, "echo")
    assert process.pid == 0 and not process.alive and not process.is_open
    with pytest.raises(NoizestreamError, match="ended unexpectedly"):
        process.poll()
    process.send(Close())
    process.kill()
    process.close()


def test_it_answers_and_ends_when_it_is_closed():
    with ChildProcess(echo, "echo") as process:
        assert process.poll() is None and process.alive and process.pid > 0
        for message in ("first", Follows(1, 2)):
            process.send(message)
            assert process.poll(PATIENCE_S) == message
        os.kill(process.pid, signal.SIGINT)  # not its business
        process.send("still there")
        assert process.poll(None) == "still there"
        process.end(PATIENCE_S)
    assert process.exit_code() == 0 and not process.alive
    process.close()
    process.send("nobody hears it")
    with pytest.raises(NoizestreamError, match=r"^the echo process ended unexpectedly$"):
        process.poll()


def test_what_it_has_said_can_be_polled_after_its_end_and_not_after_it_is_closed():
    process = ChildProcess(echo, "echo").open()
    process.send("last words")
    process.end(PATIENCE_S)
    assert process.exit_code() == 0 and process.poll() == "last words"
    with pytest.raises(NoizestreamError):
        process.poll()
    process.close()


@pytest.mark.parametrize(
    ("error", "kind", "line"),
    [(UsageError("no such thing"), UsageError, "no such thing"), (ZeroDivisionError("1/0"), NoizestreamError, "it failed")],
)
def test_an_error_arrives_as_what_it_is_if_it_is_for_the_user(error, kind, line):
    with ChildProcess(fail, "failing", error) as process:
        failure = process.poll(PATIENCE_S)
        assert isinstance(failure, Failure) and type(failure.error) is kind and str(failure.error) == line
        with pytest.raises(NoizestreamError, match=r"^the failing process ended unexpectedly$"):
            process.poll(PATIENCE_S)


def test_one_that_is_killed_says_no_more():
    with ChildProcess(echo, "echo") as process:
        process.kill()
        with pytest.raises(NoizestreamError, match="ended unexpectedly"):
            process.poll(PATIENCE_S)
        assert process.exit_code() == -signal.SIGKILL and not process.alive


def test_one_that_does_not_end_by_itself_is_killed():
    process = ChildProcess(hang, "hanging").open()
    assert process.poll(PATIENCE_S) == "deaf"
    process.close(timeout_s=0.05)
    assert process.exit_code() == -signal.SIGKILL
    process.close()


@pytest.mark.parametrize("lacking", ["multiprocessing.popen_spawn_posix.Popen.__init__", "multiprocessing.connection.Pipe"])
def test_a_process_that_cannot_be_started_is_one_line(monkeypatch, lacking):
    pytest.importorskip("multiprocessing.popen_spawn_posix")

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(lacking, refuse)
    process = ChildProcess(echo, "worker")
    with pytest.raises(NoizestreamError, match=f"^the worker process cannot be started .{os.strerror(errno.EMFILE)}.$"):
        process.open()
    process.close()


MAIN = """
import time
from noizestream.realtime.process import ChildProcess
from tests.realtime import test_process
print(*(ChildProcess(getattr(test_process, name), name).open().pid for name in ("echo", "watch")), flush=True)
time.sleep(600)
"""


def test_it_ends_with_a_main_process_that_is_killed():
    main = subprocess.Popen([sys.executable, "-c", MAIN], stdout=subprocess.PIPE, text=True)
    try:
        pids = [int(pid) for pid in main.stdout.readline().split()]
        assert len(pids) == 2
    finally:
        main.kill()
        main.wait()
        main.stdout.close()
    for pid in pids:
        wait_for(lambda pid=pid: not alive(pid), "the end of the child process")


@pytest.fixture
def other() -> Iterator[subprocess.Popen]:
    """A process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def following(monkeypatch, descriptors: bool, follower: Follows) -> ChildProcess:
    """One whose place `follower` has taken; not `descriptors`: on a kernel that has none of processes."""

    def no_descriptor(pid: int) -> int:
        raise OSError("an old kernel")

    if not descriptors:
        monkeypatch.setattr(os, "pidfd_open", no_descriptor)
    process = ChildProcess(echo, "echo")
    process.follow(follower)
    assert process.pid == follower.pid and process.exit_code() is None
    return process


@linux
@pytest.mark.parametrize("descriptors", [True, False])
def test_one_that_follows_is_killed(other, monkeypatch, descriptors):
    process = following(monkeypatch, descriptors, Follows(other.pid, machine.started(other.pid)))
    process.kill()
    assert other.wait(PATIENCE_S) == -signal.SIGKILL
    process.kill()  # it has been reaped: nothing happens
    process.close()


@linux
@pytest.mark.parametrize("descriptors", [True, False])
def test_another_that_has_its_number_now_is_left_alone(other, monkeypatch, descriptors):
    process = following(monkeypatch, descriptors, Follows(other.pid, machine.started(other.pid) - 1))
    process.kill()
    other.stdin.write(b"\n")
    other.stdin.flush()
    assert other.wait(PATIENCE_S) == 0
    process.close()
    process.close()


@linux
def test_who_follows_one_that_follows_leaves_no_file_open(other):
    process = ChildProcess(echo, "echo").open()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        process.follow(Follows(other.pid, machine.started(other.pid)))
    assert process.pid == other.pid and len(os.listdir("/proc/self/fd")) == before + 1
    process.close(PATIENCE_S)
    assert len(os.listdir("/proc/self/fd")) == before - 1, "neither the descriptor nor the pipe"
    assert other.poll() is None, "the one that was told to end has ended by itself"
