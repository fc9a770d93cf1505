"""How well it runs: step times in a histogram of fixed size, and the statistics that `play --stats` writes."""

import copy
import math
from typing import Any

import numpy as np

from noizestream.modelfile.metadata import Metadata
from noizestream.realtime import ring as slots
from noizestream.realtime.ring import Ring


class StepTimes:
    """Step times in `bins` int64 `[STEP_SLOTS]`: 16 bins an octave from 1 us, so within 4.4 %, then the maximum and the sum.

    The array may be shared memory: one process adds, any may read.
    """

    def __init__(self, bins: np.ndarray | None = None):
        self.bins = np.zeros(slots.STEP_SLOTS, np.int64) if bins is None else bins

    def add(self, seconds: float) -> None:
        """Count one step."""
        position = int(16 * math.log2(max(seconds * 1e6, 1.0)))
        self.bins[min(position, slots.STEP_BINS - 1)] += 1
        nanoseconds = int(seconds * 1e9)
        if nanoseconds > self.bins[slots.STEP_MAX]:
            self.bins[slots.STEP_MAX] = nanoseconds
        self.bins[slots.STEP_SUM] += nanoseconds

    @property
    def count(self) -> int:
        return int(self.bins[: slots.STEP_BINS].sum())

    @property
    def maximum(self) -> float:
        """Longest step in seconds; 0 if there was none."""
        return float(self.bins[slots.STEP_MAX]) / 1e9

    @property
    def mean(self) -> float:
        """Mean step in seconds; 0 if there was none."""
        return float(self.bins[slots.STEP_SUM]) / 1e9 / max(self.count, 1)

    def percentile(self, percent: float) -> float:
        """The step time in seconds that `percent` of the steps did not exceed (upper edge of the bin); 0 if there was none."""
        filled = np.cumsum(self.bins[: slots.STEP_BINS])
        if filled[-1] == 0:
            return 0.0
        position = int(np.searchsorted(filled, percent / 100 * filled[-1]))
        return min(2 ** ((position + 1) / 16) * 1e-6, self.maximum)

    def milliseconds(self) -> dict[str, float]:
        """`{p50, p95, p99, max}` in ms."""
        times = {f"p{percent}": self.percentile(percent) for percent in (50, 95, 99)} | {"max": self.maximum}
        return {name: round(seconds * 1e3, 3) for name, seconds in times.items()}


class Totals:
    """What the rings of one performance counted, added up: a worker that was replaced takes nothing with it."""

    def __init__(self) -> None:
        self.underruns = self.missed = self.blocks = self.resets = 0
        self.times = StepTimes()

    def add(self, ring: Ring) -> None:
        """Count what `ring`, open, has counted so far; `missed` in frames."""
        self.underruns += int(ring.header[slots.UNDERRUNS])
        self.missed += int(ring.header[slots.MISSED])
        self.blocks += int(ring.header[slots.BLOCKS])
        self.resets += int(ring.header[slots.RESETS])
        longest = max(self.times.bins[slots.STEP_MAX], ring.steps[slots.STEP_MAX])
        self.times.bins += ring.steps
        self.times.bins[slots.STEP_MAX] = longest

    def copy(self) -> "Totals":
        """Another that adds up on its own from here."""
        return copy.deepcopy(self)


def statistics(
    counted: Ring | Totals,
    metadata: Metadata,
    audio_latency_ms: float | None = None,
    control_latency_ms: float | None = None,
    midi_messages: int = 0,
) -> dict[str, Any]:
    """What `--stats` writes. `sample_rate` and `block_frames` are the model's; `load` is step time over block time, 1 is too slow.

    The latencies are what the caller measured, None where nobody did.
    """
    if isinstance(counted, Ring):
        totals = Totals()
        totals.add(counted)
    else:
        totals = counted
    budget = metadata.block_frames / metadata.sample_rate
    return {
        "underruns": totals.underruns,
        "blocks": totals.blocks,
        "step_ms": totals.times.milliseconds(),
        "budget_ms": round(budget * 1e3, 3),
        "load": round(totals.times.mean / budget, 4),
        "audio_latency_ms": audio_latency_ms,
        "control_latency_ms": control_latency_ms,
        "sample_rate": metadata.sample_rate,
        "block_frames": metadata.block_frames,
        "midi_messages": midi_messages,
        "resets": totals.resets,
    }
