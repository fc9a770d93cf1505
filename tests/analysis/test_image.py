"""The measures of the stereo image on sounds whose image is known."""

import numpy as np
import pytest

from noizestream.analysis.image import EDGES_HZ, averaged, correlation, image, width

RATE = 48000
TIME = np.arange(2 * RATE) / RATE
TONE = np.sin(2 * np.pi * 1000 * TIME)
NOISE = np.random.default_rng(0).standard_normal((2, len(TIME)))


def test_mono_unrelated_and_out_of_phase():
    assert correlation(np.stack([TONE, TONE])) == pytest.approx(1)
    assert correlation(NOISE) == pytest.approx(0, abs=0.02)
    assert correlation(np.stack([TONE, -TONE])) == pytest.approx(-1)
    assert correlation(np.stack([TONE, 0 * TONE])) == 1.0
    assert width(np.stack([TONE, TONE])) == 0.0
    assert width(NOISE) == pytest.approx(1, abs=0.02)
    assert width(np.zeros((2, 100))) == 0.0


def test_silence_and_empty_bands_are_mono_and_the_average_is_over_the_bands_above_the_bass():
    silent = image(np.zeros((2, RATE)), RATE)
    assert not silent.width.any() and not silent.pan.any() and not silent.motion.any()
    assert not averaged(TONE[None], RATE).any()
    wide, pan, motion = averaged(NOISE, RATE)
    assert wide == pytest.approx(1, abs=0.05) and pan < 0.05 and 0 < motion < 1
    to_the_right = np.stack([0.5 * NOISE[0], 1.5 * NOISE[0]])
    assert averaged(to_the_right, RATE) == pytest.approx([0.5, 0.5, 0], abs=0.02)


def test_a_band_tells_where_its_sound_stands_and_how_much_it_moves():
    low = np.sin(2 * np.pi * 300 * TIME)
    swaying = 0.5 * np.sin(2 * np.pi * TIME)
    found = image(np.stack([1.5 * low + (1 + swaying) * TONE, 0.5 * low + (1 - swaying) * TONE]), RATE)
    assert found.width.shape == found.pan.shape == found.motion.shape == (len(EDGES_HZ),)
    assert found.pan[1] == pytest.approx(0.5, abs=0.02) and found.motion[1] < 0.05
    assert found.pan[2] == pytest.approx(0.0, abs=0.02)
    assert found.motion[2] == pytest.approx(0.5 / np.sqrt(2), abs=0.03)
