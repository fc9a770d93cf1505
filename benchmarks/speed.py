"""What a step costs, and which part of it: the same network in several forms, taking turns in one process.

    python benchmarks/speed.py [--preset base] [--channels 2] [--steps 1500] [--json FILE]

    naive eager          the networks as they were trained, stepped in plain Python with nn.LSTM
    eager                the same with LSTM cells
    scripted float32     the same as TorchScript, frozen: what the others are compared with
    lean float32         what `train --precision float32` writes (nn/lean.py)
    lean int8            what `train` writes by default
    whole ...            as `play` and `render` step it: noise, conversions and safety included

The weights are random: they do not change the cost. Times are processor time of the one thread that steps, so that waiting for
other programs does not count; the forms take turns of 25 steps, so that what others do to the caches meets all of them, and each
begins its turn in caches that the others have swept; ratios are medians over the turns. "alone" is the last form once more with
nothing in between, as `render` runs it. Below, the parts of a step, each scripted and stepped alone with what it was handed in a
real step; "the rest" is what lies between them. Last the floor: what a step has to read and to transform in any form (a cache
that holds the weights from one step to the next goes under it).
"""

import argparse
import copy
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import torch  # noqa: E402

from noizestream import machine  # noqa: E402
from noizestream.engine.generator import Generator, prepare_torch  # noqa: E402
from noizestream.engine.safety import SafeStream  # noqa: E402
from noizestream.metadata import Metadata  # noqa: E402
from noizestream.nn.codec import Codec  # noqa: E402
from noizestream.nn.lean import lean  # noqa: E402
from noizestream.nn.moods import MOODS  # noqa: E402
from noizestream.nn.notes import Notes  # noqa: E402
from noizestream.nn.plan import Plan  # noqa: E402
from noizestream.nn.player import CONTROLS, Player  # noqa: E402
from noizestream.nn.predictor import Predictor  # noqa: E402
from noizestream.nn.recurrent import Recurrent  # noqa: E402
from noizestream.nn.spectral import SpectralFront, block_frames_for  # noqa: E402
from noizestream.noise import noise  # noqa: E402
from noizestream.training.config import resolve  # noqa: E402
from noizestream.training.export import quantised, script, script_shared  # noqa: E402

GENRES = ("ambient", "breaks", "chiptune", "drone", "dub", "techno")
TURN = 25
REFERENCE = "scripted float32"
PLAYED = "whole lean int8"
ALONE = f"{PLAYED}, alone"
RECORDED = 50
PARTS = {"predictor": "sequence model", "clock": "sequence model", "codec": "decoder", "synthesis": "synthesis"}
"""Part of a step by the network that does it, unless the method says more:"""
SAMPLING = ("sample", "draw")


def network(preset: str, channels: int) -> Player:
    """A player of the preset's sizes with random weights, for the six genres of the studio."""
    torch.manual_seed(0)
    config = resolve(preset)
    front = SpectralFront(config.sample_rate, block_frames_for(config.sample_rate, config.block_ms), channels)
    codec = Codec(front, config.latent, config.codec_hidden)
    torch.nn.init.normal_(codec.synthesis, std=0.3)
    codec.highest.fill_(-6.0)  # about as loud as music: the limiter has no more to do than there
    notes = Notes(front, config.codes)
    notes.book.uniform_(0, 1)
    plan = Plan(notes, len(GENRES), config.plan_hidden)
    predictor = Predictor(codec.latent, len(GENRES), notes.size + MOODS, config.hidden, config.layers, config.mixtures)
    return Player(front, codec, plan, predictor, torch.full((len(GENRES),), 120.0), torch.full((len(GENRES),), 0.7)).eval()


