"""How well it runs: what the rings of a session counted, and the statistics that `play --stats` writes."""

import copy
from typing import Any

from noizestream.modelfile.metadata import Metadata
from noizestream.realtime.ring import Ring
from noizestream.realtime.step_times import StepTimes


class Totals:
    """What the rings of one performance counted, added up: a worker that was replaced takes nothing with it."""

    def __init__(self) -> None:
        self.underruns = self.missed = self.blocks = self.resets = 0
        self.times = StepTimes()

    def add(self, ring: Ring) -> None:
        """Count what `ring`, open, has counted so far; `missed` in frames."""
        self.underruns += ring.callback.underruns
        self.missed += ring.callback.missed
        self.blocks += ring.worker.blocks
        self.resets += ring.worker.resets
        self.times.include(ring.step_times)

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
