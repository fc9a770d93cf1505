"""Ctrl-C, a system that ends us, a terminal that is closed: all end the music the same way, with a fade and the statistics."""

import signal
import threading
from types import TracebackType
from typing import Any

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupts:
    """`with Interrupts() as interrupts:` raises KeyboardInterrupt until `gently`; from then on signals only end `wait`."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._raising = True
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
            self._before = {number: signal.signal(number, self._handle) for number in numbers}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def gently(self) -> None:
        """Nothing raises any more: whatever is under way, a fade or the header of a recording, is finished."""
        self._raising = False

    def wait(self, timeout_s: float) -> bool:
        """Wait for `timeout_s`, less if interrupted; return whether it was, now or before."""
        return self._ending.wait(timeout_s)

    def _handle(self, number: int, frame: Any) -> None:
        self._ending.set()
        if self._raising:
            raise KeyboardInterrupt
