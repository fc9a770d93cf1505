"""Steps stay as they are: no recompilation, no collection and no growth, whatever is played."""

import gc
import os

import pytest
import torch
from torch import Tensor, nn

from noizestream.engine.generator import Generator, load
from noizestream.engine.safety import SafeStream
from noizestream.modelfile.metadata import Metadata
from noizestream.nn.unit_controls import controls_of
from noizestream.realtime.bench import performance
from noizestream.system import machine
from noizestream.training.export.script import script

BLOCK = 64


class Clocked(nn.Module):
    """The least that has what our models have: an LSTM cell with the genre, noise times the temperature, a tempo that runs."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(2 + BLOCK, 8)
        self.head = nn.Linear(8, BLOCK)

    def initial_state(self) -> list[Tensor]:
        return [torch.zeros(1, 8), torch.zeros(1, 8), torch.zeros(1, dtype=torch.float64)]

    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        heard = torch.cat([genre, (noise - 0.5) * controls[0]]).unsqueeze(0)
        h, c = self.cell(heard, (state[0], state[1]))
        beat = torch.remainder(state[2] + torch.where(controls[1] > 0, controls[1], torch.full_like(controls[1], 120.0)), 16.0)
        return self.head(h) * torch.cos(beat).float(), [h, c, beat]


def clocked() -> Generator:
    """A generator whose steps cost next to nothing, with genres and all controls."""
    torch.manual_seed(0)
    return Generator(script(Clocked()), Metadata("clocked", 8000, 1, BLOCK, 0, ["A", "B"], controls_of(["drums"], 2), BLOCK))


def perform(stream: SafeStream, blocks: int) -> None:
    """Step on, with another genre, temperature and tempo every 10 blocks."""
    for block in range(blocks):
        if block % 10 == 0:
            weights, values = performance(stream.generator.metadata, block // 10)
            stream.generator.set_genre(weights)
            stream.generator.set_controls(values)
        stream.step()


@pytest.fixture
def compilations(capfd):
    """A function that returns what TorchScript's executor has said about compiling since the last call."""
    torch._C._jit_set_logging_option("profiling_graph_executor_impl")
    yield lambda: capfd.readouterr().err
    torch._C._jit_set_logging_option("")


@pytest.mark.parametrize(("make", "blocks"), [(clocked, 10_000), (load, 300)], ids=["10000 blocks", "bundled model"])
def test_nothing_is_compiled_collected_or_kept(make, blocks, compilations):
    generator = make()
    generator.warm_up()
    assert "Optimized Graph" in compilations(), "the first steps compile, and this is how it shows"
    stream = SafeStream(generator)
    perform(stream, 100)
    collections = []
    gc.collect()
    gc.callbacks.append(lambda phase, info: collections.append(phase))
    before = machine.resident_mb(os.getpid())
    try:
        perform(stream, blocks)
    finally:
        gc.callbacks.pop()
    assert compilations() == ""
    assert collections == [], "steps leave nothing behind for the collector, which is off in the worker"
    assert machine.resident_mb(os.getpid()) - before < 2
    assert stream.resets == 0
