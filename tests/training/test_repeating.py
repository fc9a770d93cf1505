"""Loops are found in the music, and played as often as it plays them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from noizestream.training import repeating
from noizestream.training.prepared import Piece, Prepared

BLOCK, RATE, BANDS = 512, 48000, 40
PER_BEAT = 60 / 120 * RATE / BLOCK  # frames


def music(folder: Path, name: str, period: int | None, seed: int) -> Piece:
    """40 s at 120 BPM whose bands move at random and come again after `period` beats (None: never)."""
    random = np.random.default_rng(seed)
    frames = round(80 * PER_BEAT)
    loop = random.standard_normal((frames if period is None else round(period * PER_BEAT), BANDS)) - 4
    bands = np.resize(loop, (frames, BANDS)) + 0.1 * random.standard_normal((frames, BANDS))
    np.save(folder / f"{name}.bands.npy", bands.astype(np.float16))
    np.save(folder / f"{name}.beats.npy", (np.arange(frames) / PER_BEAT).astype(np.float32))
    return Piece(name, 0, "training", 0, frames, 0.0)


def library(folder: Path, pieces: list[Piece], repeats: float = 0.0) -> Prepared:
    one = [1.0]
    return Prepared(folder, ["A"], RATE, BLOCK, 1, BANDS, [120.0], one, one, one, one, [repeats], one, [1], pieces)


@pytest.mark.parametrize(("period", "beats"), [(4, 4), (8, 8), (3, 3), (6, 6)])
def test_the_distance_is_that_of_the_loop(tmp_path, period, beats):
    pieces = [music(tmp_path, str(seed), period, seed) for seed in range(2)]
    assert repeating.distance(library(tmp_path, pieces), BANDS, pieces, 120.0) == beats


def test_music_that_never_repeats_has_the_nearest_distance_and_nothing_explains_it(tmp_path):
    piece = music(tmp_path, "free", None, 0)
    prepared = library(tmp_path, [piece])
    assert repeating.distance(prepared, BANDS, [piece], 120.0) == 4
    loop = music(tmp_path, "loop", 4, 1)
    left = [repeating.unexplained(repeating.picture(prepared, BANDS, p), prepared.beats_of(p), 47, 4) for p in (piece, loop)]
    assert left[0] > 0.9 and left[1] < 0.1


class Player:
    """Repeats itself as often as it recalls: noise, or in that share of its bars the bar before."""

    noise_size = 1

    def __init__(self):
        class Tables:
            chance, lag = torch.zeros(1), torch.full((1,), 16.0)

        class Front:
            tones, block, sample_rate = BANDS, BLOCK, RATE

        self.recall, self.front = Tables(), Front()


def test_the_chance_is_that_with_which_as_much_repeats_as_in_the_music(tmp_path, monkeypatch):
    piece, player, asked = music(tmp_path, "loop", 8, 0), Player(), []

    def heard(scripted, genre, seconds, seed, sizes):
        asked.append((seconds, float(player.recall.chance[0])))
        return torch.zeros(1, RATE)

    monkeypatch.setattr(repeating, "generate", heard)
    monkeypatch.setattr(repeating, "repeats", lambda audio, rate: 0.6 * float(player.recall.chance[0]))
    seconds = repeating.performed_s(8.0)
    made = repeating.calibrate_recall(player, None, library(tmp_path, [piece], 0.2), [piece], 0, seconds, range(6))
    assert made == pytest.approx(0.2) and float(player.recall.chance[0]) == pytest.approx(1 / 3)
    assert float(player.recall.lag[0]) == 32 and asked == [(20.0, pytest.approx(chance)) for chance in [0.95] * 3 + [1 / 3] * 3]
    made = repeating.calibrate_recall(player, None, library(tmp_path, [piece], 0.9), [piece], 0, seconds, range(6))
    assert made == pytest.approx(0.57) and float(player.recall.chance[0]) == pytest.approx(0.95), "more is not to be had"
    asked.clear()
    assert repeating.calibrate_recall(player, None, library(tmp_path, [piece], 0.01), [piece], 0, seconds, range(6)) == 0
    assert float(player.recall.chance[0]) == 0 and not asked


def test_copies_of_copies_and_too_few_performances_are_reckoned_with(tmp_path, monkeypatch):
    piece, player = music(tmp_path, "loop", 8, 0), Player()
    monkeypatch.setattr(repeating, "generate", lambda *arguments: torch.zeros(1, RATE))

    def calibrated(wanted, share):
        monkeypatch.setattr(repeating, "repeats", lambda audio, rate: share(float(player.recall.chance[0])))
        return repeating.calibrate_recall(player, None, library(tmp_path, [piece], wanted), [piece], 0, 20.0, range(6))

    calibrated(0.37, lambda chance: 0.63 * chance**1.4)
    assert 0.63 * float(player.recall.chance[0]) ** 1.4 == pytest.approx(0.37, abs=0.03)
    calibrated(0.05, lambda chance: 0.3 if chance > 0.9 else 0.0)  # none of the few happened to repeat
    expected = 0.95 * 0.05 / 0.3
    assert expected < float(player.recall.chance[0]) <= repeating.FURTHER * expected
