"""The compiled callback, driven by hand on a real ring: no device, no clock."""

import re

import numpy as np
import pytest

from noizestream.realtime.output_bus import MOST_BURST, OutputBus
from noizestream.realtime.ring import PLAYING, SILENT, Ring

callback = pytest.importorskip("noizestream.devices.callback", reason="numba is not installed")

FADE = 200
STEP = 0.011
"""Largest step of the sine below (amplitude 0.5, 1/300 of a turn per frame: 0.0105) while nothing clicks."""


def sine(start: int, frames: int, channels: int) -> np.ndarray:
    """[frames, channels] float32, the second channel half as loud."""
    wave = 0.5 * np.sin(2 * np.pi * np.arange(start, start + frames) / 300)
    return (wave[:, None] / (1 + np.arange(channels))).astype(np.float32)


class Player:
    """A ring, a bus and the callback on them: `play` returns the period, everything heard so far is in `heard`."""

    def __init__(self, channels: int = 2, capacity: int = 4096, resume: int = 512, tap: int = 0):
        self.channels, self.resume, self.capacity = channels, resume, capacity
        self.bus = OutputBus.create(channels, tap)
        self.bus.main.gain_frames = 240
        self.rings = [self.new_ring()]
        self.ring = self.rings[0]
        self.table = np.array([self.bus.address, self.ring.address, 0], np.int64)
        self.function = callback.compiled().ctypes
        self.heard = np.zeros((0, channels), np.float32)

    def new_ring(self) -> Ring:
        ring = Ring.create(self.capacity, self.channels, "worker")
        ring.main.fade_frames, ring.main.resume = FADE, self.resume
        ring.play(FADE)
        return ring

    def close(self) -> None:
        for shared in (*self.rings, self.bus):
            shared.close()

    def fill(self, frames: int) -> None:
        self.ring.write(sine(self.ring.worker.written, frames, self.channels))

    def play(self, frames: int, status: int = 0, at: float | None = None) -> np.ndarray:
        """The next `frames`; `at` is the host's time, s (None: it hands over none)."""
        target, time = np.full((frames, self.channels), np.nan, np.float32), np.array([0.0, at or 0.0, 0.0])
        address = 0 if at is None else time.ctypes.data
        assert self.function(None, target.ctypes.data, frames, address, status, self.table.ctypes.data) == 0
        self.heard = np.concatenate([self.heard, target])
        return target

    def steps(self) -> float:
        """Largest |step| between neighbouring samples of everything heard."""
        return float(np.abs(np.diff(self.heard, axis=0)).max())


