"""Ctrl-C, a system that ends us, a terminal that is closed: all end the music the same way, with a fade and the statistics."""

import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from noizestream.system.signals import answering

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupts:
    """`with Interrupts() as interrupts:` raises KeyboardInterrupt until `gently`; from then on signals only end `wait`.

    Signals that were ignored before, as under nohup, stay ignored. One that is never entered hears of no signal, only of `end`.
    """

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._raising = True
        self._answering: AbstractContextManager[None] = answering(self._handle, *SIGNALS)

    def __enter__(self) -> "Interrupts":
        self._answering.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._answering.__exit__(kind, error, trace)

    def gently(self) -> None:
        """Nothing raises any more: whatever is under way, a fade or the header of a recording, is finished."""
        self._raising = False

    def end(self) -> None:
        """End `wait` from any thread, as a signal does after `gently`."""
        self._ending.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for `timeout_s`, less if interrupted; return whether it was, now or before."""
        return self._ending.wait(timeout_s)

    def _handle(self, number: int, frame: Any) -> None:
        self._ending.set()
        if self._raising:
            raise KeyboardInterrupt
