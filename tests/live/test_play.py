"""`play` on a real JACK server: dropouts, the way from a key to the sound, start and stop."""

import os
import signal
import statistics
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from noizestream.modelfile import archive
from rig.harness import Heard, Run, changes, play
from rig.jack_server import PERIOD, RATE, JackServer
from rig.waiting import PATIENCE_S

SECONDS = float(os.environ.get("NOIZESTREAM_LIVE_SECONDS", "20"))
TONES = {"A": 220.0, "B": 440.0, "C": 880.0}
LOUDEST_STEP = 0.25 * 2 * np.pi * 880 / 48000 * 1.2
"""A sine of level 0.25 at 880 Hz steps by at most this, and a fifth for the fades."""


def flood(seconds: float, per_second: int = 100) -> list[tuple[float, list[int]]]:
    """Temperature changes for `seconds`, and in place of every 50th a change of genre."""
    count = int(seconds * per_second)
    return [
        (number / per_second, [0xC0, number // 50 % 3] if number % 50 == 0 else [0xB0, 1, number % 128]) for number in range(count)
    ]


def peak(heard: Heard) -> float:
    return float(np.abs(heard.audio).max())


def fair(run: Run) -> bool:
    """Whether the server ran, however late: where it stands still for seconds, `play` rightly takes it for gone."""
    return run.stats["device_losses"] == 0 and len(run.heard.sent) > 0


def test_no_underruns_under_a_flood_of_midi_beside_a_busy_thread(jack_server: JackServer, sine_model, tmp_path):
    """`benchmarks/dropouts.py` in short. What shares this machine may hold a worker up for as long as the ring lasts: best of 3."""
    events = flood(SECONDS - 3)
    arguments = [str(sine_model), "--headless", "--seconds", str(SECONDS)]
    for _ in range(3):
        run = play(jack_server, tmp_path, arguments, events, busy=True)
        assert run.code == 0, run.err
        print(f"server xruns {run.heard.xruns}, late periods {run.stats['device_underflows']}, {run.stats}")
        if fair(run) and run.stats["underruns"] == 0:
            break
    if not fair(run):
        pytest.skip("the JACK server stood still for seconds in each of 3 runs: the machine is too busy for this test")
    assert run.stats["underruns"] == 0
    assert run.stats["missed_ms"] == 0
    assert run.stats["resets"] == 0
    assert "stepped in float32" in run.out
    # A server that is late itself plays slower and drops MIDI; without one late period all of it must arrive.
    assert run.stats["midi_messages"] > len(run.heard.sent) / 2
    if run.heard.whole:
        assert run.stats["midi_messages"] == len(events)
    assert run.stats["blocks"] * run.stats["block_frames"] / run.stats["sample_rate"] > SECONDS / 4
    assert 0.1 < peak(run.heard) < 0.97


def test_a_program_change_is_heard_as_soon_as_is_said(jack_server: JackServer, sine_model, tmp_path):
    order = [1, 2, 0, 2, 1, 0, 1, 2, 0]
    # Not in step with the model's blocks: each change falls elsewhere.
    events = [(0.4137 * number, [0xC0, genre]) for number, genre in enumerate(order)]
    before, judged = [TONES["ABC"[genre]] for genre in [0, *order[:-1]]], False
    for _ in range(3):  # what shares this machine may hold a worker up, or the message on its way: best of 3
        run = play(jack_server, tmp_path, [str(sine_model), "-g", "A", "-t", "0", "--headless", "--seconds", "7"], events)
        assert run.code == 0, run.err
        times, said = changes(run.heard, before), run.stats["control_latency_ms"]
        print(f"control to sound {[round(1e3 * time, 1) for time in times]} ms, said {said}")
        assert said < 80
        if not fair(run) or len(times) < len(order) / 2:  # a server that is late itself plays slower
            continue
        judged, median_ms = True, 1e3 * statistics.median(times)
        if soon := run.stats["underruns"] == 0 and median_ms < said + 1e3 * PERIOD / RATE:
            break
    if not judged:
        pytest.skip("the JACK server stood still for seconds in each of 3 runs: the machine is too busy for this test")
    assert soon, (median_ms, said, run.stats["underruns"])


def test_starts_and_stops_without_a_click(jack_server: JackServer, sine_model, tmp_path):
    arguments = [str(sine_model), "-g", "C", "-t", "0", "--headless", "--seconds", "1"]
    for _ in range(5):
        run = play(jack_server, tmp_path, arguments)
        assert run.code == 0, run.err
        assert run.stats["seconds"] >= 1
        np.testing.assert_array_equal(run.heard.audio[:, 0], run.heard.audio[:, 1])
        if peak(run.heard) > 0 and (run.heard.whole or run.heard.step() < LOUDEST_STEP):  # late itself, it may hear nothing
            break
    else:
        pytest.skip("the JACK server lost periods of its own in each of 5 runs: the machine is too busy for this test")
    assert peak(run.heard) == pytest.approx(0.25, abs=0.01)
    assert run.heard.step() < LOUDEST_STEP


def test_where_there_are_no_int8_kernels_float32_plays_and_it_says_so(jack_server: JackServer, sine_model, tmp_path):
    """The kernels cannot be taken out of torch: every process is told that there are none."""
    module, metadata = archive.load(sine_model)
    archive.save(module, replace(metadata, extra={"precision": "int8"}), tmp_path / "both.ts", module)
    (tmp_path / "sitecustomize.py").write_text("import noizestream.modelfile.precision as p\np.int8_kernels = lambda: p.NONE\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "noizestream.cli", "play", str(tmp_path / "both.ts"), "--headless", "--seconds", "0.5"]
    environment = jack_server.environment | {"PYTHONPATH": path}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert run.returncode == 0, run.stderr
    assert "stepped in float32" in run.stdout and "no int8 kernels, playing in float32" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_fades_out_and_gives_the_statistics(jack_server: JackServer, sine_model, tmp_path, number):
    def stop(process):
        for line in process.stdout:
            if line.startswith("MIDI"):
                break
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        process.send_signal(number)

    run = play(jack_server, tmp_path, [str(sine_model), "-g", "C", "-t", "0", "--headless"], stop=stop)
    assert run.code == 130
    assert "Traceback" not in run.err
    assert "underruns" in run.out
    assert run.stats["seconds"] > 0.5
    assert run.heard.step() < LOUDEST_STEP or not run.heard.whole
