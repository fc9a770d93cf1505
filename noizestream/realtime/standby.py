"""A copy of the worker process, asleep, that plays on at once where the worker dies.

Loading a model takes seconds, a ring lasts for a twentieth of one. So once the model is loaded and warm the process forks: the copy
shares its memory, costs next to nothing until it plays, and sleeps on a pipe that only the process before it holds open. When that
one ends, however it ends, so does the pipe. Linux only: elsewhere a worker that dies is loaded anew (session/players.py).
"""

import contextlib
import os
import sys
import warnings

FORKS = sys.platform == "linux"

AT_ONCE = 3
LIFE_BLOCKS = 200
"""AT_ONCE processes that died in a row before they had made so many blocks die of the model: nobody follows them."""


class Standby:
    """The processes that play one after the other; each knows how many were before it (`deaths`)."""

    def __init__(self) -> None:
        self.deaths = 0
        self._early = self._blocks = 0
        self._held: int | None = None  # open as long as this process lives

    def stand_by(self) -> bool:
        """Leave a copy behind. True, at once, in this process; False in the copy, as soon as this one has ended."""
        if not FORKS or self._early >= AT_ONCE:
            return True
        try:
            sleeping, held = os.pipe()
        except OSError:  # too many files: this one goes on alone
            return True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: libraries have some, which expect forks
            try:
                copy = os.fork()
            except OSError:  # no memory, or too many processes: the same
                copy = -1
        if copy:
            os.close(sleeping)
            self._held = held
            return True
        for end in (held, self._held):
            with contextlib.suppress(OSError, TypeError):
                os.close(end)  # type: ignore[arg-type]
        self._held = None
        os.read(sleeping, 1)
        os.close(sleeping)
        self.deaths += 1
        return False

    def begin(self, blocks: int) -> None:
        """In a process whose turn has come: `blocks` have been made so far, by all before it."""
        self._early = self._early + 1 if blocks - self._blocks < LIFE_BLOCKS else 0
        self._blocks = blocks
