"""Where not all of the music has room, genres share alike and what is kept of a piece is long enough to go on in."""

import pytest

from noizestream.training.data.shares import counts, shares_of


def test_genres_share_alike_and_what_one_does_not_need_is_the_others():
    assert shares_of([100, 100], 500) == [1, 1]
    assert shares_of([1000, 1000], 500) == [0.25, 0.25]
    assert shares_of([1000, 50, 1000], 450) == pytest.approx([0.2, 1, 0.2])


def test_of_much_music_some_pieces_are_kept_for_four_bars_and_others_not():
    kept = counts([(0, 100)] * 90 + [(1, 50)] * 4, [0.08, 1.0])
    assert set(kept[:90]) == {0, 64} and sum(kept[:90]) == pytest.approx(720, abs=64) and kept[90:] == [50] * 4


def test_of_a_genre_something_stays_and_what_fits_stays_whole():
    assert counts([(0, 30), (0, 200), (0, 70)], [0.01]) == [0, 64, 0]
    assert counts([(0, 117), (0, 33)], [1.0]) == [117, 33]
