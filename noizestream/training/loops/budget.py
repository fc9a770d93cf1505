"""How far a loop is: by wall time, by steps, or by whichever the person asked for. Drives learning rate, ETA and the end."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Budget:
    """`seconds` of wall time or `steps` (whichever is not 0); `spent` and `done` carry over from an interrupted run."""

    seconds: float = 0.0
    steps: int = 0
    spent: float = 0.0
    done: int = 0
    _since: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        """Seconds of work so far, earlier runs included."""
        return self.spent + time.monotonic() - self._since

    @contextmanager
    def pause(self) -> Iterator[None]:
        """What happens within is no work of the loop: its time does not count."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._since += time.monotonic() - began

    def progress(self) -> float:
        """0 at the start, 1 at the end."""
        if self.steps:
            return min(1.0, self.done / self.steps)
        return min(1.0, self.elapsed() / self.seconds) if self.seconds > 0 else 1.0

    def over(self) -> bool:
        """True once the budget is used up and a step is done."""
        return self.progress() >= 1.0 and self.done >= 1

    def remaining(self) -> float:
        """Seconds left, as far as can be told."""
        if self.steps:
            return self.elapsed() / max(self.done, 1) * max(self.steps - self.done, 0)
        return max(0.0, self.seconds - self.elapsed())


class Milestones:
    """Calls attention to every `share` of the way once, and once at the time `early`, except at the very end: for previews.

    `early` is a time.monotonic(), or infinite for none.
    """

    def __init__(self, share: float, progress: float = 0.0, early: float = math.inf):
        self._share, self._next, self._early = share, share * (1 + int(progress / share)), early

    def due(self, progress: float) -> bool:
        """True when `progress` (0..1) has passed the next milestone, or it is time; what was due is then counted as seen."""
        early = time.monotonic() >= self._early
        if progress >= 0.95 or not (early or progress >= self._next):
            return False
        self._early = math.inf
        self._next = self._share * (1 + int(progress / self._share))
        return True
