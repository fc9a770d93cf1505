"""The stereo image: what the codec keeps of it is where it was, and the mono sum is the mono sound; the front measures it."""

import math

import numpy as np
import pytest
import torch

from noizestream.analysis.image import correlation, image, width
from noizestream.nn.codec import Codec
from noizestream.nn.spectral import SpectralFront

STEREO = SpectralFront(48000, channels=2)
ONE, TWO = Codec(channels=1), Codec(channels=2)
TIME = torch.arange(48000) / 48000


def kept(codec: Codec, sound: torch.Tensor) -> torch.Tensor:
    """What is decoded [channels, n], the start and the end left out."""
    with torch.inference_mode():
        rows = codec.encode(sound, torch.zeros(sound.shape[1] // codec.block - 1, codec.bands))
        return codec.stream(rows)[:, 1024:-2048]


def panned(hz: float, pan: float) -> torch.Tensor:
    tone = 0.2 * torch.sin(2 * math.pi * hz * TIME)
    return torch.stack([(1 + pan) * tone, (1 - pan) * tone])


@pytest.mark.parametrize(
    ("hz", "pan"), [(220, 1.0), (700, -0.5), (1500, 0.3), (3000, -1.0), (6000, 0.6), (12000, -0.9), (18000, 1.0)]
)
def test_a_tone_stays_where_it_stands(hz, pan):
    made = kept(TWO, panned(hz, pan))
    left, right = made.square().mean(1).sqrt().tolist()
    # Up to 3 kHz middle and side have errors of their own: a silent side is 18 dB below the other.
    assert (left - right) / (left + right) == pytest.approx(pan, abs=0.2 if abs(pan) > 0.9 else 0.05)


def test_two_tones_stand_apart():
    made = kept(TWO, panned(300, 0.8) + panned(2500, -0.8))
    found = image(made.numpy(), 48000).pan
    assert found[1] == pytest.approx(0.8, abs=0.08)
    assert found[2] == pytest.approx(-0.8, abs=0.08)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_noise_is_as_wide_as_it_was(share):
    middle, side = 0.1 * torch.randn(2, 48000, generator=torch.Generator().manual_seed(1))
    sound = torch.stack([middle + share * side, middle - share * side])
    made = kept(TWO, sound).numpy()
    assert width(made) == pytest.approx(share, abs=0.12)
    assert correlation(made) == pytest.approx(correlation(sound.numpy()), abs=0.12)


def test_the_mono_sum_is_the_mono_sound():
    random = torch.Generator().manual_seed(2)
    sound = panned(440, 0.7) + panned(1800, -0.9) + 0.05 * torch.randn(2, 48000, generator=random)
    both, one = kept(TWO, sound), kept(ONE, sound)
    assert both.shape[0] == 2 and one.shape[0] == 1
    assert torch.allclose(both.mean(0), one[0], atol=1e-5)
    assert torch.allclose(STEREO.analyse(sound)[:, : STEREO.tones], SpectralFront(48000).analyse(sound.mean(0)))


@pytest.mark.parametrize("sound", [torch.randn(9600), torch.randn(1, 9600), torch.randn(3, 9600), torch.randn(9600).expand(2, -1)])
def test_what_has_no_two_sides_has_no_image(sound):
    rows = STEREO.analyse(sound)
    assert rows.shape == (9600 // 512 - 3, STEREO.bands)
    assert float(rows[:, STEREO.tones :].abs().max()) < 1e-6
    assert STEREO.analyse(sound[..., :100]).shape == (0, STEREO.bands)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_every_rate_has_an_image(rate):
    front = SpectralFront(rate, channels=2)
    left = np.sin(2 * np.pi * 300 * np.arange(rate) / rate).astype(np.float32)
    rows = front.analyse(torch.from_numpy(np.stack([left, 0 * left])))
    assert float(rows[:, front.tones + 1].min()) > 0.95, "all of it is left"
    assert torch.isfinite(rows).all()
