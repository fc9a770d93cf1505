"""What the values of the rows that act on the output mean."""

import pytest

from noizestream.control.levels import Levels, levels
from noizestream.control.parameters import PARAMETERS

DEFAULTS = {row.name: row.default for row in PARAMETERS if row.acts == "output"}


def test_all_at_their_defaults_change_nothing():
    assert levels(DEFAULTS) == Levels()


@pytest.mark.parametrize(("decibel", "expected"), [(-60, (0, 1, 0)), (-20, (0.1, 1, 0)), (0, (1, 1, 0)), (6, (1, 1.9953, 0))])
def test_the_volume_attenuates_or_boosts_never_both(decibel, expected):
    assert levels(DEFAULTS | {"volume": decibel}) == pytest.approx(expected, abs=1e-4)


def test_mute_is_silence_whatever_the_volume():
    assert levels(DEFAULTS | {"volume": 6.0, "mute": 1.0}) == Levels(0.0, 1.0, 0.0)
