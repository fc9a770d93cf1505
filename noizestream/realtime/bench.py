"""What a model costs on this machine, and how little latency it can be played with.

Two measurements, each in every precision that the file offers:

    back to back   the generator with the safety behind it, one step after the other, the forms taking turns: times of a step
    live           the worker process of `play`, with a device simulated on the clock: load, memory, smallest safe latency

Both go on changing genre, temperature and tempo, as a performance does.
"""

import contextlib
import gc
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.modelfile import archive
from noizestream.modelfile.metadata import Metadata
from noizestream.modelfile.precision import ENVIRONMENT, INT8, NONE, int8_kernels
from noizestream.realtime.ring import Ring
from noizestream.realtime.worker import Worker
from noizestream.system import machine

PERIOD_FRAMES = 256
"""What the simulated device takes at a time."""

EXTRA_PERIODS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""What is kept ready beyond one block, tried in this order."""

CHANGE_S = 0.25
TURN = 500
"""Steps of one form before the next has its turn: a fraction of a second, so that both meet the same other load; and so many,
because in play nothing else sweeps the caches between two steps, as the other form does at the start of a turn."""

FEWEST = 50
"""Steps of each form, however little is asked for."""

PATIENCE_S = 10.0

Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class Trial:
    """`kept_ms` of sound kept ready, played for `seconds`: times it ran dry, and times the simulated device itself was late."""

    kept_ms: float
    seconds: float
    underruns: int
    late: int


def bench(path: Path, seconds: float = 10.0, progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Measure the model file `path`: `seconds` of music stepped, and as long without an underrun for a latency to count as safe.

    Returns `{model, block_ms, sample_rate, machine, precisions: {NAME: figures}, verdict}`, times in ms.
    """
    metadata = archive.read_metadata(path)
    names = archive.precisions(metadata)
    if int8_kernels() == NONE:
        names = [name for name in names if name != INT8]
    block_ms = 1e3 * metadata.block_frames / metadata.sample_rate
    times = step_times(path, names, seconds)
    forms = {}
    for done, name in enumerate(names):
        progress(1 + done, 1 + len(names))
        forms[name] = _back_to_back(times[name], block_ms) | play_live(path, name, metadata, seconds)
    found: dict[str, Any] = {
        "model": metadata.name,
        "block_ms": round(block_ms, 3),
        "sample_rate": metadata.sample_rate,
        "int8_kernels": int8_kernels(),
        "machine": machine.description(),
        "precisions": forms,
    }
    return found | {"verdict": verdict(found)}


