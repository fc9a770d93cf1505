"""Who should step the model? Three answers on a real audio server, each beside a busy Python thread.

    python benchmarks/callback.py [MODEL] [--seconds 10]

    in the callback   PortAudio calls Python, which steps the model
    worker thread     a thread of the same process steps into the ring, the compiled callback plays it
    worker process    a process of its own steps into the ring, the compiled callback plays it (what noizestream does)
    server alone      the compiled callback plays silence, no model, no busy thread: what the server misses by itself

It starts a dummy JACK server (48 kHz, 256 frames) of its own. `missed` are the periods that should have come and did not, that the
server reported `late`, or that found the ring `dry`; `step` is the wall time of one step of the model, which makes one block.
Absolute figures depend on what else runs.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

KINDS = {"callback": "in the callback", "thread": "worker thread", "process": "worker process", "nothing": "server alone"}
TARGET_S = 0.045


def work() -> None:
    """Hold the interpreter lock for good."""
    number = 1
    while True:
        number = number * 1103515245 + 12345 & 0x7FFFFFFF


def busy_thread() -> None:
    threading.Thread(target=work, daemon=True).start()


def play_in_callback(model: str, seconds: float) -> dict:
    """Step in the Python callback itself."""
    import numpy as np
    import sounddevice

    from noizestream.engine.generator import load, prepare_torch
    from noizestream.realtime.step_times import StepTimes

    prepare_torch()
    generator, times = load(model), StepTimes()
    generator.warm_up()
    counts = {"periods": 0, "late": 0, "period_frames": 0}
    rest = np.zeros((0,), np.float32)

    def callback(target, frames, _time, status) -> None:
        nonlocal rest
        counts["periods"] += 1
        counts["period_frames"] = frames
        counts["late"] += bool(status.output_underflow)
        while len(rest) < frames:
            began = time.perf_counter()
            rest = np.concatenate([rest, generator.step()[0]])
            times.add(time.perf_counter() - began)
        target[:, 0], rest = rest[:frames], rest[frames:]

    busy_thread()
    with sounddevice.OutputStream(generator.metadata.sample_rate, channels=1, dtype="float32", latency="low", callback=callback):
        time.sleep(seconds)
    return counts | {"step_ms": times.milliseconds()}


def play_from_ring(ring, rate: int, seconds: float, load_machine: bool) -> dict:
    """Play `ring` through the compiled callback for `seconds`; count what was missed."""
    from noizestream.devices import portaudio
    from noizestream.realtime.output_bus import OutputBus

    bus = OutputBus.create(ring.layout.channels)
    ring.main.resume, ring.main.fade_frames = 1, 480
    ring.play(480)
    with portaudio.Output(portaudio.find_output(), bus, rate) as output:
        output.put(0, ring)
        if load_machine:
            busy_thread()
        served = bus.callback
        before = served.callbacks, served.device_underflows
        time.sleep(seconds)
        periods, late = served.callbacks - before[0], served.device_underflows - before[1]
        period = served.period
    dry = -(-ring.callback.missed // max(period, 1))
    bus.close()
    return {"periods": periods, "late": late, "dry": dry, "period_frames": period}


def play_from_thread(model: str, seconds: float) -> dict:
    """Step in a thread of this process."""
    from noizestream.engine.generator import load, prepare_torch
    from noizestream.realtime.ring import Ring
    from noizestream.realtime.step_times import StepTimes

    prepare_torch()
    generator, times = load(model), StepTimes()
    generator.warm_up()
    rate, block = generator.metadata.sample_rate, generator.metadata.block_frames
    ring = Ring.create(16384, generator.metadata.channels, "worker")
    target = max(int(TARGET_S * rate), 2 * block)
    primed = threading.Event()

    def fill() -> None:
        while not ring.main.stop:
            if ring.fill() + block > target:
                primed.set()
                time.sleep(0.0005)
                continue
            began = time.perf_counter()
            frames = generator.step().T
            times.add(time.perf_counter() - began)
            ring.write(frames)

    thread = threading.Thread(target=fill)
    thread.start()
    primed.wait()
    counts = play_from_ring(ring, rate, seconds, True)
    ring.main.stop = 1
    thread.join()
    ring.close()
    return counts | {"step_ms": times.milliseconds()}


def play_from_process(model: str, seconds: float) -> dict:
    """Step in a worker process, as noizestream does."""
    from noizestream.modelfile import archive
    from noizestream.realtime.worker import Worker
    from noizestream.system import machine

    rate = archive.read_metadata(model).sample_rate
    began = time.perf_counter()
    with Worker(model, target_frames=int(TARGET_S * rate)) as worker:
        ready = time.perf_counter() - began
        counts = play_from_ring(worker.ring, rate, seconds, True)
        memory = {"main_mb": machine.resident_mb(os.getpid()), "worker_mb": machine.resident_mb(worker.pid)}
        return counts | memory | {"ready_s": round(ready, 2), "step_ms": worker.statistics()["step_ms"]}


def play_nothing(model: str, seconds: float) -> dict:
    """No model and no busy thread: an endless ring of silence."""
    from noizestream.realtime.ring import Ring

    ring = Ring.create(16384, 1, "worker")
    ring.worker.written = 1 << 40
    counts = play_from_ring(ring, 48000, seconds, False)
    ring.close()
    return counts


PLAYERS = {"callback": play_in_callback, "thread": play_from_thread, "process": play_from_process, "nothing": play_nothing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="model file (default: the bundled one)")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--one", choices=PLAYERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    from noizestream.modelfile import archive

    model = str(archive.find_model(arguments.model))
    if arguments.one:
        print(json.dumps(PLAYERS[arguments.one](model, arguments.seconds)))
        return
    from rig.jack_server import RATE, JackServer

    print(
        f"{Path(model).name}, {arguments.seconds:g} s each, load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"{'':18}{'due':>9}{'missed':>8}{'late':>6}{'dry':>6}   step ms: {'p50':>7}{'p99':>8}{'max':>8}")
    for kind, title in KINDS.items():
        with JackServer(f"noizestream-bench-{os.getpid()}-{kind}") as server:
            command = [sys.executable, __file__, model, "--seconds", str(arguments.seconds), "--one", kind]
            run = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            sys.exit(run.stderr)
        found = json.loads(run.stdout.splitlines()[-1])
        step = found.get("step_ms")
        steps = f"            {step['p50']:7.2f}{step['p99']:8.2f}{step['max']:8.2f}" if step else ""
        parts = "".join(f"{found.get(name, '-'):>6}" for name in ("late", "dry"))
        due = int(arguments.seconds * RATE / found["period_frames"])
        missed = min(max(due - found["periods"], 0) + found["late"] + found.get("dry", 0), due)
        print(f"{title:18}{due:9}{missed:8}{parts}{steps}")
        if kind == "process":
            print(f"{'':18}ready in {found['ready_s']} s; main process {found['main_mb']} MB, worker {found['worker_mb']} MB")


if __name__ == "__main__":
    main()