class Naive(torch.nn.Module):
    """`Recurrent.frame` by nn.LSTM, as one would write it first."""

    def __init__(self, recurrent: Recurrent):
        super().__init__()
        self.layers = recurrent.layers
        self.lstm = torch.nn.LSTM(recurrent.hidden, recurrent.hidden, recurrent.layers, batch_first=True)
        for layer, cell in enumerate(recurrent.cells):
            for name, weights in cell.named_parameters():
                getattr(self.lstm, f"{name}_l{layer}").data.copy_(weights)

    def frame(self, x: torch.Tensor, state: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        out, (h, c) = self.lstm(x[None], (torch.stack(state[0::2]), torch.stack(state[1::2])))
        return out[0], [part[layer] for layer in range(self.layers) for part in (h, c)]


def naive(player: Player) -> Player:
    copied = copy.deepcopy(player)
    copied.predictor.recurrent = Naive(player.predictor.recurrent)
    return copied.eval()


def stepper(module: Any, noise_size: int) -> Callable[[], None]:
    """A function that makes one step of `module` and keeps its state."""
    genre = torch.eye(len(GENRES))[0]
    controls = torch.tensor([control["default"] for control in CONTROLS])
    draws = [torch.from_numpy(noise(0, block, noise_size)) for block in range(RECORDED)]
    state, count = module.initial_state(), 0

    def step() -> None:
        nonlocal state, count
        _, state = module.step(genre, controls, draws[count % RECORDED], state)
        count += 1

    return step


def whole(module: Any, player: Player) -> Callable[[], Any]:
    """The step of `play` and `render`, without device and file."""
    controls = [dict(control) for control in CONTROLS]
    draws = torch.full((player.noise_size,), 0.5)
    block, _ = module.step(torch.eye(len(GENRES))[0], torch.zeros(len(controls)), draws, module.initial_state())
    metadata = Metadata("speed", player.front.sample_rate, *block.shape, 0, list(GENRES), controls, player.noise_size)
    return SafeStream(Generator(module, metadata)).step


def take_turns(forms: dict[str, Callable[[], Any]], steps: int) -> dict[str, list[list[float]]]:
    """Times of each form in ms, one list per turn."""
    times: dict[str, list[list[float]]] = {name: [] for name in forms}
    for _ in range(max(1, steps // TURN)):
        for name, step in forms.items():
            turn = []
            for _ in range(TURN):
                began = time.thread_time()
                step()
                turn.append(1e3 * (time.thread_time() - began))
            times[name].append(turn)
    return times


def recorded_calls(player: Player) -> list[list[tuple[str, str, tuple]]]:
    """What a step calls, as (path of the network in `player`, method, arguments), for `RECORDED` steps one after the other."""
    calls: list[tuple[str, str, tuple]] = []
    depth = 0

    def recording(owner: str, name: str, method: Callable) -> Callable:
        def call(*arguments: Any) -> Any:
            nonlocal depth
            if depth == 0:
                calls.append((owner, name, arguments))
            depth += 1
            try:
                return method(*arguments)
            finally:
                depth -= 1

        return call

    for owner, net in (("", player), *player.named_children()):
        for name, value in vars(type(net)).items():
            if callable(value) and not name.startswith("_") and name not in ("step", "initial_state"):
                object.__setattr__(net, name, recording(owner, name, getattr(net, name)))
    steps, step = [], stepper(player, player.noise_size)
    for _ in range(RECORDED):
        calls.clear()
        step()
        steps.append(list(calls))
    return steps


def part(owner: str, name: str) -> str:
    return "sampling" if name in SAMPLING else PARTS.get(owner, "sequence model")


def part_steppers(scripted: Any, recorded: list[list[tuple[str, str, tuple]]]) -> dict[str, Callable[[], None]]:
    """A stepper per part: what it does in one step, with the recorded arguments."""
    parts: dict[str, list[list[tuple[Callable, tuple]]]] = {}
    for calls in recorded:
        here: dict[str, list[tuple[Callable, tuple]]] = {}
        for owner, name, arguments in calls:
            method = getattr(getattr(scripted, owner) if owner else scripted, name)
            here.setdefault(part(owner, name), []).append((method, arguments))
        for title, work in here.items():
            parts.setdefault(title, []).append(work)

    def one(work: list[list[tuple[Callable, tuple]]]) -> Callable[[], None]:
        count = 0

        def step() -> None:
            nonlocal count
            for method, arguments in work[count % len(work)]:
                method(*arguments)
            count += 1

        return step

    return {title: one(work) for title, work in parts.items()}


def floor(player: Player) -> dict[str, Any]:
    """What no form can be under, in ms: reading every weight of a step once from memory, and the transforms of the synthesis."""
    sequence = sum(weights.numel() for weights in player.predictor.parameters())
    heads = sum(weights.numel() for weights in player.predictor.heads.parameters())
    # Of each head a step reads one row of logits a component, and the rows of one component.
    read = heads // player.predictor.mixtures + player.predictor.hidden * player.predictor.mixtures * player.predictor.groups
    decoder = sum(weights.numel() for weights in (*player.codec.decoder.parameters(), player.codec.synthesis))
    memory = torch.ones(32 << 20)  # far more than any cache holds
    block = player.front.block
    channels = player.channels
    noise_block = torch.ones(2 * block)
    short, long = torch.ones(channels, block + 1) + 0j, torch.ones(channels, 2 * block + 1) + 0j

    def transforms() -> None:
        torch.fft.rfft(noise_block)
        torch.fft.irfft(short)
        torch.fft.irfft(long)

    times = take_turns({"memory": memory.sum, "transforms": transforms}, TURN)
    medians = {name: statistics.median(value for turn in turns for value in turn) for name, turns in times.items()}
    bytes_a_ms = 4 * memory.numel() / medians["memory"]
    found: dict[str, Any] = {"memory_gb_s": bytes_a_ms / 1e6, "transforms_ms": medians["transforms"]}
    quantised_weights = sequence - heads
    for kind, size in (("float32", 4 * (quantised_weights + read + decoder)), ("int8", quantised_weights + 4 * (read + decoder))):
        found[kind] = {"weights_mb": size / 1e6, "ms": size / bytes_a_ms}
    return found


def measure(preset: str, channels: int, steps: int) -> dict[str, Any]:
    """Medians in ms, and the median over the turns of each form's time over that of scripted float32."""
    player = network(preset, channels)
    small = quantised(player)
    block_ms = 1e3 * player.front.block / player.front.sample_rate
    recorded = recorded_calls(network(preset, channels))
    plain, slim, int8 = script(player), script(lean(player)), script(small)
    forms = {
        "naive eager": stepper(naive(player), player.noise_size),
        "eager": stepper(player, player.noise_size),
        REFERENCE: stepper(plain, player.noise_size),
        "lean float32": stepper(slim, player.noise_size),
        "lean int8": stepper(int8, player.noise_size),
        f"whole {REFERENCE}": whole(plain, player),
        "whole lean float32": whole(slim, player),
        PLAYED: whole(int8, player),
    }
    parts = {f"{kind}: {title}": step
             for kind, net in (("float32", player), ("int8", small))
             for title, step in part_steppers(script_shared(net), recorded).items()}  # fmt: skip
    take_turns(forms | parts, TURN)  # compiled, and warm
    gc.disable()
    times = take_turns(forms | parts, steps)
    times |= take_turns({ALONE: forms[PLAYED]}, 2 * steps)
    gc.enable()
    medians = {name: statistics.median(value for turn in turns for value in turn) for name, turns in times.items()}

    def ratio(name: str) -> float:
        """To the same network scripted in float32: a whole step to a whole step, a bare one to a bare one."""
        reference = f"whole {REFERENCE}" if name.startswith("whole") else REFERENCE
        pairs = zip(times[name], times[reference], strict=True)
        return statistics.median(statistics.median(a) / statistics.median(b) for a, b in pairs)

    def p99(name: str) -> float:
        values = sorted(value for turn in times[name] for value in turn)
        return values[int(0.99 * len(values))]

    found = {
        "preset": preset,
        "channels": channels,
        "block_ms": block_ms,
        "forms": {name: {"ms": medians[name], "p99_ms": p99(name), "to_float32": ratio(name)} for name in forms},
        "alone": {"ms": medians[ALONE], "p99_ms": p99(ALONE)},
        "parts": {},
    }
    for kind, form in (("float32", REFERENCE), ("int8", "lean int8")):
        own = {name.split(": ")[1]: medians[name] for name in parts if name.startswith(kind)}
        found["parts"][kind] = own | {"the rest": medians[form] - sum(own.values())}
    return found | {"floor": floor(player), "machine": machine.description()}


def show(found: dict[str, Any]) -> None:
    block_ms = found["block_ms"]
    print(f"preset {found['preset']}, {found['channels']} channels, block {block_ms:.1f} ms; medians")
    print(f"{'':24}{'ms a step':>10}{'x real time':>13}{'p99, ms':>9}{'of a block':>12}{'of scripted float32':>21}")
    for name, form in found["forms"].items():
        print(f"{name:24}{form['ms']:10.3f}{block_ms / form['ms']:13.1f}{form['p99_ms']:9.3f}", end="")
        print(f"{form['p99_ms'] / block_ms:12.1%}{form['to_float32']:21.2f}")
    alone = found["alone"]
    print(f"{ALONE:24}{alone['ms']:10.3f}{block_ms / alone['ms']:13.1f}{alone['p99_ms']:9.3f}", end="")
    print(f"{alone['p99_ms'] / block_ms:12.1%}")
    print(f"\n{'part, ms':20}" + "".join(f"{kind:>10}" for kind in found["parts"]))
    for title in found["parts"]["float32"]:
        print(f"{title:20}" + "".join(f"{own[title]:10.3f}" for own in found["parts"].values()))

    floor = found["floor"]
    print(f"\nfloor: the weights read once from memory, {floor['memory_gb_s']:.1f} GB/s", end="")
    print(f", and the transforms, {floor['transforms_ms']:.3f} ms")
    for kind in ("float32", "int8"):
        print(f"{kind:20}{floor[kind]['weights_mb']:.2f} MB, {floor[kind]['ms']:.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="base", help="sizes of the networks")
    parser.add_argument("--channels", type=int, choices=(1, 2), default=2)
    parser.add_argument("--steps", type=int, default=1500, help="of each form")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    prepare_torch()
    with torch.inference_mode():
        found = measure(asked.preset, asked.channels, asked.steps)
    show(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
