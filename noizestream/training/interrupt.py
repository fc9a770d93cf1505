"""How a training is ended early, and that it leaves the process as it was."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from noizestream.system.signals import answering


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Within, the first Ctrl-C makes the yielded function return True; a second one interrupts at once."""
    pressed: list[bool] = []

    def handle(number: int, frame: Any) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(True)

    with answering(handle, "SIGINT"):
        yield lambda: bool(pressed)


@contextmanager
def random_of_caller() -> Iterator[None]:
    """A training seeds torch's random numbers: to the program that asked for it they go on as if it had not been."""
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_rng_state()
    try:
        yield
    finally:
        if torch is not None:
            torch.set_rng_state(before)
