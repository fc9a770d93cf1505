"""The share of hiss is read off the treble: partials have none, noise is all hiss, and a mixture lies between."""

import numpy as np
import pytest

from noizestream.nn.spectral import SpectralFront
from noizestream.training.hiss import flatness, hiss

RATE, SECONDS = 48000, 4
FRONT = SpectralFront(RATE)


def partials() -> np.ndarray:
    """A tone of 700 Hz with all partials, float32 [n]."""
    time = np.arange(RATE * SECONDS) / RATE
    return (0.02 * sum(np.sin(2 * np.pi * 700 * k * time + k * k) for k in range(1, 30))).astype(np.float32)


def noise() -> np.ndarray:
    return (0.05 * np.random.default_rng(1).standard_normal(RATE * SECONDS)).astype(np.float32)


def test_partials_have_no_hiss_and_noise_has():
    tone, white = hiss(partials()[None], FRONT), hiss(noise()[None], FRONT)
    assert tone == 0.0
    assert 0.4 < white <= 1.0


def test_stereo_gives_what_its_middle_does():
    assert hiss(np.stack([noise()] * 2), FRONT) == pytest.approx(hiss(noise()[None], FRONT), abs=1e-6)


@pytest.mark.parametrize("audio", [np.zeros((1, RATE)), np.zeros((2, 100)), np.ones((1, 0))])
def test_nothing_to_hear_tells_nothing(audio):
    assert np.isnan(hiss(audio.astype(np.float32), FRONT))


def test_flatness_of_noise_is_that_of_the_exponential_distribution():
    import torch

    # the geometric mean of the power of Gaussian noise is exp(-0.5772) of its mean
    assert flatness(torch.from_numpy(noise()), RATE) == pytest.approx(np.exp(-0.5772), abs=0.03)


def test_every_genre_plays_with_the_hiss_of_its_music(prepared, recipe):
    player = recipe.player()
    assert player.hiss.tolist() == pytest.approx(prepared.hiss)
    assert len(prepared.hiss) == len(prepared.genres) and all(0 <= share <= 1 for share in prepared.hiss)
