"""Synthesis: what goes in as a tone comes out as that tone, and noise as noise; the state is all the memory there is."""

import math

import pytest
import torch

from noizestream.nn.phases import PhaseSynthesis
from noizestream.nn.spectral import SpectralFront

FRONT = SpectralFront(48000)


def resynthesise(audio: torch.Tensor, seed: int = 0) -> torch.Tensor:
    rows = FRONT.analyse(audio)
    return PhaseSynthesis(FRONT).stream(rows, white(len(rows), seed))[0]


def white(rows: int, seed: int) -> torch.Tensor:
    return torch.rand(rows, 512, generator=torch.Generator().manual_seed(seed))


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


@pytest.mark.parametrize("hiss", [0.0, 0.6, 1.0])
def test_the_share_of_hiss_changes_the_treble_and_not_its_level(hiss):
    row = torch.full((FRONT.bands,), math.log(FRONT.floor))
    row[(FRONT.band_hz > 6000) & (FRONT.band_hz < 9000)] = math.log(0.01)
    rows = row.expand(200, -1)
    made = [PhaseSynthesis(FRONT).stream(rows, white(200, seed), hiss)[0, 4096:] for seed in (1, 2)]
    tone = PhaseSynthesis(FRONT).stream(rows, torch.full((200, 512), 0.5), 0.0)[0, 4096:]
    assert float(made[0].std() / tone.std()) == pytest.approx(1.0, abs=0.2)
    alike = float((made[0] * made[1]).mean() / (made[0].std() * made[1].std()))  # what does not hang on the noise
    assert alike == pytest.approx(1 - hiss**2, abs=0.1)


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


def reference_phases(level: torch.Tensor, phase: torch.Tensor, window: int) -> torch.Tensor:
    """Phase locking bin by bin, as the paper tells it; `phase` [bins] in radians of the bins themselves."""
    bins, per_bin = len(level), 2 * math.pi * FRONT.block / window
    tops = {0: 0.0, bins - 1: bins - 1.0}
    for k in range(1, bins - 1):
        left, here, right = (float(level[i]) for i in (k - 1, k, k + 1))
        if here >= left and here > right:
            tops[k] = k + 0.5 * (left - right) / (left - 2 * here + right)
    out = torch.empty(bins, dtype=torch.float64)
    for k in range(bins):
        nearest = min(tops, key=lambda top: (abs(k - top), top))
        out[k] = float(phase[nearest]) + per_bin * tops[nearest] + math.pi * (k - nearest)
    return out


def test_one_step_moves_every_phase_as_phase_locking_says():
    synthesis, random = PhaseSynthesis(FRONT), torch.Generator().manual_seed(3)
    row, low = torch.randn(FRONT.bands, generator=random) - 4, FRONT.low_bins
    turns = torch.rand(low + FRONT.high_bins, generator=random)
    _, state = synthesis(row, torch.rand(512, generator=random), [turns, *synthesis.initial_state()[1:]])
    start, after = 2 * math.pi * turns, 2 * math.pi * state[0]
    level = torch.lerp(row[FRONT.bin_bands[0]], row[FRONT.bin_bands[1]], FRONT.bin_share)
    for bins, window in ((slice(0, low), 2048), (slice(low, None), 1024)):
        signs = math.pi * torch.arange(len(level[bins]))  # the state leaves out the alternating signs
        expected = reference_phases(level[bins], start[bins] + signs, window) - signs
        assert torch.allclose(torch.cos(after[bins]), torch.cos(expected).float(), atol=2e-3)
        assert torch.allclose(torch.sin(after[bins]), torch.sin(expected).float(), atol=2e-3)
