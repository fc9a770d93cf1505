"""A block of shared memory with NumPy views on it, one writer per slot and no lock: what rings and the bus are made of."""

import os
import threading
from multiprocessing import shared_memory
from typing import Any, Self

import numpy as np

from noizestream.system.spawn import no_room


def fence() -> None:
    """Order what this process has written and read so far before what follows, as other processors see it (ARM needs it, x86 not).

    Python has no fence. Taking and leaving a lock twice is one: POSIX makes both synchronise memory; they are a load-acquire and a
    store-release, and ARM keeps the first release, with all before it, ahead of the second acquire, with all behind it. A new lock
    each time, so that nobody ever waits for it.
    """
    lock = threading.Lock()
    with lock:
        pass
    with lock:
        pass


class SharedBlock:
    """Made in one process by `_create`, which removes it in the end, and attached to by name in others. Close it in each of them.

    A kind of block sets its views, arrays over `memory`, in `_view`. `layout` is picklable and has its `size` in bytes.
    """

    header: np.ndarray

    def __init__(self, memory: shared_memory.SharedMemory, layout: Any, owner: bool):
        self.memory, self.layout, self._owner = memory, layout, owner
        self._view(memory.buf, layout)

    def _view(self, buffer: Any, layout: Any) -> None:
        raise NotImplementedError

    @classmethod
    def _create(cls, layout: Any) -> Self:
        return cls(_reserved(layout.size), layout, owner=True)

    @classmethod
    def attach(cls, name: str, layout: Any) -> Self:
        """The block that another process has made."""
        return cls(shared_memory.SharedMemory(name=name), layout, owner=False)

    @property
    def is_open(self) -> bool:
        """False after `close`."""
        return hasattr(self, "header")

    def close(self) -> None:
        """Let go of the memory; the creator also removes it. The views are unusable afterwards."""
        for name in [name for name, value in vars(self).items() if isinstance(value, np.ndarray)]:
            delattr(self, name)
        self.memory.close()
        if self._owner:
            self.memory.unlink()


def _reserved(size: int) -> shared_memory.SharedMemory:
    """Shared memory of `size` bytes that are there; NoizestreamError where there is no room for them.

    Linux promises them, and ends whoever writes to one that it does not have (SIGBUS): containers have 64 MB, or less.
    """
    memory = None
    try:
        memory = shared_memory.SharedMemory(create=True, size=size)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(memory._fd, 0, size)  # type: ignore[attr-defined]
        return memory
    except OSError as error:
        if memory is not None:
            memory.close()
            memory.unlink()
        raise no_room(f"{size / 1e6:.1f} MB of shared memory", error) from None
