"""Codec and tonal distance on copies whose distance is known."""

import numpy as np
import pytest

from noizestream.analysis.distances import codec_distance, tonal_distance

RATE = 48000
NOISE = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)


@pytest.mark.parametrize("distance", [codec_distance, tonal_distance])
def test_the_same_is_0_and_half_as_loud_is_log10_of_2(distance):
    assert distance(NOISE, NOISE, RATE) == 0
    # where 512 is too short for 80 bands, some are empty on both sides
    assert distance(NOISE, 0.5 * NOISE, RATE) == pytest.approx(np.log10(2), rel=0.12)


def test_only_the_tonal_distance_minds_blurred_partials():
    time = np.arange(RATE) / RATE
    chord = sum(0.1 * np.sin(2 * np.pi * hz * time) for hz in np.arange(110, 5500, 110)).astype(np.float32)
    shifted = sum(0.1 * np.sin(2 * np.pi * (hz + 55) * time) for hz in np.arange(110, 5500, 110)).astype(np.float32)
    assert tonal_distance(chord, shifted, RATE) > 3 * codec_distance(chord, shifted, RATE)
