"""The course of the learning rate over a training."""

import math

import pytest
import torch

from noizestream.training.config import Config
from noizestream.training.loops.budget import Budget
from noizestream.training.loops.loop import LOWEST_RATE, WARM_UP, Loop


class Recorded(Loop):
    """Learns nothing, but writes down at which rate it would."""

    stage = "recorded"

    def __init__(self, course: float):
        module = torch.nn.Linear(1, 1)
        super().__init__(module, Config(rate=1.0), "cpu", torch.optim.SGD(module.parameters()))
        self.rates: list[float] = []
        self._course = course

    def course(self) -> float:
        return self._course

    def _step(self) -> float:
        self.rates.append(self.optimiser.param_groups[0]["lr"])
        return 0.0

    def _judge(self) -> float:
        return -float(len(self.rates))


def rates(course: float, steps: int = 400) -> list[float]:
    loop = Recorded(course)
    loop.run(Budget(steps=steps), lambda *figures: None, lambda: False, lambda: None)
    assert len(loop.rates) == steps
    return loop.rates


def test_the_rate_rises_falls_and_is_lowest_at_the_end():
    found = rates(math.inf)
    assert max(found) == max(found[: WARM_UP + 1]) > 0.9
    assert found[-1] == pytest.approx(LOWEST_RATE)
    assert found[200] == pytest.approx(0.5, abs=0.01)


def test_little_music_has_a_short_course_and_the_rest_of_the_time_is_spent_at_the_lowest_rate():
    found = rates(100)
    assert found[75] < 0.2 and set(found[100:]) == {LOWEST_RATE}
