"""How widely to sample at temperature 1: per genre the spread with which the generated sound moves as much as the real music.

The mixture's deviations cover what the model cannot predict; sampled in full they flutter, too narrow they stand still.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from noizestream.nn.player import CONTROLS, Player
from noizestream.noise import noise
from noizestream.training.prepared import Prepared

LOWEST, HIGHEST = 0.2, 1.0
ROUNDS = 4
SECONDS = 6.0


@contextmanager
def one_thread() -> Iterator[None]:
    """Steps are too small to share: two threads that wait for each other on a busy machine are many times slower than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def generate(scripted: Any, genre: torch.Tensor, seconds: float, seed: int, sizes: tuple[int, int, int]) -> torch.Tensor:
    """Audio [n] at default controls after a first second; `sizes` are block frames, sample rate, noise size."""
    block, rate, noise_size = sizes
    warm, steps = rate // block, int(seconds * rate / block)
    controls = torch.tensor([control["default"] for control in CONTROLS])
    with one_thread(), torch.inference_mode():
        state, blocks = scripted.initial_state(), []
        for step in range(warm + steps):
            sound, state = scripted.step(genre, controls, torch.from_numpy(noise(seed, step, noise_size)), state)
            if step >= warm:
                blocks.append(sound[0])
    return torch.cat(blocks)


def calibrate(player: Player, scripted: Any, prepared: Prepared) -> dict[str, list[float]]:
    """Set `player.spread` [G] by bisection. `scripted` is the same player, not frozen: its buffers are shared with `player`."""
    from noizestream.analysis.measures import flux

    sizes = (player.front.block, player.front.sample_rate, player.noise_size)
    made = []
    for number, wanted in enumerate(prepared.flux):
        genre = torch.eye(len(prepared.flux))[number]
        low, high = LOWEST, HIGHEST
        for _ in range(ROUNDS):
            player.spread[number] = (low + high) / 2
            got = flux(generate(scripted, genre, SECONDS, 0, sizes).numpy(), player.front.sample_rate)
            low, high = (low, (low + high) / 2) if got > wanted else ((low + high) / 2, high)
        player.spread[number] = (low + high) / 2
        made.append(got)
    return {"spread": player.spread.tolist(), "flux_real": prepared.flux, "flux_made": made}
