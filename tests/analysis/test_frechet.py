"""Fréchet distance: of Gaussians by the formula, of motion by what it can tell apart."""

import numpy as np
import pytest

from noizestream.analysis.frechet import CHUNK, STEPS, available_s, frechet, motion


def test_gaussians_are_as_far_apart_as_the_formula_says():
    random = np.random.default_rng(0)
    one = random.standard_normal((200_000, 3))
    other = one * [1, 2, 3] + [0, 0, 4]
    assert frechet(one, other) == pytest.approx(16 + 0 + 1 + 4, rel=0.01)  # |shift|^2 + the sum of (s1 - s2)^2
    assert frechet(one, one) == pytest.approx(0, abs=1e-6)
    assert frechet(one, other) == pytest.approx(frechet(other, one))
    assert np.isnan(frechet(one[:1], other))


def test_frames_out_of_order_are_further_away_though_each_is_real():
    random = np.random.default_rng(1)
    mels = np.cumsum(random.standard_normal((2 * CHUNK, 80)), axis=0) * 0.01
    again, shuffled = mels[::-1], random.permutation(mels)
    seconds = available_s([mels])
    real = motion([mels], seconds)
    assert frechet(motion([again], seconds), real) < 0.3 * frechet(motion([shuffled], seconds), real)


def test_equal_lengths_are_taken_from_everywhere():
    pieces = [np.full((CHUNK * 3 + 50, 80), number, np.float16) for number in range(4)]  # the last 50 are too few
    chunk_s = CHUNK / 93.75
    assert available_s(pieces) == pytest.approx(12 * chunk_s)
    some = motion(pieces, 4 * chunk_s)
    assert some.shape == (4 * (CHUNK - STEPS[-1]), 240)
    assert set(some[:, 0]) == {0, 1, 2, 3}
    assert len(motion(pieces, 1e6)) == 12 * (CHUNK - STEPS[-1])
    assert motion([pieces[0][:50]], 5).shape == (0, 240)
