"""What a model plays while it is calibrated: performances in its own time, at default controls."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from noizestream.nn.player import CONTROLS
from noizestream.noise import noise


@contextmanager
def one_thread() -> Iterator[None]:
    """Steps are too small to share: two threads that wait for each other on a busy machine are many times slower than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def generate(
    scripted: Any,
    genre: torch.Tensor,
    seconds: float,
    seed: int,
    sizes: tuple[int, int, int],
    watch: Callable[[list[torch.Tensor]], None] | None = None,
) -> torch.Tensor:
    """Audio [channels, n] at default controls after a first second; `sizes` are block frames, sample rate, noise size.

    `watch` is shown the state after every block of it.
    """
    block, rate, noise_size = sizes
    warm, steps = rate // block, int(seconds * rate / block)
    controls = torch.tensor([control["default"] for control in CONTROLS])
    with one_thread(), torch.inference_mode():
        state, blocks = scripted.initial_state(), []
        for step in range(warm + steps):
            sound, state = scripted.step(genre, controls, torch.from_numpy(noise(seed, step, noise_size)), state)
            if step >= warm:
                blocks.append(sound)
                if watch:
                    watch(state)
    return torch.cat(blocks, 1)


def one_hot(number: int, genres: int) -> torch.Tensor:
    """Genre weights [genres] with all on `number`."""
    return torch.eye(genres)[number]
