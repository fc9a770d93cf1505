"""The baselines against what their formulas say of data whose law is known."""

import math

import numpy as np
import pytest

from noizestream.training.baselines import autoregressive_nats, baselines, gaussian_nats


def walk(count: int, slope: float, seed: int) -> np.ndarray:
    random, z = np.random.default_rng(seed), np.zeros((count, 3))
    for t in range(1, count):
        z[t] = slope * z[t - 1] + random.standard_normal(3)
    return z


def test_a_gaussian_costs_its_entropy():
    random = np.random.default_rng(0)
    train, test = 2 * random.standard_normal((20000, 3)), 2 * random.standard_normal((20000, 3))
    assert gaussian_nats(train, test) == pytest.approx(3 * 0.5 * math.log(2 * math.pi * math.e * 4), rel=0.01)


def test_an_autoregression_costs_only_its_innovation():
    entropy = 3 * 0.5 * math.log(2 * math.pi * math.e)
    assert autoregressive_nats(walk(20000, 0.9, 0), walk(20000, 0.9, 1)) == pytest.approx(entropy, rel=0.01)


def test_on_music_that_moves_slowly_ar1_is_the_stronger_baseline():
    found = baselines({0: walk(5000, 0.95, 0)}, {0: walk(5000, 0.95, 1)})
    assert found["ar1"] < found["unigram"]
