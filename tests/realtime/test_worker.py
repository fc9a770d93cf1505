"""The worker process, with the test as its audio callback: it takes frames from the ring as fast as they come."""

import contextlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from noizestream.engine.generator import load
from noizestream.engine.safety import CEILING, SafeStream
from noizestream.errors import NoizestreamError
from noizestream.realtime import worker_loop
from noizestream.realtime.ring import READY
from noizestream.realtime.standby import AT_ONCE
from noizestream.realtime.worker import Beginning, Worker
from rig.device import take
from rig.waiting import wait_for
from tests import foreign_models as foreign
from tests.processes import alive, children

linux = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a worker has an understudy")


def peak_hz(samples: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * rate / len(samples))


@pytest.fixture(scope="module")
def playing(sine_model):
    with Worker(sine_model, target_frames=1600, beginning=Beginning(seed=3)) as started:
        yield started


@pytest.fixture
def worker(playing):
    """One that has played, whatever the tests before wanted of it; it is to play on."""
    playing.set_target(1600)
    playing.ring.main.boost_gain = 1.0
    hear(playing, genre=2)
    yield playing
    playing.check()


@pytest.fixture
def fresh(sine_model):
    """One that has not been heard yet, at 440 Hz."""
    with Worker(sine_model, target_frames=1600, beginning=Beginning(3, [0, 1, 0])) as started:
        yield started


def hear(worker, genre: int) -> None:
    """Play until nothing else than `genre`, of 3, can be in the ring."""
    sequence = worker.set_controls([float(number == genre) for number in range(3)], [0.0])
    take(worker.ring, worker.ring.fill())
    wait_for(lambda: worker.ring.worker.seen_sequence >= sequence, "the control to be seen")
    take(worker.ring, worker.ring.fill() + 512)


def test_live_equals_render_and_the_ring_stays_at_its_target(fresh, sine_model):
    ring = fresh.ring
    assert ring.worker.state == READY
    assert ring.fill() == 1536  # three blocks of 512 fit under 1600
    generator = load(sine_model, seed=3)
    generator.set_genre([0, 1, 0])
    stream = SafeStream(generator)
    expected = np.concatenate([stream.step() for _ in range(40)], axis=1).T
    assert np.array_equal(take(ring, 40 * 512), expected)
    wait_for(lambda: ring.fill() == 1536, "the ring to fill up")
    blocks = ring.worker.blocks
    assert blocks == 43 and ring.worker.written == 43 * 512


def test_a_control_is_heard_in_the_next_block(worker):
    ring = worker.ring
    sequence = worker.set_controls([1, 0, 0], [0.0])
    before = ring.fill()
    take(ring, before)
    wait_for(lambda: ring.worker.seen_sequence >= sequence, "the control to be seen")
    take(ring, 512)
    assert peak_hz(take(ring, 9600)[:, 0], 48000) == pytest.approx(220, abs=5)


def test_bad_values_do_not_end_the_music(worker):
    sequence = worker.set_controls([0, 0, 0], [float("nan")])
    take(worker.ring, 4096)
    wait_for(lambda: worker.ring.worker.seen_sequence >= sequence, "the control to be seen")
    take(worker.ring, worker.ring.fill() + 512)
    assert peak_hz(take(worker.ring, 9600)[:, 0], 48000) == pytest.approx(880, abs=5)
    worker.check()


def test_boost_stays_under_the_ceiling(worker):
    worker.ring.main.boost_gain = 30.0
    take(worker.ring, 4096)
    loud = np.abs(take(worker.ring, 9600)).max()
    worker.ring.main.boost_gain = 1.0
    assert 0.9 < loud <= CEILING


def test_the_target_can_change(worker):
    ring = worker.ring
    worker.set_target(4000)
    wait_for(lambda: ring.fill() > 4000 - 512, "the ring to fill up")
    assert ring.fill() <= 4000
    worker.set_target(0)  # raised to one block: less could not be kept
    assert ring.main.target == 512
    take(ring, ring.fill() - 100)
    take(ring, 3 * 512)
    wait_for(lambda: 0 < ring.fill() <= 512, "the ring to fill up")
    worker.set_target(1600)


def test_interrupts_of_the_terminal_do_not_reach_it(worker):
    before = worker.pid
    os.kill(before, signal.SIGINT)
    take(worker.ring, 20000)
    assert worker.check() is None and worker.pid == before and alive(before)


