"""The live resampler: the same samples in any chunks, as clean as soxr where it passes, a short fixed lag."""

import numpy as np
import pytest
import soxr

from noizestream.engine.resampling import Resampler

RATES = [(48000, 44100), (44100, 48000), (48000, 96000), (96000, 44100), (22050, 48000)]


def tone(rate: int, hertz: float, frames: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(frames) / rate)).astype(np.float32)[:, None]


@pytest.mark.parametrize("size", [1, 17, 509, 512, 44100])
@pytest.mark.parametrize("rates", RATES)
def test_stream_equals_one_shot(rates, size):
    signal = np.random.default_rng(0).standard_normal((5000, 2)).astype(np.float32)
    whole = Resampler(*rates, 2).process(signal)
    stream = Resampler(*rates, 2)
    parts = [stream.process(signal[i : i + size]) for i in range(0, len(signal), size)]
    assert np.array_equal(np.concatenate(parts), whole) and whole.dtype == np.float32
    assert 0 <= len(signal) * rates[1] / rates[0] - len(whole) <= stream.latency_frames + 1


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.75])
def test_as_soxr_makes_it(rates, share):
    """Up to three quarters of the lower Nyquist a tone comes out as soxr's best, to 60 dB."""
    source, target = rates
    signal = tone(source, share * min(rates) / 2, source // 4)
    made = Resampler(source, target, 1).process(signal)
    expected = soxr.resample(signal, source, target, quality="VHQ")[: len(made)]
    settled = slice(500, -500)
    error = np.sqrt(np.mean((made - expected)[settled] ** 2)) / np.sqrt(np.mean(expected[settled] ** 2))
    assert 20 * np.log10(error) < -60


def test_what_would_alias_is_gone():
    made = Resampler(96000, 44100, 1).process(tone(96000, 30000, 48000))
    assert 20 * np.log10(np.abs(made[500:-500]).max() / 0.5) < -60


@pytest.mark.parametrize("rates", RATES)
def test_no_bursts(rates):
    stream = Resampler(*rates, 1)
    sizes = [len(stream.process(np.zeros((512, 1), np.float32))) for _ in range(300)]
    ideal = 512 * rates[1] / rates[0]
    assert all(abs(size - ideal) < 1 for size in sizes[1:]) and max(sizes) <= stream.largest(512)
    assert stream.latency_frames / rates[1] < 0.0012


def test_equal_rates_are_untouched():
    stream = Resampler(48000, 48000, 2)
    frames = np.ones((512, 2), np.float32)
    assert stream.process(frames) is frames and stream.latency_frames == 0 and stream.largest(512) == 512


def test_cleared_is_as_new():
    signal = np.random.default_rng(0).standard_normal((4096, 1)).astype(np.float32)
    stream = Resampler(48000, 44100, 1)
    first = stream.process(signal)
    stream.reset()
    assert np.array_equal(stream.process(signal), first)
    assert stream.process(signal[:0]).shape == (0, 1)
