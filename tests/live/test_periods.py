"""`play` on servers of other periods: what is kept ready fits what the device asks for at once, and what is said of it is true."""

import contextlib
import re
import signal
import subprocess
import sys

import pytest

from rig.harness import play
from rig.jack_server import JackServer
from rig.waiting import PATIENCE_S
from tests.live.test_faults import TONES, Ear, Performance

BLOCK = 512
"""Of the sine model."""

RESIZE = (
    "import jack, sys; client = jack.Client('resize', no_start_server=True); client.activate(); client.blocksize = int(sys.argv[1])"
)


@pytest.mark.parametrize(("period", "rate"), [(8192, 44100), (16, 48000)])
def test_a_period_of_any_size_is_kept_ready_twice_and_said(jack_server: JackServer, sine_model, tmp_path, period, rate):
    """PortAudio hands those beyond 1024 over in parts."""
    arguments = [str(sine_model), "-g", "A", "-t", "0", "--headless", "--seconds", "2"]
    with JackServer(f"{jack_server.name}-{period}", period, rate) as server:
        for _ in range(3):  # what shares this machine may hold a worker up for as long as the ring lasts
            run = play(server, tmp_path, arguments)
            assert run.code == 0, run.err
            if run.stats["underruns"] == 0:
                break
    assert run.stats["underruns"] == 0 and run.stats["period_frames"] == period and run.stats["device_rate"] == rate
    assert f"{rate} Hz, 2 channels, periods of {period} frames" in run.out
    kept = int(re.search(r"(\d+) ms of sound kept ready", run.out)[1])
    least = max(58.0, 1e3 * 2 * period / rate + 1e3 * BLOCK / 48000)
    assert kept == pytest.approx(least, abs=1) and run.stats["ring_ms"] == pytest.approx(least, abs=1)


def test_a_period_that_grows_while_it_plays_is_followed(jack_server: JackServer, sine_model, tmp_path):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(JackServer(f"{jack_server.name}-growing"))
        ear = stack.enter_context(Ear(server.environment))
        performance = Performance([str(sine_model), "-g", "B", "-t", "0"], server.environment, tmp_path / "stats.json")
        stack.callback(performance.end)
        place = performance.wait_for("periods of 256 frames")
        ear.wait_for(TONES["B"])
        subprocess.run([sys.executable, "-c", RESIZE, "4096"], env=server.environment, check=True, timeout=PATIENCE_S)
        performance.wait_for("the device asks for 4096 frames at once now; 181 ms of sound kept ready", place)
        ear.wait_for(TONES["B"])
        performance.process.send_signal(signal.SIGTERM)
        assert performance.process.wait(PATIENCE_S) == 130