def step_times(path: Path, names: list[str], seconds: float) -> dict[str, np.ndarray]:
    """Seconds of each step `[steps]` per precision: `seconds` of music in each, in turns of `TURN` steps, no collector running."""
    from noizestream.engine.generator import load, prepare_torch
    from noizestream.engine.safety import SafeStream

    prepare_torch()
    streams = {}
    for name in names:
        generator = load(path, precision=name)
        streams[name] = (generator, SafeStream(generator))
    metadata = next(iter(streams.values()))[0].metadata
    count = max(FEWEST, round(seconds * metadata.sample_rate / metadata.block_frames))
    every = max(1, round(CHANGE_S * metadata.sample_rate / metadata.block_frames))
    times = {name: np.zeros(count) for name in names}
    with _no_collector():
        for start in range(0, count, TURN):
            for name, (generator, stream) in streams.items():
                for step in range(start, min(start + TURN, count)):
                    if step % every == 0:
                        weights, values = performance(metadata, step // every)
                        generator.set_genre(weights)
                        generator.set_controls(values)
                    began = time.perf_counter()
                    stream.step()
                    times[name][step] = time.perf_counter() - began
    return times


def performance(metadata: Metadata, number: int) -> tuple[list[float], list[float]]:
    """Genre weights `[G]` and control values `[K]` of the change `number`: genres in turn, temperature and tempo up and down."""
    genre = metadata.genre_weights(metadata.genres[number % len(metadata.genres)])
    asked = {"temperature": 0.5 + 0.25 * (number % 5), "tempo": (0.0, 90.0, 140.0)[number % 3]}
    return genre, metadata.limited(asked.get(control["name"], control["default"]) for control in metadata.controls)


def play_live(path: Path, name: str, metadata: Metadata, seconds: float) -> dict[str, Any]:
    """Play in the precision `name` through a worker process, keeping more and more ready until `seconds` pass without an underrun.

    Returns `{live_step_ms, load, memory_mb, latency_ms, trials}`; `latency_ms` is None where nothing that was tried was safe.
    `load` is the worker's own processor time, so that other work on this machine does not count.
    """
    rate, block = metadata.sample_rate, metadata.block_frames
    targets = [block + extra * PERIOD_FRAMES for extra in EXTRA_PERIODS]
    trials = []
    with preferring(name), Worker(path, target_frames=targets[-1]) as worker, _device(worker) as device:
        drain(worker, device)
        for target in targets:
            worked, began = machine.processor_seconds(worker.pid), time.perf_counter()
            trials.append(try_latency(worker, device, target, seconds))
            if not trials[-1].underruns:
                break
        elapsed, worked_after = time.perf_counter() - began, machine.processor_seconds(worker.pid)
        measured = worker.statistics()
        memory = machine.resident_mb(worker.pid)
    load = measured["load"] if worked is None or worked_after is None else round((worked_after - worked) / elapsed, 4)
    safe = trials[-1].kept_ms if not trials[-1].underruns else None
    return {
        "live_step_ms": measured["step_ms"],
        "load": load,
        "memory_mb": memory,
        "latency_ms": safe,
        "device_period_ms": round(1e3 * PERIOD_FRAMES / rate, 2),
        "trials": [asdict(trial) for trial in trials],
    }


def try_latency(worker: Worker, device: Ring, target: int, seconds: float) -> Trial:
    """Keep `target` frames ready and take a period whenever one is due, up to `seconds` or the first time the ring is dry.

    `device` is the worker's ring, opened as the callback does.
    When this process itself wakes more than a period late, the device's clock is set back by as much: a server that was late
    does the same, and it says nothing about the model.
    """
    metadata = worker.metadata
    period_s = PERIOD_FRAMES / metadata.sample_rate
    worker.set_target(target)
    _await_full(worker)
    due, underruns, late, change = time.perf_counter() + period_s, 0, 0, 0
    taken, wanted = 0, round(seconds / period_s)
    while taken < wanted and not underruns:
        now = time.perf_counter()
        if now < due:
            time.sleep(due - now)
            continue
        if now - due > period_s:
            late += 1
            due = now
        if device.fill() < PERIOD_FRAMES:
            underruns += 1
        else:
            device.callback.played += PERIOD_FRAMES
            taken += 1
            due += period_s
        if taken * period_s >= change * CHANGE_S:
            worker.set_controls(*performance(metadata, change))
            change += 1
    worker.check()
    return Trial(round(1e3 * target / metadata.sample_rate, 1), round(taken * period_s, 2), underruns, late)


def drain(worker: Worker, device: Ring) -> None:
    """Empty the ring, which is `device`, too, and keep one block in it from now on."""
    worker.set_target(0)
    device.callback.played = device.worker.written


def _device(worker: Worker) -> contextlib.closing[Ring]:
    """The ring of `worker` as the audio process has it."""
    return contextlib.closing(Ring.attach(worker.ring.memory.name, worker.ring.layout, "callback"))


def _await_full(worker: Worker) -> None:
    """Until no further block fits under the target."""
    end = time.monotonic() + PATIENCE_S
    while worker.ring.fill() + worker.block_frames <= worker.ring.main.target:
        worker.check()
        if time.monotonic() > end:
            return  # it cannot even fill the ring: the trial will say so
        time.sleep(0.001)


def _back_to_back(times: np.ndarray, block_ms: float) -> dict[str, Any]:
    p50, p95, p99 = (float(np.percentile(times, percent)) * 1e3 for percent in (50, 95, 99))
    step = {"p50": p50, "p95": p95, "p99": p99, "max": float(times.max()) * 1e3}
    return {
        "step_ms": {key: round(value, 3) for key, value in step.items()},
        "realtime_factor": round(block_ms / (float(times.mean()) * 1e3), 2),
        "p99_share_of_block": round(p99 / block_ms, 4),
    }


def verdict(found: dict[str, Any]) -> str:
    """One sentence on the form that plays here, which is the first."""
    name, form = next(iter(found["precisions"].items()))
    which = f"{found['model']} ({name})" if len(found["precisions"]) > 1 else found["model"]
    if form["realtime_factor"] <= 1:
        block, mean = found["block_ms"], found["block_ms"] / form["realtime_factor"]
        return f"{which} is too slow for this machine: a step takes {mean:.1f} ms, and a block lasts {block:.1f} ms"
    if form["latency_ms"] is None:
        most = form["trials"][-1]["kept_ms"]
        return f"{which} ran dry even with {most:.0f} ms kept ready: something else keeps this machine busy"
    spare = max(0.0, 1 - form["load"])
    return f"{which} plays at {form['latency_ms']:.0f} ms latency with {100 * spare:.0f} % of a core to spare"


@contextlib.contextmanager
def preferring(name: str) -> Iterator[None]:
    """Processes started inside load models in the precision `name`, where the file offers it."""
    before = os.environ.get(ENVIRONMENT)
    os.environ[ENVIRONMENT] = name
    try:
        yield
    finally:
        del os.environ[ENVIRONMENT]
        if before is not None:
            os.environ[ENVIRONMENT] = before


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """As in the worker: no pause to look for garbage."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
