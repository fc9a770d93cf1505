"""Copies are found wherever they are cut and however loud; other music of the same kind is not one."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from noizestream.analysis.copying import LAYERS, LENGTH_S, WHOLE, columns, mean_spectrum, nearest, queries
from noizestream.analysis.measures import log_mel

RATE = 48000


def music(seed: int, seconds: float) -> np.ndarray:
    """Decaying notes of random pitch over quiet noise."""
    random = np.random.default_rng(seed)
    audio = 0.01 * random.standard_normal(round(seconds * RATE))
    time = np.arange(RATE // 2) / RATE
    for start in range(0, len(audio) - len(time), RATE // 4):
        hz = 110 * 2 ** (random.integers(0, 36) / 12)
        audio[start : start + len(time)] += 0.2 * np.sin(2 * np.pi * hz * time) * np.exp(-6 * time)
    return audio.astype(np.float32)


def dullest(audio: np.ndarray) -> np.ndarray:
    """Noise with the mean spectrum of `audio`."""
    spectrum = np.abs(np.fft.rfft(audio))
    smooth = np.convolve(spectrum, np.full(301, 1 / 301), "same")
    phases = np.exp(2j * np.pi * np.random.default_rng(9).random(len(smooth)))
    return np.fft.irfft(smooth * phases, len(audio)).astype(np.float32)


def picture(audio: np.ndarray) -> np.ndarray:
    return columns(log_mel(audio, RATE).T)


@pytest.mark.parametrize("length", [1, 4])
def test_a_copy_is_found_at_any_offset_and_level(length):
    known = [music(1, 12.0), music(2, 15.0)]
    training = [picture(audio) for audio in known]
    mean = mean_spectrum(training)
    first = round(5.4321 * RATE)
    copied, _ = queries([picture(0.5 * known[1][first : first + 6 * RATE])], length, mean)
    other, places = queries([picture(music(3, 12.0))], length, mean)
    dull, _ = queries([picture(dullest(known[0]))], length, mean)
    found, fresh, average = (nearest(windows, training, length, mean) for windows in (copied, other, dull))
    assert found.distance.max() < 0.05 < 0.1 < fresh.distance.min()
    assert set(found.piece) == {1}
    np.testing.assert_allclose(found.at_s, 5.43 + np.arange(len(found.at_s)), atol=0.1)
    assert len(places) == len(other) and len(places) in (12 - length, 13 - length)
    assert np.median(average.distance) > np.median(fresh.distance)  # an average of everything is no copy of anything


def test_too_short_or_nothing_to_compare_with():
    windows, places = queries([picture(music(1, 0.5))], 1, np.zeros(40))
    assert len(windows) == 0 and places == []
    windows, _ = queries([picture(music(1, 3.0))], 1, np.zeros(40))
    assert np.isinf(nearest(windows, [], 1, np.zeros(40)).distance).all()
    assert len(columns(np.zeros((3, 80)))) == 0


def test_a_copied_layer_is_found_under_other_music():
    highs = butter(8, 400, "highpass", fs=RATE, output="sos")
    random = np.random.default_rng(4)
    hits = np.repeat(random.random(96), RATE // 8) * np.exp(-20 * (np.arange(12 * RATE) / RATE % 0.125))
    bass = 0.5 * hits * np.sin(2 * np.pi * 70 * np.arange(12 * RATE) / RATE)
    tune, other = (sosfilt(highs, music(seed, 12.0)) for seed in (1, 3))
    training = [picture((bass + tune).astype(np.float32))]
    mean = mean_spectrum(training)
    made = picture((bass + other).astype(np.float32))
    distance = {}
    for name, bands in {"whole": WHOLE, **LAYERS}.items():
        windows, _ = queries([made[:, bands]], LENGTH_S, mean[bands])
        distance[name] = nearest(windows, [training[0][:, bands]], LENGTH_S, mean[bands]).distance.max()
    assert distance["bass"] < 0.1 < 0.2 < min(distance[name] for name in ("whole", "middle"))
