"""What is set after training, per genre, by listening to the model: how widely it samples, and how loud each band is.

Spread: the deviations cover what the model cannot predict; sampled in full they flutter, too narrow they stand still. It is
set so that the generated sound moves as much as the real music (spectral flux).
Level: where the model is unsure it predicts the mean of log magnitudes, which is quieter than the mean of magnitudes (Jensen's
inequality), most of all for tones. What the long-term spectrum lacks is given back, smoothed over neighbouring bands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from noizestream.nn.player import CONTROLS, Player
from noizestream.nn.spectral import FLOOR
from noizestream.noise import noise
from noizestream.training.prepared import Prepared

LOWEST, HIGHEST = 0.2, 1.0
ROUNDS = 4
LEVEL_ROUNDS = 2
TRIES = 2 * ROUNDS + LEVEL_ROUNDS  # per genre, each of `Config.calibration_s` and one second of warm-up
MOST_LEVEL = 1.0  # nepers: 8.7 dB
SMOOTH = 9  # bands
PIECES, REAL_FRAMES = 20, 6000


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


def one_hot(number: int, genres: int) -> torch.Tensor:
    """Genre weights [genres] with all on `number`."""
    return torch.eye(genres)[number]


def calibrate(player: Player, scripted: Any, prepared: Prepared, seconds: float) -> dict[str, list[float]]:
    """Set `player.spread` [G] and `player.level` [G, bands]; returns what was set and measured.

    Every try generates `seconds`. `scripted` is the same player, not frozen: its buffers are shared with `player`.
    """
    sizes = (player.front.block, player.front.sample_rate, player.noise_size)
    real = real_power(prepared)
    made = []
    for number, wanted in enumerate(prepared.flux):
        genre = one_hot(number, len(prepared.flux))
        _set_spread(player, scripted, number, genre, wanted, seconds, sizes)
        for seed in range(LEVEL_ROUNDS):
            bands = player.front.analyse(generate(scripted, genre, seconds, seed + 1, sizes))
            lacking = 0.5 * torch.log((real[number] + FLOOR**2) / (power(bands) + FLOOR**2))
            player.level[number] = (player.level[number] + _smooth(lacking)).clamp(-MOST_LEVEL, MOST_LEVEL)
        made.append(_set_spread(player, scripted, number, genre, wanted, seconds, sizes))
    return {"spread": player.spread.tolist(), "flux_real": prepared.flux, "flux_made": made, "level": player.level.mean(1).tolist()}


def _set_spread(
    player: Player,
    scripted: Any,
    number: int,
    genre: torch.Tensor,
    wanted: float,
    seconds: float,
    sizes: tuple[int, int, int],
) -> float:
    """Bisect the spread of one genre; returns the flux of the last try."""
    from noizestream.analysis.measures import flux

    low, high, got = LOWEST, HIGHEST, 0.0
    for _ in range(ROUNDS):
        player.spread[number] = (low + high) / 2
        got = flux(generate(scripted, genre, seconds, 0, sizes).numpy(), player.front.sample_rate)
        low, high = (low, (low + high) / 2) if got > wanted else ((low + high) / 2, high)
    player.spread[number] = (low + high) / 2
    return got


def power(bands: torch.Tensor) -> torch.Tensor:
    """Mean power of each band: log magnitudes [T, bands] -> [bands]."""
    return bands.exp().square().mean(0)


def real_power(prepared: Prepared) -> list[torch.Tensor]:
    """Mean power of each band over the training music of each genre, [bands]."""
    sums: list[list[torch.Tensor]] = [[] for _ in prepared.genres]
    for piece in prepared.of("training"):
        if piece.semitones == 0 and len(sums[piece.genre]) < PIECES:
            sums[piece.genre].append(power(torch.from_numpy(np.asarray(prepared.bands_of(piece)[:REAL_FRAMES], np.float32))))
    return [torch.stack(rows).mean(0) for rows in sums]


def _smooth(values: torch.Tensor) -> torch.Tensor:
    """Running mean over `SMOOTH` bands: the spectrum's shape is corrected, not its single partials."""
    return torch.nn.functional.avg_pool1d(values[None, None], SMOOTH, stride=1, padding=SMOOTH // 2, count_include_pad=False)[0, 0]
