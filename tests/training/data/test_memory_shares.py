"""Where not all of the music has room, genres share alike; what is kept of a piece is from all over it, long enough to go on in."""

import itertools

import pytest

from noizestream.training.data.memory_shares import SECTION, counts, sections, shares_of
from noizestream.training.data.slots import BAR


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


@pytest.mark.parametrize("upbeat", [0, 5, 15])
@pytest.mark.parametrize("total", [65, 120, 333, 1000, 4801])
def test_sections_are_bars_on_bar_lines_within_the_piece_apart_and_as_many_as_asked_for(total, upbeat):
    for count in [*range(0, total, 7), total - 1]:
        found = sections(total, count, upbeat)
        assert all((first - upbeat) % BAR == 0 and length % BAR == 0 and length > 0 for first, length in found)
        assert all(sum(one) <= other[0] for one, other in itertools.pairwise(found)), "none overlaps the next"
        assert not found or (found[0][0] >= upbeat and sum(found[-1]) <= total)
        kept = sum(length for _, length in found)
        assert kept == min(count // BAR, (total - upbeat) // BAR) * BAR, "up to whole bars, and to the last bar line"


def test_sections_are_of_about_one_length_and_come_from_all_over_the_piece():
    found = sections(8000, 2000)
    lengths, gaps = [length for _, length in found], [b[0] - sum(a) for a, b in itertools.pairwise(found)]
    assert len(found) == 8 and max(lengths) - min(lengths) <= BAR and min(lengths) >= 0.75 * SECTION
    assert max(gaps) - min(gaps) <= 2 * BAR and min(gaps) > SECTION
    assert found[0][0] == pytest.approx(gaps[0], abs=2 * BAR) and 8000 - sum(found[-1]) == pytest.approx(gaps[0], abs=2 * BAR)


def test_a_little_is_one_section_from_the_middle_and_all_of_a_piece_is_one_too():
    ((first, length),) = sections(1000, 64)
    assert length == 64 and abs(first + 32 - 500) <= BAR
    assert sections(333, 333) == sections(333, 400) == [(0, 333)] == sections(333, 333, 7)
    assert sections(100, 0) == sections(100, 15) == sections(0, 0) == []