@pytest.fixture
def player():
    made = []

    def make(**options) -> Player:
        made.append(Player(**options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("period", [1, 17, 256, 509])
def test_plays_the_ring_through_after_the_fade_in(player, channels, period):
    p = player(channels=channels, capacity=2048)
    p.fill(1024)
    while len(p.heard) < 6000:
        p.play(period)
        p.fill(min(period, 2048 - p.ring.fill()))
    expected = sine(0, len(p.heard), channels)
    np.testing.assert_array_equal(p.heard[FADE:], expected[FADE:])
    assert p.steps() < STEP
    assert p.ring.callback.played == len(p.heard)
    assert p.ring.callback.underruns == p.ring.callback.missed == 0


def test_is_silent_and_takes_nothing_until_the_ring_is_filled(player):
    p = player(resume=512)
    p.fill(511)
    assert not p.play(256).any()
    assert p.ring.callback.played == 0 and p.ring.callback.underruns == 0 and p.bus.callback.callbacks == 1
    p.fill(1)
    assert p.play(256).any()


@pytest.mark.parametrize("left", [0, 1, 100, 255])
def test_underrun_fades_without_a_step_and_is_counted_once(player, left):
    p = player()
    p.fill(1024 + left)
    for _ in range(12):
        p.play(256)
    assert p.ring.callback.underruns == 1
    assert p.ring.callback.missed == 12 * 256 - (1024 + left)
    assert not p.heard[1024 + left + FADE :].any()
    assert p.steps() < STEP


def test_comes_back_by_itself_with_a_fade_when_refilled(player):
    p = player(resume=512)
    p.fill(600)
    for _ in range(6):
        p.play(256)
    p.fill(400)
    assert not p.play(256).any(), "too little to start again"
    p.fill(300)
    for _ in range(20):
        p.play(256)
        p.fill(256)
    assert p.ring.callback.underruns == 1 and p.steps() < STEP
    assert np.abs(p.heard[-300:]).max() == pytest.approx(0.5, abs=1e-3)


def test_underrun_during_the_fade_in_does_not_click(player):
    p = player(resume=50)
    p.fill(60)
    for _ in range(4):
        p.play(64)
    assert p.ring.callback.underruns == 1 and p.steps() < STEP


def test_stop_fades_out_falls_silent_and_can_start_again(player):
    p = player()
    p.fill(2000)
    p.play(509)
    p.ring.main.run = 0
    for _ in range(3):
        p.play(256)
    assert p.ring.callback.mode == SILENT
    taken = p.ring.callback.played
    assert taken == 509 + FADE, "no more is taken than the fade needs"
    p.ring.main.run = 1
    p.play(256)
    assert p.steps() < STEP and p.ring.callback.underruns == 0 and p.ring.callback.played == taken + 256


def test_running_dry_while_stopping_is_no_underrun(player):
    p = player()
    p.fill(600)
    p.play(550)
    p.ring.main.run = 0
    for _ in range(4):
        p.play(256)
    assert p.ring.callback.underruns == p.ring.callback.missed == 0
    assert p.ring.callback.mode == SILENT and p.steps() < STEP


def test_volume_glides_and_never_boosts(player):
    p = player()
    p.fill(4000)
    p.play(FADE + 40)
    p.bus.main.volume_gain = 0.0
    p.play(256)
    assert not p.play(256).any(), "silent after one period"
    p.bus.main.volume_gain = 8.0
    p.play(256)
    position = p.ring.callback.played
    np.testing.assert_array_equal(p.play(256), sine(position, 256, 2))
    assert p.steps() < STEP


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(("balance", "left", "right"), [(-1.0, 1.0, 0.0), (-0.25, 1.0, 0.75), (0.5, 0.5, 1.0), (1.0, 0.0, 1.0)])
def test_balance_glides_and_attenuates_one_side(player, channels, balance, left, right):
    p = player(channels=channels, tap=8192)
    p.bus.recorder.tap_on = 1
    p.fill(4000)
    p.play(FADE + 40)
    for asked, sides in ((balance, [left, right]), (0.0, [1.0, 1.0])):
        p.bus.main.balance = asked
        p.play(256)
        expected = sine(p.ring.callback.played, 256, channels)
        expected[:, :2] *= sides if channels > 1 else 1.0
        np.testing.assert_array_equal(p.play(256), expected)
    np.testing.assert_array_equal(p.bus.take(), p.heard.ravel())
    assert p.steps() < STEP


def test_clamps_meters_and_stops_nan(player):
    p = player(channels=1, resume=1)
    frames = np.concatenate([np.zeros(FADE), [9.0, -9.0, np.nan, np.inf, -np.inf, 0.25]]).astype(np.float32)
    p.ring.write(frames[:, None])
    heard = p.play(len(frames))[FADE:, 0]
    ceiling = np.float32(10 ** (-0.3 / 20))
    np.testing.assert_allclose(heard, [ceiling, -ceiling, 0.0, ceiling, -ceiling, 0.25])
    assert p.bus.peak() == pytest.approx(ceiling)
    p.play(1)
    assert p.bus.peak() <= 0.25


def test_every_peak_is_shown_once_and_none_is_lost(player):
    p = player(channels=1, resume=1)
    p.ring.main.run_frames = 1
    rng = np.random.default_rng(0)
    levels = rng.uniform(0.01, 0.9, 40).astype(np.float32)
    p.play(1)
    for few in np.split(levels, [1, 4, 5, 12, 30]):
        for level in few:
            p.ring.write(np.full((16, 1), level, np.float32))
            p.play(16)
        assert p.bus.peak() == np.float32(few.max())
        assert p.bus.peak() == 0.0, "nothing was played since"


def test_a_peak_between_a_look_and_what_the_callback_hears_of_it_comes_with_the_next(player):
    p = player(channels=1, resume=1)
    p.fill(2048)
    p.play(600)
    shown = p.bus.peak()
    p.bus.main.peak_asked -= 1  # it has not heard of it yet
    p.ring.write(np.full((64, 1), 0.9, np.float32))
    p.play(1448 + 64)
    p.bus.main.peak_asked += 1
    p.play(1)
    assert shown == pytest.approx(0.5, abs=1e-3) and p.bus.peak() == np.float32(0.9)
    p.play(1)
    assert p.bus.peak() < 0.9


def test_a_ring_that_another_device_played_begins_from_silence(player):
    p = player()
    p.fill(3000)
    p.play(1024)
    p.ring.restart()
    assert p.ring.silent and p.ring.callback.mode == PLAYING, "nobody has answered yet"
    assert not p.play(256).any() and p.ring.callback.mode == SILENT and p.ring.callback.played == 1024
    p.ring.play(FADE)
    heard = p.play(512)
    assert np.abs(np.diff(heard, axis=0)).max() < STEP and np.abs(heard[0]).max() < STEP
    np.testing.assert_array_equal(heard[FADE:], sine(1024, 512, 2)[FADE:])


def test_counts_what_the_server_reports_apart(player):
    p = player()
    p.fill(2048)
    p.play(256, status=4)
    p.play(256, status=1 + 2 + 8 + 16)
    assert p.bus.callback.device_underflows == 1 and p.ring.callback.underruns == 0


@pytest.mark.parametrize("parts", [[256], [1024] * 4, [1024] * 8, [1024, 476]])
def test_a_period_is_what_the_device_asks_for_at_once_in_however_many_calls(player, parts):
    p = player()
    for number in range(3):
        for frames in parts:
            p.play(frames, at=1.5 + number)
    assert p.bus.callback.period == sum(parts) and p.bus.callback.bursts == 3


@pytest.mark.parametrize("at", [None, 0.0, 7.0])
def test_a_host_without_a_clock_or_with_one_that_stands_still_has_periods_too(player, at):
    p = player()
    for _ in range(40):
        p.play(1024, at=at)
    assert p.bus.callback.bursts >= 2 and p.bus.callback.period == (MOST_BURST if at else 1024)


def test_panic_is_silent_within_a_period_and_what_was_made_before_is_never_heard(player):
    p = player(resume=512)
    p.fill(3000)
    p.play(1024)
    p.ring.main.panic += 1
    p.play(256)
    assert p.steps() < STEP
    for _ in range(5):
        assert not p.play(256).any()
    p.ring.worker.fresh_at = p.ring.worker.written  # the worker answers
    p.ring.worker.fresh = p.ring.main.panic
    assert not p.play(256).any() and p.ring.fill() == 0
    p.fill(600)
    heard = p.play(300)
    np.testing.assert_array_equal(heard[FADE:], sine(3000, 300, 2)[FADE:])
    assert p.ring.callback.underruns == p.ring.callback.missed == 0


def test_two_rings_cross_without_a_step_or_a_hole(player):
    """The same tone in both, in step: where one leaves as the other comes, the sum is the tone."""
    p = player(capacity=8192)
    other = p.new_ring()
    p.rings.append(other)
    other.main.run = 0
    p.fill(4000)
    other.write(sine(1024, 4000, 2))
    p.table[2] = other.address
    p.play(1024)
    p.ring.leave(600)
    other.play(600)
    for _ in range(4):
        p.play(256)
    np.testing.assert_allclose(p.heard[FADE:], sine(0, 2048, 2)[FADE:], atol=1e-6)
    assert p.ring.callback.mode == SILENT and other.callback.mode == PLAYING
    assert p.ring.callback.underruns == other.callback.underruns == 0


def test_the_tap_holds_what_was_played_and_counts_what_found_no_room(player):
    p = player(tap=2 * 1000)
    p.fill(4000)
    p.bus.recorder.tap_on = 1
    p.bus.main.volume_gain = 0.5
    taken = []
    for _ in range(6):
        p.play(300)
        taken.append(p.bus.take())
    np.testing.assert_array_equal(np.concatenate(taken), p.heard.ravel())
    for _ in range(4):  # nobody takes: three periods of 300 fit
        p.play(300)
    assert p.bus.callback.tap_lost == 300
    np.testing.assert_array_equal(p.bus.take(), p.heard[-1200:-300].ravel())


def test_writes_only_its_own_numbers(player):
    p = player()
    p.fill(1024)
    p.ring.set_controls([0.5] * 8, [])
    before = [bytes(block.memory.buf) for block in (p.ring, p.bus)]
    for _ in range(8):
        p.play(256, status=4)
    for block, was in zip((p.ring, p.bus), before, strict=True):
        mine = {place for slot, place in type(block)._places() if slot.writer == "callback"}
        changed = np.flatnonzero(np.frombuffer(block.memory.buf, np.int64, len(was) // 8) != np.frombuffer(was, np.int64))
        assert set(changed) <= mine and len(changed) >= 5


def test_the_machine_code_calls_no_python_counts_no_references_and_allocates_nothing():
    """What numba makes of a callback is the function itself and, around it, what would report an exception of it: there is none."""
    text = callback.cfunc(callback.SIGNATURE)(callback._pa_stream_callback(0)).inspect_llvm()
    bodies = dict(re.findall(r'^define [^@]*@"?([\w.]+)"?\((.*?)^}', text, re.MULTILINE | re.DOTALL))
    ours = {name: body for name, body in bodies.items() if "noizestream" in name and not name.startswith("cfunc.")}
    for function in ("serve", "add_ring", "begin"):  # it may have become part of what calls it
        assert f"callback{len(function)}{function}" in text
    for name, body in ours.items():
        called = set(re.findall(r'\b(?:call|invoke)\b[^@\n]*@"?([\w.]+)', body))
        assert all(other in ours or other.startswith(("llvm.", "memset", "memcpy")) for other in called), (name, called)
        assert not re.search(r"\b(?:call|invoke)\b[^@\n(]* %", body), f"{name} calls what an address leads to"
        assert not re.search(r"@\.const\.pickle|Py\w+|NRT_\w+|malloc|numba_gil", body), f"{name} may raise, or call Python"
