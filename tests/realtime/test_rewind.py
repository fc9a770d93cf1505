"""The line of blocks in the ring: made again from any block on, it is as if the controls had changed there."""

import numpy as np
import pytest
import torch

from noizestream.engine.generator import load
from noizestream.engine.resampling import Resampler
from noizestream.engine.safety import SafeStream
from noizestream.realtime.rewind import RewindBuffer
from noizestream.realtime.ring import Ring

BLOCK, REACH = 512, 320


class Stage:
    """A line of the sine model in a ring that the test plays from."""

    def __init__(self, model, rate: int = 48000):
        self.ring = Ring.create(16384, 2, "worker", "callback")
        self.generator = load(model, seed=3)
        self.generator.set_genre("A")
        self.generator.set_control("temperature", 0)
        self.line = RewindBuffer(self.ring, SafeStream(self.generator), Resampler(48000, rate, 1), rate)

    def lay(self, blocks: int, version: int = 0) -> None:
        for _ in range(blocks):
            self.line.lay(1.0, version, REACH)

    def play(self, frames: int) -> None:
        self.ring.callback.played += frames

    def change(self, version: int = 1) -> int:
        self.generator.set_genre("B")
        return self.line.go_back(version, REACH)

    def heard(self) -> np.ndarray:
        return self.ring.read(0, self.ring.worker.written)[:, 0]


@pytest.fixture
def make(sine_model):
    made = []

    def stage(**options) -> Stage:
        made.append(Stage(sine_model, **options))
        return made[-1]

    yield stage
    for one in made:
        one.ring.close()


@pytest.mark.parametrize("rate", [48000, 44100])
@pytest.mark.parametrize("played", [0, 700, 1024])
def test_what_is_not_yet_played_is_made_again_as_if_the_change_had_come_in_time(make, rate, played):
    again, once = make(rate=rate), make(rate=rate)
    again.lay(6)
    again.play(played)
    before = again.heard()
    count = again.change()
    assert again.ring.worker.again == count == sum(1 for block in range(6) if block * BLOCK * rate / 48000 >= played + REACH)
    again.lay(count, version=1)
    once.lay(6 - count)
    once.generator.set_genre("B")
    once.lay(count)
    np.testing.assert_array_equal(again.heard(), once.heard())
    assert len(before) == len(again.heard()) and not np.array_equal(before, again.heard())
    assert again.line.go_back(1, REACH) == 0, "all that is left has the new controls"
    again.lay(1, version=1)
    once.lay(1)
    np.testing.assert_array_equal(again.heard(), once.heard())


def steps(wave: np.ndarray) -> float:
    return float(np.abs(np.diff(wave)).max())


STEEPEST = 0.25 * 2 * np.pi * 440 / 48000 + 1e-3
"""Of a tone of 440 Hz at 0.25."""
RAMP = 2 * 0.6 / 144
"""What a ramp of 3 ms over a difference of two such tones adds at most."""


@pytest.mark.parametrize("laid", [1, 2, 3])
def test_a_worker_that_is_held_up_leaves_the_old_blocks_without_a_click(make, laid):
    stage = make()
    stage.lay(6)
    old = stage.heard()
    count = stage.change()
    stage.lay(laid, version=1)
    heard, end = stage.heard(), (6 - count + laid) * BLOCK
    assert not np.array_equal(heard[:end], old[:end])
    np.testing.assert_array_equal(heard[end + 200 :], old[end + 200 :])
    assert steps(heard) < STEEPEST + RAMP


def test_a_block_that_comes_too_late_is_left_out_without_a_click(make):
    stage = make()
    stage.lay(6)
    old = stage.heard()
    count = stage.change()
    stage.play((6 - count) * BLOCK)  # the first of them is being played
    stage.lay(count + 2, version=1)
    heard, late = stage.heard(), (7 - count) * BLOCK
    np.testing.assert_array_equal(heard[:late], old[:late])
    assert not np.array_equal(heard[late + 200 : len(old)], old[late + 200 :])
    assert steps(heard) < STEEPEST + RAMP


def test_all_too_late_goes_on_behind_them(make):
    stage = make()
    stage.lay(3)
    old = stage.heard()
    count = stage.change()
    stage.play(3 * BLOCK)
    stage.lay(count + 1, version=1)
    np.testing.assert_array_equal(stage.heard()[: 3 * BLOCK], old)
    assert len(stage.heard()) == 4 * BLOCK and steps(stage.heard()) < STEEPEST + RAMP


def test_there_is_no_way_back_into_a_pause(make):
    stage = make()
    stage.lay(2)
    stage.line.pause(1000)
    assert stage.change() == 0
    stage.lay(1, version=1)
    assert not stage.heard()[2 * BLOCK + 200 : 2 * BLOCK + 1000].any() and stage.line.ahead == 3 * BLOCK + 1000


def test_the_bundled_model_leaves_the_state_it_is_handed_as_it_was():
    """Without that there is no way back."""
    generator = load()
    for _ in range(3):
        handed = generator.state
        kept = [part.clone() for part in handed]
        generator.step()
        assert all(torch.equal(one, other) for one, other in zip(handed, kept, strict=True))
