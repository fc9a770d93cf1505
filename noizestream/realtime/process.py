"""What the processes beside the main one have in common."""

import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from noizestream.errors import NoizestreamError
from noizestream.system.files import reason
from noizestream.system.signals import answering
from noizestream.system.spawn import Context


def spawn(target: Callable[..., None], name: str, *arguments: Any, duplex: bool = True) -> tuple[Connection, BaseProcess]:
    """Start `target(pipe, *arguments)` in a process that Ctrl-C does not reach; returns our end of the pipe, and the process.

    Not `duplex`: only the process speaks. NoizestreamError where the system starts none now.
    """
    context = Context()
    try:
        ours, theirs = context.Pipe(duplex)
        with theirs:
            process = context.Process(target=target, args=(theirs, *arguments), name=f"noizestream {name}", daemon=True)
            with answering(signal.SIG_IGN, "SIGINT"):  # inherited: it never sees a Ctrl-C, not even while it imports
                process.start()
    except OSError as error:
        raise NoizestreamError(f"the {name} process cannot be started ({reason(error)})") from None
    return ours, process


def ignore_signals() -> None:
    """In such a process: a terminal, or a system that ends a whole group, signals it too, but only the main process decides."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
