"""Synthesis: what goes in as a tone comes out as that tone, and noise as noise; the state is all the memory there is."""

import math

import pytest
import torch

from noizestream.nn.phases import PhaseSynthesis
from noizestream.nn.spectral import SpectralFront

FRONT = SpectralFront(48000)


def resynthesise(audio: torch.Tensor, seed: int = 0) -> torch.Tensor:
    synthesis, random = PhaseSynthesis(FRONT), torch.Generator().manual_seed(seed)
    state, blocks = synthesis.initial_state(), []
    for row in FRONT.analyse(audio):
        block, state = synthesis(row, torch.rand(512, generator=random), state)
        blocks.append(block)
    return torch.cat(blocks)


@pytest.mark.parametrize("hz", [110.0, 440.0, 770.0, 1500.0, 2500.0])
def test_a_tone_keeps_its_pitch_and_its_level(hz):
    time = torch.arange(96000) / 48000
    out = resynthesise(0.5 * torch.sin(2 * math.pi * hz * time))[48000:-2048]
    spectrum = torch.fft.rfft(out * torch.hann_window(len(out)), n=1 << 20).abs()
    found = float(spectrum.argmax()) * 48000 / (1 << 20)
    assert abs(1200 * math.log2(found / hz)) < 8, "within 8 cents"
    assert float(out.pow(2).mean().sqrt()) == pytest.approx(0.5 / math.sqrt(2), rel=0.12)


def test_noise_stays_noise_at_its_level():
    noise = 0.1 * torch.randn(96000, generator=torch.Generator().manual_seed(1))
    out = resynthesise(noise)[4096:-2048]
    level = float(out.pow(2).mean().sqrt())
    assert 0.06 < level < 0.14
    power = torch.fft.rfft(out).abs()[5000:].pow(2)
    flatness = float(power.log().mean().exp() / power.mean())
    assert flatness > 0.35, "white noise has a flatness of about 0.56 in one periodogram, tones far less"


def test_the_same_state_and_noise_give_the_same_block_and_nothing_is_changed_in_place():
    synthesis = PhaseSynthesis(FRONT)
    row, noise, state = torch.randn(FRONT.bands) - 5, torch.rand(512), synthesis.initial_state()
    kept = [s.clone() for s in state]
    first, after = synthesis(row, noise, state)
    second, again = synthesis(row, noise, state)
    assert torch.equal(first, second)
    assert all(torch.equal(a, b) for a, b in zip(after, again, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(kept, state, strict=True))


def test_silence_is_silent():
    assert float(resynthesise(torch.zeros(24000)).abs().max()) < 1e-3
