"""The noise rule of docs/model-format.md."""

import numpy as np

from noizestream.modelfile.noise import AHEAD, Noise, noise


def test_open_interval_and_uniform():
    draws = np.concatenate([noise(3, block, 4096) for block in range(200)])
    assert draws.dtype == np.float32 and draws.min() > 0 and draws.max() < 1
    assert abs(draws.mean() - 0.5) < 0.002 and abs(draws.var() - 1 / 12) < 0.001


def test_every_value_is_a_half_step():
    steps = noise(0, 0, 10000).astype(np.float64) * 2**23
    assert np.array_equal(steps % 1, np.full(10000, 0.5))


def test_the_ends_are_exact_in_float32():
    for k in (0, 2**23 - 1):
        value = (np.float32(k) + np.float32(0.5)) * np.float32(2.0**-23)
        assert 0 < value < 1 and float(value) == (k + 0.5) / 2**23


def test_seed_and_block_decide_and_size_only_cuts():
    assert np.array_equal(noise(1, 2, 100), noise(1, 2, 300)[:100])
    different = [noise(1, 2, 100), noise(1, 3, 100), noise(2, 2, 100), noise(2, 1, 100)]
    for i, a in enumerate(different):
        for b in different[:i]:
            assert (a == b).mean() < 0.01
    assert noise(0, 0, 0).shape == (0,)


def test_neighbouring_blocks_are_independent():
    table = np.stack([noise(0, block, 2000) for block in range(8)])
    correlations = np.corrcoef(table) - np.eye(8)
    assert np.abs(correlations).max() < 0.1


def test_as_the_specification_writes_it():
    philox = np.random.Philox(counter=[0, 5, 0, 0], key=[7, 0])
    expected = (((philox.random_raw(50) >> 41) + 0.5) / 2**23).astype(np.float32)
    assert np.array_equal(noise(7, 5, 50), expected)


def test_blocks_made_ahead_are_the_same_in_any_order_and_size():
    source = Noise(5)
    for block, size in ((0, 30), (1, 30), (AHEAD, 30), (2, 30), (2**64 - 1, 30), (0, 30), (0, 50), (1, 50), (AHEAD - 1, 50)):
        assert np.array_equal(source.block(block, size), noise(5, block, size))
