"""What a step costs, and which part of it: the same network in several forms, taking turns in one process.

    python benchmarks/speed.py [--preset base] [--channels 2] [--steps 1500] [--json FILE]

    naive eager          the networks as they were trained, stepped in plain Python with nn.LSTM
    eager                the same with LSTM cells
    scripted float32     the same as TorchScript: what the others are compared with
    inference float32    what `train --precision float32` writes (nn/inference.py)
    inference int8       what `train` writes by default
    whole ...            as `play` and `render` step it: noise, conversions and safety included

The weights and the memory are random, of the preset's sizes: they do not change the cost. Times are processor time of the one
thread that steps, so that waiting for other programs does not count; the forms take turns of 25 steps, so that what others do to
the caches meets all of them, and each begins its turn in caches that the others have swept; ratios are medians over the turns.
"alone" is the last form once more with nothing in between, as `render` runs it. Not every block has the same to do: below, one in
the midst of a slot, one where a slot begins (a code and a member of it may be chosen), one in which the LSTM is asked ahead for
the next slot, and one in which every layer is transposed; and the part that every block has, scripted and stepped alone: sound (the
memory's frames decoded, added, transformed back). Last the floor: what a block has to read and to transform in any form (a cache
that holds it from one block to the next goes under it).
"""

import argparse
import gc
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

from noizestream.engine.generator import Generator, prepare_torch  # noqa: E402
from noizestream.engine.safety import SafeStream  # noqa: E402
from noizestream.modelfile.metadata import Metadata  # noqa: E402
from noizestream.modelfile.noise import noise  # noqa: E402
from noizestream.nn.codec import Codec  # noqa: E402
from noizestream.nn.inference import inference_form, with_recurrent  # noqa: E402
from noizestream.nn.recurrent import CellState, Recurrent  # noqa: E402
from noizestream.nn.spectral import SpectralFront, block_frames_for  # noqa: E402
from noizestream.nn.unit_state import LayerState, layers_of, moment_of, pack, table_of, unpack  # noqa: E402
from noizestream.nn.units import UnitPlayer  # noqa: E402
from noizestream.system import machine  # noqa: E402
from noizestream.system.jsonfile import write_json  # noqa: E402
from noizestream.training.config import resolve  # noqa: E402
from noizestream.training.export.script import quantised, script  # noqa: E402
from rig import made_up  # noqa: E402

GENRES = ("ambient", "breaks", "chiptune", "drone", "dub", "techno")
TURN = 25
REFERENCE = "scripted float32"
PLAYED = "whole inference int8"
ALONE = f"{PLAYED}, alone"
RECORDED = 50
HEARD = 3000


def network(preset: str, channels: int) -> UnitPlayer:
    """A player of the preset's sizes with random weights and a full memory, for the six genres of the studio."""
    config = resolve(preset)
    front = SpectralFront(config.sample_rate, block_frames_for(config.sample_rate, config.block_ms), channels)
    row = Codec(front.sample_rate, front.block, channels).size
    slots = round(config.memory_mb * 1e6 / row / (15 * front.sample_rate / front.block / made_up.TEMPO) / len(GENRES))
    return made_up.player(front, config.codes, 1, slots, len(GENRES), config.hidden, config.layers, heard=HEARD)


class Naive(torch.nn.Module):
    """`Recurrent.frame` by nn.LSTM, as one would write it first."""

    def __init__(self, recurrent: Recurrent):
        super().__init__()
        self.layers = recurrent.layers
        self.lstm = torch.nn.LSTM(recurrent.hidden, recurrent.hidden, recurrent.layers, batch_first=True)
        for layer, cell in enumerate(recurrent.cells):
            for name, weights in cell.named_parameters():
                getattr(self.lstm, f"{name}_l{layer}").data.copy_(weights)

    def frame(self, x: torch.Tensor, state: list[CellState]) -> tuple[torch.Tensor, list[CellState]]:
        out, (h, c) = self.lstm(x[None], (torch.stack([was.h for was in state]), torch.stack([was.c for was in state])))
        return out[0], [CellState(h[layer], c[layer]) for layer in range(self.layers)]


def naive(player: UnitPlayer) -> UnitPlayer:
    return with_recurrent(player, Naive(player.navigator.recurrent))


def defaults(player: UnitPlayer) -> torch.Tensor:
    return torch.tensor([float(control["default"]) for control in player.controls])


def stepper(module: Any, player: UnitPlayer) -> Callable[[], None]:
    """A function that makes one step of `module` and keeps its state."""
    genre, controls = torch.eye(len(GENRES))[0], defaults(player)
    draws = [torch.from_numpy(noise(0, block, player.noise_size)) for block in range(RECORDED)]
    state, count = module.initial_state(), 0

    def step() -> None:
        nonlocal state, count
        _, state = module.step(genre, controls, draws[count % RECORDED], state)
        count += 1

    return step


def whole(module: Any, player: UnitPlayer) -> Callable[[], Any]:
    """The step of `play` and `render`, without device and file."""
    controls = [dict(control) for control in player.controls]
    metadata = Metadata("speed", player.sample_rate, player.channels, player.block, 0, list(GENRES), controls, player.noise_size)
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


