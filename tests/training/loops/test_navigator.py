"""The navigator's loop: what repeats is learned, as far as that goes and no further."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from noizestream.nn.memory import Memory
from noizestream.nn.navigator import Navigator
from noizestream.training.config import resolve
from noizestream.training.data.memory import Built
from noizestream.training.loops.baselines import baselines
from noizestream.training.loops.budget import Budget
from noizestream.training.loops.navigator import NavigatorLoop
from tests.training.conftest import never, quiet
from tests.training.made_up import coded

V, CODES = 4, 12
CONFIG = resolve("small", steps=200, minutes=0, batch=4, slots=32, hidden=32, dropout=0.0, rate=4e-3)


def periodic(slots: int, period: int, seed: int) -> np.ndarray:
    """A melody of two notes in a rhythm of `period` slots, the same in all layers: after either note come both."""
    row = np.random.default_rng(seed).integers(0, 2, period)
    return np.tile(row, slots // period + 1)[:slots, None] + np.arange(V) * 2


def built(training: list[np.ndarray], validation: list[np.ndarray]) -> Built:
    empty = Memory(0, 0, [CODES], [len(training)], V, 8, 4)
    held = coded(validation)
    for one in held:
        one.piece = len(training)
    return Built(empty, coded(training), held, 1.0)


def loop_of(made: Built, config=CONFIG) -> NavigatorLoop:
    torch.manual_seed(0)
    navigator = Navigator(made.memory.code_first, made.memory.pieces, V, config.hidden, 1, config.dropout)
    return NavigatorLoop(navigator, made, config, "cpu")


def test_music_that_repeats_costs_less_than_counting_pairs_can_tell():
    made = built([periodic(600, 16, 1), periodic(600, 16, 1)], [periodic(300, 16, 1)])
    loop = loop_of(made)
    before = loop._judge()
    loop.run(Budget(steps=200), quiet, never, quiet)
    base = baselines(made.training, made.validation, CODES)
    assert loop.best_value < 0.5 * before and loop.best_value < 0.5 * base["bigram"] and base["bigram"] < base["unigram"] * 1.01
    assert (loop.chances > 0.5).all(), "where music has run alike it is trusted to go on alike"


def test_music_without_order_is_not_trusted_to_go_on_and_costs_what_it_must():
    random = np.random.default_rng(0)
    made = built([random.integers(0, 6, (900, V)) for _ in range(2)], [random.integers(0, 6, (300, V))])
    loop = loop_of(made)
    loop.run(Budget(steps=120), quiet, never, quiet)
    assert loop.best_value == pytest.approx(V * math.log(6), rel=0.05)
    assert (loop.chances < 0.5).all()


def test_slots_after_the_end_of_a_piece_do_not_count():
    made = built([periodic(20, 4, 2)], [periodic(20, 4, 2)])
    loop = loop_of(made)
    cut = loop_of(made, replace(CONFIG, slots=20))
    assert float(cut.held_out.mask.mean()) == 1 and float(loop.held_out.mask.mean()) == pytest.approx(20 / 32)
    assert loop._judge() == pytest.approx(cut._judge(), rel=1e-4)


def test_without_held_out_music_there_is_no_verdict():
    loop = loop_of(built([periodic(100, 8, 3)], []))
    assert math.isnan(loop._judge()) and baselines(loop.batches.coded, [], CODES) == {}
    loop.run(Budget(steps=12), quiet, never, quiet)
    assert math.isnan(loop.best_value) and math.isfinite(loop.smooth)


def test_the_course_is_as_long_as_the_music():
    short, long = (loop_of(built([periodic(slots, 8, 4)], [])).course() for slots in (100, 12800))
    assert short == 400 and long == CONFIG.epochs * 12800 / (CONFIG.batch * CONFIG.slots)


def test_baselines_cost_what_their_formulas_say():
    steady = coded([np.zeros((100, 1), int)])
    found = baselines(steady, coded([np.zeros((10, 1), int)]), CODES)
    assert found["unigram"] == pytest.approx(0, abs=1e-9) and found["bigram"] == pytest.approx(0, abs=0.02)
    even = coded([np.arange(1000)[:, None] % 2])
    found = baselines(even, coded([np.arange(100)[:, None] % 2]), CODES)
    assert found["unigram"] == pytest.approx(math.log(2), abs=0.01) and found["bigram"] < 0.02
