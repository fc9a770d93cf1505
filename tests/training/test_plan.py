"""How the minutes of a training are shared out."""

import re
import time

import pytest

from noizestream.errors import UsageError
from noizestream.training.plan import LEARNING, PREPARING, Plan, clock, probe


def plan(minutes: float, **given) -> Plan:
    """A plan that begins now."""
    return Plan(minutes * 60, time.monotonic(), workers=2, **given)


def test_music_fits_as_far_as_preparing_and_learning_keep_their_shares():
    for minutes in (3, 10, 60, 240):
        for genres in (1, 12, 60):
            made = plan(minutes, genres=genres)
            music = made.music()
            assert music > 0 and made.preparing(music) <= PREPARING * made.whole
            assert made.preparing(music) + made.after(music) <= made.whole * 1.001 and made.after(music) > LEARNING * made.whole
            assert made.fits(0.0, music * 0.95, made.elapsed()) or made.whole < 600  # less what it takes to start
            assert not made.fits(0.0, music * 1.5 + 10, made.elapsed())


def test_a_slower_machine_and_more_genres_leave_less_music():
    music = [plan(10, slowness=slowness, genres=genres).music() for slowness, genres in ((1, 2), (2, 2), (2, 60))]
    assert music[0] > 1.7 * music[1] and music[1] > music[2]


def test_measured_rates_take_the_place_of_those_that_are_known():
    made = plan(10)
    before = made.music()
    made.prepared = 2 * made.preparing(1.0)
    assert made.music() < 0.75 * before


def test_more_minutes_are_named_in_which_all_would_be_heard():
    made = plan(3, genres=4)
    needed = made.minutes_for(3600.0)
    assert plan(needed + 0.5, genres=4).music() >= 3600 > plan(needed * 0.8, genres=4).music()


def test_too_short_a_time_names_the_least_that_would_do(monkeypatch):
    monkeypatch.setattr(time, "process_time", lambda: 3.0)
    plan(3, genres=12).require_enough(1.0)
    plan(3, genres=12, slowness=20.0).require_enough(1.0)  # busy just now
    plan(0).require_enough(1.0)
    with pytest.raises(UsageError, match=r"12 genres.*at least") as raised:
        plan(0.2, genres=12).require_enough(1.0)
    least = float(re.search(r"at least ([\d.]+)", str(raised.value))[1])
    plan(least, genres=12).require_enough(1.0)
    with pytest.raises(UsageError):
        plan(least - 0.2, genres=12).require_enough(1.0)
    with pytest.raises(UsageError):
        plan(least, genres=12).require_enough(2.0)


def test_the_split_is_said_and_adds_up_to_the_whole():
    text = plan(10, genres=3).describe(600.0)
    parts = [int(minutes) * 60 + int(seconds) for minutes, seconds in re.findall(r"(\d+):(\d\d)", text)]
    assert text.startswith("plan for 10 min: preparing ") and sum(parts) == pytest.approx(600, abs=5)
    assert parts[2] > LEARNING * 600


def test_learning_has_what_is_left_but_for_the_end():
    made = plan(10, genres=3)
    left = made.learning()
    made.scripted = 30.0
    assert 500 < left < 600 and made.learning() == pytest.approx(left - 3 * 28, abs=2)
    began = time.monotonic() - 5
    made.took("memory", began)
    made.took("memory", began)
    assert made.spent["memory"] == pytest.approx(10, abs=1)


def test_times_are_shown_as_minutes_and_seconds():
    assert [clock(seconds) for seconds in (-3, 0.4, 59.6, 600)] == ["0:00", "0:00", "1:00", "10:00"]
    assert all(slowness > 0 for slowness in probe())
