"""Answering signals: only those that this process was not told to ignore."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Handler = Callable[[int, Any], None] | signal.Handlers


def by_default(*names: str) -> None:
    """Give the signals `names` to the system's own action from now on, in this process; one that is ignored stays ignored."""
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def answering(handler: Handler, *names: str) -> Iterator[None]:
    """Have `handler` answer the signals `names` (SIGINT, SIGHUP ...) inside the `with` block, where this system has them.

    One that is ignored stays ignored: `nohup`, or a shell that put us into the background, wants it so. Outside of the main thread
    nothing changes, as Python handles signals there only.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):  # None: not Python's, and could not be put back
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handled in before.items():
            signal.signal(number, handled)
