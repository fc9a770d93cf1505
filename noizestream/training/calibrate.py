"""What is set after training, per genre, by listening to the model: how widely it samples, how loud and how sharp its bands are.

Spread: the deviations cover what the model cannot predict; sampled in full they flutter, too narrow they stand still. It is
set so that the generated sound moves as much as the real music (spectral flux).
Contrast: where the model is unsure it predicts the mean of several spectra, which is flatter than any of them, as in all
parametric synthesis (Toda and Tokuda 2007). Partials are raised over their surroundings until the sound is as peaked as the music.
Level: the mean of log magnitudes is quieter than the mean of magnitudes (Jensen's inequality), most of all for tones. What the
long-term spectrum lacks is given back, smoothed over neighbouring bands.
All three are steered at once: a try is generated, each is moved by what it is off, by less from try to try.
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

LOWEST_SPREAD, HIGHEST_SPREAD = 0.15, 1.0
LEAST_CONTRAST, MOST_CONTRAST = 0.6, 2.5
TRIES = 8  # per genre, each of `Config.calibration_s` and one second of warm-up
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
    """Audio [channels, n] at default controls after a first second; `sizes` are block frames, sample rate, noise size."""
    block, rate, noise_size = sizes
    warm, steps = rate // block, int(seconds * rate / block)
    controls = torch.tensor([control["default"] for control in CONTROLS])
    with one_thread(), torch.inference_mode():
        state, blocks = scripted.initial_state(), []
        for step in range(warm + steps):
            sound, state = scripted.step(genre, controls, torch.from_numpy(noise(seed, step, noise_size)), state)
            if step >= warm:
                blocks.append(sound)
    return torch.cat(blocks, 1)


def one_hot(number: int, genres: int) -> torch.Tensor:
    """Genre weights [genres] with all on `number`."""
    return torch.eye(genres)[number]


def calibrate(player: Player, scripted: Any, prepared: Prepared, seconds: float) -> dict[str, list[float]]:
    """Set `player.spread` [G], `player.contrast` [G] and `player.level` [G, bands] of magnitudes; returns what was set.

    Every try generates `seconds`. `scripted` is the same player, not frozen: its buffers are shared with `player`.
    """
    from noizestream.analysis.measures import flux, peakiness

    sizes = (player.front.block, player.front.sample_rate, player.noise_size)
    tones = player.front.tones
    real, rate = real_power(prepared, tones), player.front.sample_rate
    made: list[tuple[float, float]] = []
    for number, (flux_wanted, peak_wanted) in enumerate(zip(prepared.flux, prepared.peakiness, strict=True)):
        genre = one_hot(number, len(prepared.flux))
        for attempt in range(TRIES):
            sound = generate(scripted, genre, seconds, attempt, sizes).mean(0)
            moves, peaks = flux(sound.numpy(), rate), peakiness(sound.numpy(), rate)
            move = 1.0 / (1.0 + 0.4 * attempt)
            spread, contrast = float(player.spread[number]), float(player.contrast[number])
            spread *= min(max(flux_wanted / max(moves, 1e-6), 0.5), 2.0) ** (1.5 * move)
            contrast += 0.6 * move * float(np.log(min(max(peak_wanted / max(peaks, 1e-6), 0.5), 2.0)))
            player.spread[number] = min(max(spread, LOWEST_SPREAD), HIGHEST_SPREAD)
            player.contrast[number] = min(max(contrast, LEAST_CONTRAST), MOST_CONTRAST)
            lacking = 0.5 * torch.log((real[number] + FLOOR**2) / (power(player.front.analyse(sound)[:, :tones]) + FLOOR**2))
            player.level[number, :tones] = (player.level[number, :tones] + move * _smooth(lacking)).clamp(-MOST_LEVEL, MOST_LEVEL)
        made.append((moves, peaks))
    return {
        "spread": player.spread.tolist(),
        "contrast": player.contrast.tolist(),
        "level": player.level.mean(1).tolist(),
        "flux_real": prepared.flux,
        "flux_made": [row[0] for row in made],
        "peakiness_real": prepared.peakiness,
        "peakiness_made": [row[1] for row in made],
    }


def power(bands: torch.Tensor) -> torch.Tensor:
    """Mean power of each band: log magnitudes [T, bands] -> [bands]."""
    return bands.exp().square().mean(0)


def real_power(prepared: Prepared, tones: int) -> list[torch.Tensor]:
    """Mean power of each of the first `tones` bands over the training music of each genre."""
    sums: list[list[torch.Tensor]] = [[] for _ in prepared.genres]
    for piece in prepared.of("training"):
        if piece.semitones == 0 and len(sums[piece.genre]) < PIECES:
            sums[piece.genre].append(
                power(torch.from_numpy(np.asarray(prepared.bands_of(piece)[:REAL_FRAMES, :tones], np.float32)))
            )
    return [torch.stack(rows).mean(0) for rows in sums]


def _smooth(values: torch.Tensor) -> torch.Tensor:
    """Running mean over `SMOOTH` bands: the spectrum's shape is corrected, not its single partials."""
    return torch.nn.functional.avg_pool1d(values[None, None], SMOOTH, stride=1, padding=SMOOTH // 2, count_include_pad=False)[0, 0]
