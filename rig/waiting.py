"""Waiting for what comes, however busy the machine: there is no other time limit than this one."""

import time
from collections.abc import Callable

PATIENCE_S = 900.0
"""Only what hangs waits so long: nothing that a test or a benchmark waits for takes a tenth of it on a machine of its own."""


def wait_for(condition: Callable[[], object], what: str | Callable[[], str], every_s: float = 0.005) -> None:
    """Return once `condition()` holds, which is asked every `every_s` seconds; AssertionError after `PATIENCE_S`, with `what`."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what if isinstance(what, str) else what()}"
        time.sleep(every_s)
