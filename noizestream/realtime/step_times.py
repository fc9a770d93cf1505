"""Step times in a histogram of fixed size, in shared memory or not."""

import math

import numpy as np

STEP_BINS = 384
STEP_MAX = 384
STEP_SUM = 385
STEP_SLOTS = 386
"""The first STEP_BINS count steps by duration; those at STEP_MAX and STEP_SUM are in ns."""


class StepTimes:
    """Step times in `bins` int64 `[STEP_SLOTS]`: 16 bins an octave from 1 us, so within 4.4 %, then the maximum and the sum.

    The array may be shared memory: one process adds, any may read.
    """

    def __init__(self, bins: np.ndarray | None = None):
        self.bins = np.zeros(STEP_SLOTS, np.int64) if bins is None else bins

    def add(self, seconds: float) -> None:
        """Count one step."""
        position = int(16 * math.log2(max(seconds * 1e6, 1.0)))
        self.bins[min(position, STEP_BINS - 1)] += 1
        nanoseconds = int(seconds * 1e9)
        if nanoseconds > self.bins[STEP_MAX]:
            self.bins[STEP_MAX] = nanoseconds
        self.bins[STEP_SUM] += nanoseconds

    def include(self, other: "StepTimes") -> None:
        """Count all steps that `other` has counted, too."""
        longest = max(self.bins[STEP_MAX], other.bins[STEP_MAX])
        self.bins += other.bins
        self.bins[STEP_MAX] = longest

    @property
    def count(self) -> int:
        """How many steps were counted."""
        return int(self.bins[:STEP_BINS].sum())

    @property
    def maximum(self) -> float:
        """Longest step in seconds; 0 if there was none."""
        return float(self.bins[STEP_MAX]) / 1e9

    @property
    def mean(self) -> float:
        """Mean step in seconds; 0 if there was none."""
        return float(self.bins[STEP_SUM]) / 1e9 / max(self.count, 1)

    def percentile(self, percent: float) -> float:
        """The step time in seconds that `percent` of the steps did not exceed (upper edge of the bin); 0 if there was none."""
        filled = np.cumsum(self.bins[:STEP_BINS])
        if filled[-1] == 0:
            return 0.0
        position = int(np.searchsorted(filled, percent / 100 * filled[-1]))
        return min(2 ** ((position + 1) / 16) * 1e-6, self.maximum)

    def milliseconds(self) -> dict[str, float]:
        """`{p50, p95, p99, max}` in ms."""
        times = {f"p{percent}": self.percentile(percent) for percent in (50, 95, 99)} | {"max": self.maximum}
        return {name: round(seconds * 1e3, 3) for name, seconds in times.items()}