def test_it_steps_steadily(worker):
    settings = dict(worker.settings)
    assert settings.pop("frozen") > 1000, "what was loaded is not looked at again"
    assert settings == {"threads": 1, "denormals_flushed": True, "collector": False, "precision": "float32"}


def test_statistics(worker):
    take(worker.ring, 51 * 512)
    wait_for(lambda: worker.ring.fill() == 1536, "the ring to fill up")
    found = worker.statistics(midi_messages=4)
    assert found["blocks"] == worker.ring.worker.blocks > 50
    assert 0 < found["step_ms"]["p50"] <= found["step_ms"]["p99"] <= found["step_ms"]["max"]
    assert found["load"] > 0 and found["midi_messages"] == 4 and found["resets"] == 0


def test_after_a_panic_comes_silence_and_then_a_fresh_state(worker):
    ring = worker.ring
    worker.panic()
    wait_for(lambda: ring.worker.fresh == ring.main.panic, "the answer to the panic")
    take(ring, int(ring.worker.fresh_at - ring.callback.played))  # the callback would leave it behind
    pause = round(worker_loop.PANIC_S * 48000)
    assert not take(ring, pause).any()
    assert np.abs(take(ring, 4800)).max() > 0.1


def checked(worker) -> str:
    """What `check` says in the end."""
    said: list[str] = []
    wait_for(lambda: said.extend(filter(None, [worker.check()])) or said, "a word about its end")
    return said[0]


@linux
def test_a_worker_that_hangs_is_killed_and_its_understudy_plays_on(worker, monkeypatch):
    monkeypatch.setattr("noizestream.realtime.worker.HUNG_S", 0.2)
    hung = worker.pid
    os.kill(hung, signal.SIGSTOP)
    take(worker.ring, worker.ring.fill())
    said = checked(worker)
    assert "no sound" in said and "\n" not in said and worker.pid != hung
    monkeypatch.undo()
    assert np.abs(take(worker.ring, 4800)).max() > 0.1


@linux
def test_a_worker_that_is_killed_is_followed_without_a_click_in_the_same_ring(fresh):
    worker = fresh
    take(worker.ring, 3 * 1536)
    blocks, first = worker.next_block, worker.pid
    os.kill(first, signal.SIGKILL)
    audio = take(worker.ring, 9600)[:, 0]
    assert "ended unexpectedly" in checked(worker) and worker.pid != first
    assert worker.next_block >= blocks + 9600 // 512
    assert np.abs(np.diff(audio)).max() < 0.25 * 2 * np.pi * 440 / 48000 + 0.25 * 2 / 144 + 1e-3
    assert peak_hz(audio[4800:], 48000) == pytest.approx(440, abs=12)
    with pytest.raises(NoizestreamError, match="ended unexpectedly"):  # those that die at once are not followed for ever
        for _ in range(AT_ONCE + 1):
            os.kill(worker.pid, signal.SIGKILL)
            checked(worker)


@pytest.mark.parametrize(
    ("period", "latency", "exact", "target"),
    [
        (256, 256, False, 2784),
        (4096, 4096, False, 512 + 2 * 4096),
        (8192, 8192, False, 512 + 2 * 8192),
        (512, 12000, False, 512 + 12000),
        (256, 12000, True, 2784),
        (4096, 4096, True, 4096),
    ],
)
def test_what_is_kept_ready_follows_the_period_and_what_the_device_keeps_itself(sine_model, period, latency, exact, target):
    with contextlib.closing(Worker(sine_model, target_frames=2 * 8192).open()) as worker:
        worker.fit(2784, period, 480, exact, latency)
        assert worker.ring.main.target == target
        assert target >= worker.ring.main.resume == target - 511 and worker.change_frames <= target


def test_it_takes_nothing_before_it_is_opened_and_closes_more_than_once(sine_model, tmp_path):
    Worker(tmp_path / "none.ts").close()
    worker = Worker(sine_model).open()
    for _ in range(2):
        worker.close()
        assert not worker.ring.is_open and worker.statistics()["blocks"] == 0


