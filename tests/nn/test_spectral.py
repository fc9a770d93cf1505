"""The spectral front end: levels, frame count, bands that cover the spectrum once."""

import math

import pytest
import torch

from noizestream.nn.spectral import SpectralFront, band_edges, block_frames_for


@pytest.mark.parametrize("hz", [117.1875, 500.0, 2000.0, 3000.0])
def test_a_full_scale_sine_reads_one_in_the_band_it_falls_on(hz):
    front = SpectralFront(48000)
    time = torch.arange(48000) / 48000
    bands = front.analyse(torch.sin(2 * math.pi * hz * time))[20].exp()
    loudest = int(bands.argmax())
    assert abs(front.band_hz[loudest] - hz) < 50
    assert bands[loudest] == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("samples", [0, 2047, 2048, 2559, 2560, 48000])
def test_every_whole_frame_is_analysed_and_no_other(samples):
    assert len(SpectralFront(48000).analyse(torch.zeros(samples))) == max(0, samples // 512 - 3)


@pytest.mark.parametrize("rate", [22050, 32000, 44100, 48000, 96000])
def test_short_window_bands_cover_every_bin_once(rate):
    block = block_frames_for(rate)
    low, edges = band_edges(rate, block)
    assert [b for _, b in edges[:-1]] == [a for a, _ in edges[1:]]
    assert edges[-1][1] == block + 1
    assert all(b > a for a, b in edges)
    assert low * rate / (4 * block) > 1000, "the long window must reach over the crossover"
    assert 8 <= 1000 * block / rate <= 13, "a block stays near 11 ms"
