"""What a model plays while it is trained: some seconds of a genre at default controls."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from noizestream.modelfile.noise import noise


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
    player: Any, scripted: Any, genre: int, seconds: float, seed: int, enough: Callable[[], bool] = lambda: False
) -> torch.Tensor:
    """Audio [channels, n] of `genre` by the `scripted` form of `player`; less than `seconds` of it if `enough()` says so before."""
    controls = torch.tensor([float(control["default"]) for control in player.controls])
    weights = torch.eye(player.genres)[genre]
    with one_thread(), torch.inference_mode():
        state, blocks = scripted.initial_state(), []
        for step in range(max(1, int(seconds * player.sample_rate / player.block))):
            sound, state = scripted.step(weights, controls, torch.from_numpy(noise(seed, step, player.noise_size)), state)
            blocks.append(sound)
            if enough():
                break
    return torch.cat(blocks, 1)
