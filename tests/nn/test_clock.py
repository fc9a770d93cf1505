"""The clock tells positions apart, repeats, and can be hidden."""

import pytest
import torch

from noizestream.nn.clock import BEAT_WRAP, CLOCK_FEATURES, PERIODS, SLOW_FROM, Clock

ONE = torch.ones(1)


def at(beat: float, slow: float = 1.0, shown: float = 1.0) -> torch.Tensor:
    return Clock()(torch.tensor([beat], dtype=torch.float64), slow * ONE, shown * ONE)[0]


def test_it_repeats_where_positions_are_wrapped():
    assert at(0.3).shape == (CLOCK_FEATURES,)
    assert torch.allclose(at(0.3), at(0.3 + BEAT_WRAP), atol=1e-5)
    assert all(BEAT_WRAP % period == 0 for period in PERIODS)


def test_it_hides_the_slow_periods_or_everything():
    shown, fast = at(0.3), at(0.3, slow=0.0)
    count = len(PERIODS)
    assert torch.equal(fast[:SLOW_FROM], shown[:SLOW_FROM]) and torch.equal(
        fast[count : count + SLOW_FROM], shown[count : count + SLOW_FROM]
    )
    assert bool((fast[SLOW_FROM:count] == 0).all()) and fast[-2:].tolist() == [0.0, 1.0]
    assert bool((at(0.3, shown=0.0) == 0).all()), "no position can be told from a clock that is let go"


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_is_told_from_its_half(period):
    assert not torch.allclose(at(0.0), at(period / 2), atol=0.5)


@pytest.mark.parametrize("shown", [0.0, 0.4, 1.0])
def test_one_frame_is_as_many(shown):
    for beat in (0.0, 0.3, 47.9):
        assert torch.allclose(Clock().frame(beat, shown)[0], at(beat, slow=1.0, shown=shown), atol=1e-6)
