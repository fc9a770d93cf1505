"""Starting Python processes that do not import the program that starts them.

`multiprocessing` has a spawned process import the main module once more. A script without `if __name__ == "__main__"` would start
its training again in each of them, and a program read from standard input has no module to import. What runs in our processes are
functions of this package only, so they need no main module at all.
"""

import multiprocessing
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any

from noizestream.errors import NoizestreamError
from noizestream.system import machine
from noizestream.system.files import reason

_starting = threading.Lock()


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        with _without_main():
            return SpawnProcess._Popen(process_obj)  # type: ignore[attr-defined]


class Context(SpawnContext):
    """A context as from `multiprocessing.get_context("spawn")`, whose processes do not import the main module.

    What a process runs, and its arguments, must not be of the main module. The processes are remembered: a pool has no way to end
    one that hangs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **options: Any) -> SpawnProcess:  # type: ignore[override]
        """Return a process that is still to be started; arguments and options are those of `multiprocessing.Process`."""
        self._started.append(_Process(*arguments, **options))
        return self._started[-1]

    def kill(self) -> None:
        """End all processes of this context by force."""
        for process in self._started:
            if process.is_alive():
                process.kill()

    def Lock(self) -> Any:
        """Return a lock, the first thing that a pool of processes needs of shared memory; NoizestreamError where there is none."""
        try:
            return super().Lock()
        except OSError as error:
            raise no_room("the locks of several processes", error) from None


def processes(wanted: int | None = None) -> int:
    """Return how many processes to share work between: `wanted`, or one per core; 0 (this one) where none may be started."""
    if multiprocessing.current_process().daemon:  # a worker of somebody's multiprocessing.Pool
        return 0
    return machine.cores() if wanted is None else wanted


def no_room(what: str, error: OSError) -> NoizestreamError:
    """Return the error to raise where shared memory has no room for `what`; it says how to make room."""
    knob = "make room in /dev/shm, or make it larger (docker run --shm-size=256m)"
    return NoizestreamError(f"no room for {what} ({reason(error)}); {knob}")


@contextmanager
def _without_main() -> Iterator[None]:
    """Within, the main module is an empty one: it has no file and no name that a process could import."""
    with _starting:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
