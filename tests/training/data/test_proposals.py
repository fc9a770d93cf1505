"""What the memory proposes: the code that followed elsewhere, where the music had run alike."""

import numpy as np

from noizestream.training.data.proposals import NEAR, propose
from tests.training.made_up import coded

NONE = 50


def test_music_that_repeats_is_foretold_and_its_run_grows():
    bar = np.arange(16)[:, None] * np.ones((1, 2), int)
    pieces = coded([np.tile(bar, (12, 1))])
    (proposed,), (run,) = propose(pieces, NONE, np.random.default_rng(0))
    assert set(proposed[0]) == {NONE} and set(run[0]) == {0}, "nothing comes before the first"
    assert (proposed[40:-1] == pieces[0].code[40:-1]).mean() > 0.95
    assert run.max() == 64 and run[5:10].max() <= 9
    assert ((proposed == NONE) == (run == 0)).all()


def test_another_place_is_far_away_of_the_same_code_and_the_same_place_of_the_bar():
    random = np.random.default_rng(1)
    code = random.integers(0, 3, (600, 1))
    pieces = coded([code[:300], code[300:]])
    proposed, run = propose(pieces, NONE, random)
    whole = np.concatenate(proposed)[:, 0]
    place = np.concatenate([one.number % 16 for one in pieces])
    for slot in np.flatnonzero(whole < NONE)[::7]:
        before = slot - 1
        places = np.flatnonzero((code[:, 0] == code[before, 0]) & (place == place[before]))
        others = [p for p in places if abs(p - before) > NEAR and p not in (299, 599)]
        assert whole[slot] in code[[p + 1 for p in others], 0]
    assert all(row.shape == one.code.shape for row, one in zip(run, pieces, strict=True))


def test_where_nothing_is_alike_nothing_is_proposed_and_pieces_do_not_run_into_each_other():
    unlike = coded([np.arange(40)[:, None], np.arange(40, 49)[:, None]])
    proposed, run = propose(unlike, NONE, np.random.default_rng(0))
    assert all((row == NONE).all() for row in proposed) and not any(row.any() for row in run)
    twice = coded([np.arange(40)[:, None], np.arange(40)[:, None]])
    proposed, run = propose(twice, NONE, np.random.default_rng(0))
    for row, along in zip(proposed, run, strict=True):
        assert row[1:, 0].tolist() == list(range(1, 40)) and along[1:, 0].tolist() == list(range(1, 40))


def test_held_out_music_is_foretold_by_what_was_learned_and_not_by_itself():
    random = np.random.default_rng(0)
    bar = random.integers(0, 20, (16, 1))
    held = coded([np.tile(bar, (8, 1))])
    for known, foretold in ((np.tile(bar, (8, 1)), True), (random.integers(20, 40, (128, 1)), False)):
        (proposed,), (run,) = propose(held, NONE, random, coded([known]))
        assert proposed.shape == held[0].code.shape
        assert (proposed[1:] == held[0].code[1:]).mean() > 0.9 if foretold else (proposed == NONE).all() and not run.any()
