"""Calibration: what the model errs by on average is set right per genre, in the sound that it makes."""

import numpy as np
import pytest
import torch

from noizestream.nn.spectral import SpectralFront
from noizestream.training.calibrate import calibrate, clarity, mean_image, real_means, smoothing
from noizestream.training.export import as_played, script_shared
from noizestream.training.fit import Fit
from noizestream.training.perform import generate, one_hot

SECONDS = 0.7


def test_every_genre_gets_its_own_place_and_width(prepared, config, tmp_path):
    player = Fit(prepared, config, tmp_path).player()
    front = player.front
    # A codec that knows only the mean of the music, and takes everything for wide and nearly in the middle.
    rows = [torch.from_numpy(np.asarray(prepared.bands_of(p), np.float32)) for p in prepared.of("training")]
    player.codec.mean.copy_(torch.cat(rows).mean(0) * player.codec.weight)
    player.codec.mean[front.tones :] = torch.cat([torch.full((front.image,), 0.1), torch.full((front.image,), 0.4)]) * 5.0
    calibrate(player, script_shared(as_played(player, "auto")), prepared, SECONDS, 20, 4, 0.65)
    wanted = [real_means(prepared, front, number, SECONDS).image for number in range(2)]
    for number in range(2):
        sizes = (front.block, front.sample_rate, player.noise_size)
        heard = generate(script_shared(player), one_hot(number, 2), SECONDS, 9, sizes)
        assert torch.allclose(mean_image(front, front.analyse(heard)), wanted[number], atol=0.1)
    assert float(wanted[0][2]) == pytest.approx(0.5, abs=0.05), "the band of its tone leans to the left"


def test_a_beat_is_clearer_than_chance():
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(1200, 40, generator=random) * 0.3 - 4
    beaten = noise.clone()
    beaten[::47] += 3.0  # 120 BPM at 93.75 frames a second
    assert clarity(beaten, 93.75) > 0.7 and clarity(noise, 93.75) < 0.25
    assert clarity(beaten[:50], 93.75) == 0.0, "too short to tell"


def test_levels_are_smoothed_as_widely_as_ears_do():
    front = SpectralFront(48000)
    smooth = smoothing(front)
    assert torch.allclose(smooth.sum(1), torch.ones(front.tones))
    wide = [float(front.band_hz[row > 0].max() - front.band_hz[row > 0].min()) for row in smooth]
    near = {hz: wide[int((front.band_hz - hz).abs().argmin())] for hz in (50, 1000, 8000)}
    assert near[50] < 60, "a bass drum is not levelled with what is above it"
    assert near[1000] == pytest.approx(2 * 132, abs=50) and near[8000] == pytest.approx(2 * 888, rel=0.2)