def test_device_rate_and_channels(sine_model):
    with Worker(sine_model, 44100, 2, target_frames=2048) as worker:
        assert 2048 - worker.block_frames < worker.ring.fill() <= 2048
        assert worker.ring.main.channels == 2
        audio = take(worker.ring, 44100)
        assert np.array_equal(audio[:, 0], audio[:, 1]) and peak_hz(audio[:, 0], 44100) == pytest.approx(220, abs=2)
    assert worker.statistics()["blocks"] > 40  # still known after the ring is gone


@pytest.mark.parametrize("channels", [1, 2])
def test_a_stereo_model_keeps_its_sides_where_the_device_has_two(tmp_path, channels):
    with Worker(foreign.write(foreign.White(), tmp_path / "white.ts"), 44100, channels, target_frames=2048) as worker:
        audio = take(worker.ring, 8820)
    assert audio.shape == (8820, channels)
    levels = audio[1000:].std(0)
    # White noise of two unrelated sides: their mean is 3 dB down.
    assert levels == pytest.approx([0.5 / 3**0.5 / 2**0.5] if channels == 1 else [0.5 / 3**0.5] * 2, rel=0.15)
    assert channels == 1 or abs(np.corrcoef(audio.T)[0, 1]) < 0.1


def test_primed_it_goes_on_from_what_it_heard_as_render_does_and_a_panic_begins_without_it(tmp_path):
    path = foreign.write(foreign.Hearing(), tmp_path / "hearing.ts")
    heard, genre = np.full((1, 4800), 0.8, np.float32), [0.0, 1.0, 0.0]
    generator = load(path, seed=5)
    generator.set_genre(genre)
    generator.prime(heard)
    stream = SafeStream(generator)
    expected = np.concatenate([stream.step() for _ in range(20)], axis=1).T
    assert np.abs(expected).max() > 0.1
    with Worker(path, target_frames=1024, beginning=Beginning(5, genre, prime_audio=heard)) as worker:
        ring = worker.ring
        assert np.array_equal(take(ring, 20 * 256), expected)
        worker.panic()
        wait_for(lambda: ring.worker.fresh == ring.main.panic, "the answer to the panic")
        take(ring, int(ring.worker.fresh_at - ring.callback.played))
        assert not take(ring, round(worker_loop.PANIC_S * 48000) + 4096).any(), "it has heard nothing"


def test_a_spoilt_model_is_counted_and_goes_on(tmp_path):
    with Worker(foreign.write(foreign.Spoilt(), tmp_path / "spoilt.ts"), target_frames=1024) as worker:
        audio = take(worker.ring, 40 * 256)
        assert np.isfinite(audio).all() and np.abs(audio).max() > 0.05
        assert worker.statistics()["resets"] >= 4


@pytest.mark.parametrize("module", [foreign.Raising, foreign.WrongShape, foreign.NoStep])
def test_what_cannot_be_played_is_one_line_in_the_main_process(tmp_path, module):
    path = foreign.write(module(), tmp_path / "bad.ts")
    worker = Worker(path)
    with pytest.raises(NoizestreamError) as raised:
        worker.start()
    assert str(raised.value).startswith(str(path)) and "\n" not in str(raised.value)
    wait_for(lambda: not alive(worker.pid), "its end")


MAIN = """
import sys, time
from noizestream.realtime.worker import Worker
if __name__ == "__main__":
    worker = Worker(sys.argv[1])
    worker.start()
    heavy = [name for name in ("torch", "librosa", "scipy", "numba") if name in sys.modules]
    print(worker.pid, worker.ring.memory.name, *heavy, flush=True)
    time.sleep(600)
"""


def test_it_ends_with_a_main_process_that_is_killed_and_never_gave_it_torch(sine_model, tmp_path):
    script = tmp_path / "main.py"
    script.write_text(MAIN)
    main = subprocess.Popen([sys.executable, str(script), str(sine_model)], stdout=subprocess.PIPE, text=True)
    try:
        pid, name, *heavy = main.stdout.readline().split()
        assert heavy == []
        assert os.path.exists(f"/proc/{pid}")
        family = [int(pid), *children(int(pid))]
    finally:
        main.kill()
        main.wait()
        main.stdout.close()
    for one in family:
        wait_for(lambda one=one: not alive(one), "the worker and its understudy to end")
    wait_for(lambda: not os.path.exists(f"/dev/shm/{name}"), "the shared memory to go")
