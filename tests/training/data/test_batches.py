"""Batches: rows that agree with the pieces, every genre alike, and the same ones after resuming."""

import numpy as np
import pytest
import torch

from noizestream.nn.navigator import AGO, WRAP
from noizestream.training.data.batches import Batches
from tests.training.made_up import coded

CODES, PIECES, LENGTH = 40, 3, 24


@pytest.fixture
def batches() -> Batches:
    random = np.random.default_rng(0)
    rows = [random.integers(0, 20, (300, 2)), random.integers(0, 20, (100, 2)), random.integers(20, 40, (20, 2))]
    return Batches(coded(rows, [0, 0, 1], first=WRAP - 50), CODES, PIECES, LENGTH, seed=3)


def test_rows_are_stretches_of_pieces_with_what_came_before(batches):
    batch = batches.draw(40, nameless=0.5)
    named = batch.piece[:, 0] < PIECES
    assert 5 < int(named.sum()) < 35
    for row in torch.where(named)[0].tolist():
        one = batches.coded[int(batch.piece[row, 0])]
        kept = int(batch.mask[row].sum())
        start = int((batch.slot[row, 0] - one.number[0]) % WRAP)
        at = np.arange(start, start + kept)
        assert np.array_equal(batch.code[row, :kept], one.code[at]) and int(batch.genre[row, 0]) == one.genre
        assert np.array_equal(batch.slot[row, :kept], one.number[at] % WRAP)
        for number, lag in enumerate(AGO):
            expected = [one.code[t - lag] if t >= lag else np.full(2, CODES) for t in at]
            assert np.array_equal(batch.codes[row, :kept, number], expected)
        assert not batch.mask[row, kept:].any() and (kept == LENGTH or start + kept == len(one.code))
    assert batch.codes.shape == (40, LENGTH, len(AGO), 2) and batch.run.dtype == batch.mask.dtype == torch.float32


def test_genres_are_drawn_alike_and_longer_pieces_more_often(batches):
    batch = batches.draw(600, nameless=0.0)
    assert float(batch.genre[:, 0].float().mean()) == pytest.approx(0.5, abs=0.06)
    first = batch.piece[batch.genre[:, 0] == 0, 0]
    assert float((first == 0).float().mean()) == pytest.approx(0.75, abs=0.07)


def test_after_resuming_the_same_batches_come(batches):
    batches.draw(4, 0.1)
    batches.shuffle()
    state = batches.state()

    def coming(source: Batches) -> list[torch.Tensor]:
        drawn = [source.draw(5, 0.3)]
        source.shuffle()
        return [value for batch in [*drawn, source.draw(5, 0.3)] for value in vars(batch).values()]

    expected = coming(batches)
    other = Batches(batches.coded, CODES, PIECES, LENGTH, seed=9)
    other.restore(state)
    assert all(torch.equal(a, b) for a, b in zip(expected, coming(other), strict=True))


def test_what_is_judged_on_is_the_same_every_time_and_names_no_piece(batches):
    one, other = batches.beginnings(2), batches.beginnings(2)
    assert torch.equal(one.code, other.code) and one.code.shape == (2, LENGTH, 2)
    assert set(one.piece.flatten().tolist()) == {PIECES}
    assert batches.beginnings(32).code.shape[0] == 3
