"""The Python callback that stands in where numba is missing, driven by hand on real rings."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from noizestream.devices.portaudio import copying_callback
from noizestream.realtime.output_bus import OutputBus
from noizestream.realtime.ring import SILENT, Ring

FINE = SimpleNamespace(output_underflow=False)


def at(seconds: float) -> SimpleNamespace:
    return SimpleNamespace(currentTime=seconds)


NOW = at(0.0)


@pytest.fixture
def played() -> Iterator[tuple[OutputBus, Ring, np.ndarray]]:
    """A bus with a tap, a ring of 1000 frames of noise that runs, and the noise."""
    bus, ring = OutputBus.create(2, 4096, "callback"), Ring.create(2048, 2, "worker", "callback")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, 2)).astype(np.float32)
    ring.main.resume, ring.main.run = 512, 1
    ring.write(noise)
    yield bus, ring, noise
    ring.close()
    bus.close()


def test_it_plays_the_ring_through_counts_an_underrun_and_fills_the_tap(played):
    bus, ring, noise = played
    bus.recorder.tap_on = 1
    callback, heard = copying_callback(bus, [ring, None]), np.full((5, 256, 2), np.nan, np.float32)
    for period in heard:
        callback(period, 256, NOW, FINE)
    flat = heard.reshape(-1, 2)
    np.testing.assert_array_equal(flat[:1000], noise)
    assert not flat[1000:].any()
    assert ring.callback.underruns == 1 and ring.callback.missed == 280 and bus.callback.callbacks == 5
    np.testing.assert_array_equal(bus.take(), flat.ravel())


def test_volume_panic_and_stop(played):
    bus, ring, noise = played
    callback, period = copying_callback(bus, [ring, None]), np.zeros((100, 2), np.float32)
    bus.main.volume_gain = 0.5
    callback(period, 100, NOW, FINE)
    np.testing.assert_allclose(period, noise[:100] / 2)
    ring.main.panic = 1
    callback(period, 100, NOW, FINE)
    assert not period.any()
    ring.worker.fresh_at, ring.worker.fresh = 300, 1
    callback(period, 100, NOW, FINE)
    callback(period, 100, NOW, FINE)
    np.testing.assert_allclose(period, noise[300:400] / 2)
    ring.main.run = 0
    callback(period, 100, NOW, FINE)
    assert not period.any() and ring.callback.mode == SILENT and ring.callback.underruns == 0


def test_balance_attenuates_one_side(played):
    bus, ring, noise = played
    callback, period = copying_callback(bus, [ring, None]), np.zeros((100, 2), np.float32)
    bus.main.balance = 0.5
    callback(period, 100, NOW, FINE)
    np.testing.assert_array_equal(period, noise[:100] * np.float32([0.5, 1.0]))


def test_calls_of_the_same_time_are_one_period(played):
    bus, ring, _ = played
    callback, part = copying_callback(bus, [ring, None]), np.zeros((64, 2), np.float32)
    for number in range(9):
        callback(part, 64, at(1.0 + number // 4), FINE)
    assert bus.callback.period == 256 and bus.callback.bursts == 3
