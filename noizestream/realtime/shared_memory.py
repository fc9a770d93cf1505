"""Blocks of shared memory without a lock: numbers by name, each with one writer, and NumPy arrays beside them.

A kind of block declares its numbers once, in a subclass of `Slots` for each side that writes some. A process says as what it opens
a block; its view of all that others write is read-only:

    ring = Ring.create(4096, 2)                         # as "main"
    ring.main.run = 1                                   # its own
    ring.worker.written                                 # the worker's: it can be read, and to write it raises TypeError
    Ring.attach(ring.memory.name, ring.layout, "worker")

The compiled callback, which is handed an address, takes the places of the numbers from `SharedBlock.positions`.
"""

import os
import struct
import threading
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import shared_memory
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike

from noizestream.system.spawn import no_room

WORD = 8
"""Bytes of a number, an int64 or a float64."""
LINE = 8
"""Words of a cache line: no two sides write into the same one."""

Side = Literal["main", "worker", "callback", "recorder"]
"""Who writes: the main process, the worker process, the audio callback, the recorder (a thread of the main process)."""


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


@dataclass(frozen=True)
class Slot:
    """One number in shared memory: its name, its kind (int or float), who alone writes it, its meaning, its first value."""

    name: str
    kind: type
    writer: Side
    meaning: str
    initial: float


def number(meaning: str, initial: float = 0) -> Any:
    """Declare a number in a subclass of `Slots`: `name: int = number("what it means")`, or float. A new block holds `initial`."""
    return meaning, initial


class Slots:
    """The numbers that one side writes and all read, as attributes. What a subclass declares with `number` is in its `table`."""

    writer: ClassVar[Side]
    table: ClassVar[tuple[Slot, ...]]
    words: ClassVar[int]

    def __init_subclass__(cls, writer: Side) -> None:
        declared = {name: vars(cls)[name] for name in cls.__annotations__}
        cls.writer = writer
        cls.table = tuple(Slot(name, cls.__annotations__[name], writer, *what) for name, what in declared.items())
        cls.words = -(-len(cls.table) // LINE) * LINE
        for position, slot in enumerate(cls.table):
            setattr(cls, slot.name, _of_floats(position, slot) if slot.kind is float else _of_ints(position, slot))

    def __init__(self, memory: memoryview):
        """Look at `memory`, bytes; where it is read-only, so are the numbers."""
        self._ints, self._floats = memory.cast("q"), memory.cast("d")

    def release(self) -> None:
        """Let go of the memory: the numbers can be read no more (ValueError)."""
        self._ints.release()
        self._floats.release()


def _of_ints(position: int, slot: Slot) -> property:
    def get(view: Slots) -> int:
        return view._ints[position]

    def put(view: Slots, value: int) -> None:
        view._ints[position] = value

    return property(get, put, doc=slot.meaning)


def _of_floats(position: int, slot: Slot) -> property:
    def get(view: Slots) -> float:
        return view._floats[position]

    def put(view: Slots, value: float) -> None:
        view._floats[position] = value

    return property(get, put, doc=slot.meaning)


class Layout(Protocol):
    """What names a block of a kind, beside its memory: the sizes of its arrays, picklable."""

    @property
    def size(self) -> int:
        """Bytes of the block."""


class SharedBlock:
    """Made in one process by `_create`, which removes it in the end, and attached to by name in others. Close it in each of them.

    A kind of block names its `sides`, whose numbers lie at its start and are attributes called as their writers are; behind them
    lie the arrays that it makes in `_view`.
    """

    sides: ClassVar[tuple[type[Slots], ...]]

    def __init__(self, memory: shared_memory.SharedMemory, layout: Any, writes: tuple[Side, ...], owner: bool):
        self.memory, self.layout, self._writes, self._owner = memory, layout, writes, owner
        assert memory.buf is not None
        self._bytes, self.is_open = memory.buf, True
        start = 0
        for side in self.sides:
            end = start + WORD * side.words
            setattr(self, side.writer, side(self._buffer(side.writer)[start:end]))
            start = end
        self._view(layout)

    def _view(self, layout: Any) -> None:
        raise NotImplementedError

    @classmethod
    def _create(cls, layout: Layout, writes: tuple[Side, ...]) -> Self:
        block = cls(_reserved(layout.size), layout, writes, owner=True)
        for slot, place in cls._places():  # nobody else sees it yet; it is full of zeros
            if slot.initial:
                struct.pack_into("d" if slot.kind is float else "q", block._bytes, WORD * place, slot.initial)
        return block

    @classmethod
    def attach(cls, name: str, layout: Any, *writes: Side) -> Self:
        """Open the block that another process has made, to write what these sides write ("worker", "callback")."""
        return cls(shared_memory.SharedMemory(name=name), layout, writes, owner=False)

    @classmethod
    def positions(cls) -> Any:
        """Return a named tuple of the places of all numbers, in words of 8 bytes from the start: constants for compiled code."""
        places = {slot.name: place for slot, place in cls._places()}
        return namedtuple(f"{cls.__name__}Positions", places)(**places)

    @classmethod
    def words(cls) -> int:
        """Return how many words of 8 bytes the numbers take; the arrays lie behind them."""
        return sum(side.words for side in cls.sides)

    @classmethod
    def _places(cls) -> Iterator[tuple[Slot, int]]:
        start = 0
        for side in cls.sides:
            yield from ((slot, start + position) for position, slot in enumerate(side.table))
            start += side.words

    @property
    def address(self) -> int:
        """Where the block lies in this process's memory."""
        return int(np.frombuffer(self._bytes, np.uint8).ctypes.data)

    def close(self) -> None:
        """Let go of the memory; the creator also removes it. Numbers and arrays are unusable afterwards."""
        self.is_open = False
        for side in self.sides:
            getattr(self, side.writer).release()
            delattr(self, side.writer)
        for name in [name for name, value in vars(self).items() if isinstance(value, np.ndarray)]:
            delattr(self, name)
        self.memory.close()
        if self._owner:
            self.memory.unlink()

    def _array(self, writer: Side, kind: DTypeLike, count: int, offset: int) -> np.ndarray:
        """The `count` values from byte `offset` on, which only `writer` may change."""
        return np.frombuffer(self._buffer(writer), kind, count, offset)

    def _buffer(self, writer: Side) -> memoryview:
        return self._bytes if writer in self._writes else self._bytes.toreadonly()


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
