"""What is opened at a moment of its own, and closed again: nothing of it happens where it is made."""

from typing import Self


class Resource:
    """A device, a port, a process: `open` it and `close` it, or have `with` do both."""

    def open(self) -> Self:
        """Open it and return it."""
        raise NotImplementedError

    def close(self) -> None:
        """Close it; safe to call twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()