def kinds(player: UnitPlayer) -> dict[str, list[torch.Tensor]]:
    """States from which the next block is one of its kind."""
    genre, controls = torch.eye(len(GENRES))[0], defaults(player)
    state, found = player.initial_state(), {}
    for block in range(200):
        draws = torch.from_numpy(noise(0, block, player.noise_size))
        _, after = player.step(genre, controls, draws, state)
        was, now = moment_of(unpack(state).moment), moment_of(unpack(after).moment)
        if block > 100:
            if was.slot != now.slot:
                found["a slot begins"] = state
            else:
                found["the LSTM is asked" if was.ahead != now.ahead else "midst of a slot"] = state
        state = after
    within = unpack(found["midst of a slot"])
    layers = layers_of(within.layers)
    for layer in layers:
        layer.shift = layer.moved = 2  # four semitones down, and read so already
    found["transposed"] = pack(within._replace(layers=table_of(layers)))
    return found


class Sound(torch.nn.Module):
    """What every block takes from the memory: frames of the layers, decoded, added and transformed back."""

    def __init__(self, player: UnitPlayer):
        super().__init__()
        self.reader = player.reader
        self.gains = [1.0] * player.count

    def forward(self, frame: int, overlap: torch.Tensor) -> torch.Tensor:
        playing = [LayerState() for _ in self.gains]
        for state in playing:
            state.frame = float(frame)
        return self.reader.sound(playing, self.gains, overlap)[0]


def parts_of(player: UnitPlayer, module: Any) -> dict[str, Callable[[], Any]]:
    """A stepper per kind of block, of `module`, and per part, of the networks of `player`."""
    genre, controls = torch.eye(len(GENRES))[0], defaults(player)
    draws = torch.from_numpy(noise(0, 0, player.noise_size))

    def block(state: list[torch.Tensor]) -> Callable[[], Any]:
        return lambda: module.step(genre, controls, draws, state)

    sound, count, overlap = torch.jit.script(Sound(player).eval()), 0, torch.zeros(player.channels, player.block)

    def read() -> None:
        nonlocal count
        sound(count * 997 % len(player.memory.frames), overlap)
        count += 1

    blocks = {name: block(state) for name, state in kinds(player).items()}
    return blocks | {"sound": read}


def floor(player: UnitPlayer) -> dict[str, Any]:
    """What no form can be under, in ms: reading the tables of a block once from memory, and the transform of the codec."""
    codec = player.reader.codec
    tables = sum(table.numel() for table in (codec.byte, codec.stride, codec.offset)) * 2 + codec.values.numel()  # int64 is twice 4
    lstm = sum(weights.numel() for weights in (*player.navigator.recurrent.parameters(), *player.navigator.enter.parameters()))
    memory = torch.ones(32 << 20)  # far more than any cache holds
    channels, block = player.channels, player.block
    frame = torch.ones(channels, 2 * block) + 0j

    def transforms() -> None:
        torch.fft.ifft(frame)

    times = take_turns({"memory": memory.sum, "transforms": transforms}, TURN)
    medians = {name: statistics.median(value for turn in turns for value in turn) for name, turns in times.items()}
    bytes_a_ms = 4 * memory.numel() / medians["memory"]
    found: dict[str, Any] = {"memory_gb_s": bytes_a_ms / 1e6, "transforms_ms": medians["transforms"]}
    for kind, size in (("every block", 4 * tables), ("LSTM, float32", 4 * lstm), ("LSTM, int8", lstm)):
        found[kind] = {"mb": size / 1e6, "ms": size / bytes_a_ms}
    return found


def measure(preset: str, channels: int, steps: int) -> dict[str, Any]:
    """Medians in ms, and the median over the turns of each form's time over that of scripted float32."""
    player = network(preset, channels)
    small = quantised(player)
    block_ms = 1e3 * player.block / player.sample_rate
    plain, slim, int8 = script(player), script(inference_form(player)), script(small)
    forms = {
        "naive eager": stepper(naive(player), player),
        "eager": stepper(player, player),
        REFERENCE: stepper(plain, player),
        "inference float32": stepper(slim, player),
        "inference int8": stepper(int8, player),
        f"whole {REFERENCE}": whole(plain, player),
        "whole inference float32": whole(slim, player),
        PLAYED: whole(int8, player),
    }
    parts = {
        f"{kind}: {title}": step
        for kind, net, module in (("float32", inference_form(player), slim), ("int8", small, int8))
        for title, step in parts_of(net, module).items()
    }
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
    for kind in ("float32", "int8"):
        found["parts"][kind] = {name.split(": ")[1]: medians[name] for name in parts if name.startswith(kind)}
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
    print(f"\n{'block or part, ms':20}" + "".join(f"{kind:>10}" for kind in found["parts"]))
    for title in found["parts"]["float32"]:
        print(f"{title:20}" + "".join(f"{own[title]:10.3f}" for own in found["parts"].values()))

    floor = found["floor"]
    print(f"\nfloor: read once from memory at {floor['memory_gb_s']:.1f} GB/s; the transforms, {floor['transforms_ms']:.3f} ms")
    for kind in ("every block", "LSTM, float32", "LSTM, int8"):
        print(f"{kind:20}{floor[kind]['mb']:.2f} MB, {floor[kind]['ms']:.3f} ms")


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
        write_json(asked.json, found)


if __name__ == "__main__":
    main()
