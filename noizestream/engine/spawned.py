"""What the processes beside the main one have in common."""

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from noizestream.errors import NoizestreamError


def spawn(target: Callable[..., None], name: str, *arguments: Any, duplex: bool = True) -> tuple[Connection, BaseProcess]:
    """Start `target(pipe, *arguments)` in a process that Ctrl-C does not reach; returns our end of the pipe, and the process.

    Not `duplex`: only the process speaks. NoizestreamError where the system starts none now.
    """
    context = multiprocessing.get_context("spawn")
    try:
        ours, theirs = context.Pipe(duplex)
        with theirs:
            process = context.Process(target=target, args=(theirs, *arguments), name=f"noizestream {name}", daemon=True)
            with ignoring_interrupts():
                process.start()
    except OSError as error:
        raise NoizestreamError(f"the {name} process cannot be started ({error.strerror or error})") from None
    return ours, process


@contextlib.contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Start a process inside the block: it inherits that Ctrl-C is ignored, and never sees one, not even while it imports."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def ignore_signals() -> None:
    """In such a process: a terminal, or a system that ends a whole group, signals it too, but only the main process decides."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
