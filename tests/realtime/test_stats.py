"""Step times without growing memory."""

import numpy as np
import pytest

from noizestream.modelfile.metadata import Metadata
from noizestream.realtime.ring import Ring
from noizestream.realtime.stats import statistics
from noizestream.realtime.step_times import StepTimes

METADATA = Metadata("m", 48000, 1, 480, 0, ["A"], [{"name": "temperature", "min": 0, "max": 2, "default": 1, "unit": ""}], 0)


def test_percentiles_are_within_a_bin():
    rng = np.random.default_rng(0)
    seconds = np.exp(rng.normal(-7, 1, 20000))
    times = StepTimes()
    size = times.bins.nbytes
    for value in seconds:
        times.add(float(value))
    for percent in (1, 50, 95, 99):
        assert times.percentile(percent) == pytest.approx(np.percentile(seconds, percent), rel=0.06)
    assert times.maximum == pytest.approx(seconds.max(), rel=1e-5) and times.mean == pytest.approx(seconds.mean(), rel=1e-3)
    assert times.count == len(seconds) and times.bins.nbytes == size
    ms = times.milliseconds()
    assert list(ms) == ["p50", "p95", "p99", "max"] and sorted(ms.values()) == list(ms.values())


def test_extremes_and_nothing():
    times = StepTimes()
    assert times.milliseconds() == {"p50": 0, "p95": 0, "p99": 0, "max": 0} and times.mean == 0
    for value in (0.0, 1e-9, 100.0):
        times.add(value)
    assert times.count == 3 and times.maximum == 100.0 and times.percentile(100) <= 100.0


def test_the_statistics_that_play_writes():
    ring = Ring.create(1024, 1, "worker", "callback")
    try:
        ring.callback.underruns, ring.worker.blocks, ring.worker.resets = 2, 3, 1
        for _ in range(3):
            ring.step_times.add(0.001)
        found = statistics(ring, METADATA, audio_latency_ms=12.0, midi_messages=5)
    finally:
        ring.close()
    keys = (
        "underruns blocks step_ms budget_ms load audio_latency_ms control_latency_ms sample_rate block_frames midi_messages resets"
    )
    assert " ".join(found) == keys
    assert found["budget_ms"] == 10.0 and found["load"] == pytest.approx(0.1, rel=0.01)
    assert (found["underruns"], found["blocks"], found["resets"], found["midi_messages"]) == (2, 3, 1, 5)
    assert found["audio_latency_ms"] == 12.0 and found["control_latency_ms"] is None
