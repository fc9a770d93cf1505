"""The balanced part of a library that is heard where there is no time for all."""

import numpy as np
import pytest

from noizestream.music import cuts
from noizestream.music.tracks import Track
from noizestream.training.data import selection
from noizestream.training.data.selection import Selection, excerpt_for, length_of


@pytest.fixture
def tracks(tmp_path, monkeypatch):
    """Twenty short tracks of one genre, two mixes of an hour of another, one track of a third."""
    seconds = {f"short{n}": 60.0 for n in range(20)} | {"mix0": 3600.0, "mix1": 3600.0, "only": 200.0}
    monkeypatch.setattr(cuts, "header_seconds", lambda path: seconds[path.stem])
    genre = {"s": "short", "m": "mix", "o": "one"}
    return [Track(tmp_path / f"{name}.wav", genre[name[0]]) for name in seconds]


def heard(drawn):
    found = {}
    for cut in drawn:
        found[cut.track.genre] = found.get(cut.track.genre, 0.0) + cut.expected_s
    return found


def test_every_beginning_is_balanced_and_in_the_end_all_is_given(tracks):
    drawn = list(Selection(tracks, None, 0).draw())
    some = heard(drawn[:9])
    assert some.pop("one") == 200, "there is no more of it"
    assert set(some) == {"short", "mix"} and abs(some["short"] - some["mix"]) <= 300
    assert heard(drawn) == pytest.approx({"short": 1200, "mix": 7200, "one": 200})
    assert len({(cut.track, cut.start_s) for cut in drawn}) == len(drawn)


def test_of_long_tracks_all_come_before_one_comes_again_and_soon_from_everywhere(tracks):
    mixes = [cut for cut in Selection(tracks, 45.0, 0).draw() if cut.track.genre == "mix"]
    assert {cut.track.path.stem for cut in mixes[:2]} == {"mix0", "mix1"} and all(cut.seconds == 45 for cut in mixes)
    starts = sorted(cut.start_s for cut in mixes if cut.track.path.stem == "mix0")
    assert starts[0] > 100 and np.ptp(np.diff(starts)) < 1e-6
    first = sorted(cut.start_s for cut in mixes[:8] if cut.track.path.stem == "mix0")
    assert max(np.diff([0, *first, 3600])) < 1800


def test_the_seed_decides_the_order(tracks):
    orders = [[cut.track for cut in Selection(tracks, None, seed).draw()] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_what_is_there_already_is_not_given_and_counts(tracks):
    whole = Selection(tracks, 45.0, 0)
    drawn = []
    for cut in whole.draw({"mix"}):
        if cut.track.path.stem == "mix0":
            whole.drop(cut, 3600.0)
        else:
            drawn.append(cut)
    assert {cut.track.path.stem for cut in drawn} == {"mix1"} and whole.last(drawn[-1])
    assert whole.given == pytest.approx({"mix": 3600 + 45 * len(drawn), "short": 0, "one": 0}) and whole.left() == {"short", "one"}


def test_excerpts_are_as_long_as_all_tracks_allow_but_not_so_short_that_no_bars_follow_each_other():
    assert excerpt_for(1000, 900, 10, 2) is None
    assert excerpt_for(1000, 10_000, 10, 2) == 120
    assert excerpt_for(1000, 10_000, 1000, 2) == 45
    assert excerpt_for(600, 10_000, 1000, 60) == 10
    assert excerpt_for(9000, 10_000, 10, 2) is None  # whole pieces are as short


def test_a_large_library_is_measured_by_some_of_its_headers(tracks, monkeypatch):
    assert length_of(tracks) == pytest.approx(8600)
    assert length_of(tracks * 100) == pytest.approx(860_000, rel=0.2)
    looked = []
    monkeypatch.setattr(selection, "cuts_of", lambda track: looked.append(track) or [cuts.Cut(track, 0.0, None, 30.0)])
    assert length_of(tracks * 100) == pytest.approx(23 * 100 * 30) and len(looked) == selection.SAMPLED
