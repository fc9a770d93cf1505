"""Phases and sound from magnitudes alone, one block at a time (phase locking after Laroche and Dolson 1999, and a noise floor).

Peaks of the magnitude are taken for partials: each peak's phase runs on at its interpolated frequency and the bins around it
follow with the alternating signs that a Hann window gives a sine. Towards the treble the spectrum of one continuous stream of
white noise is mixed in: fresh random phases for every block would flutter at the block rate.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.spectral import SpectralFront

NOISE_FROM_HZ, NOISE_FULL_HZ = 3000.0, 5000.0
NOISE_MIX = 0.7


def advance(magnitude: Tensor, phase: Tensor, turn: float) -> Tensor:
    """Next phase of every bin: magnitude [bins], last phase [bins] in radians -> [bins].

    `turn` is the phase that one bin of frequency gains in one hop (2 pi hop / window length).
    """
    bins = magnitude.shape[0]
    level = torch.log(magnitude + 1e-7)
    left, here, right = level[:-2], level[1:-1], level[2:]
    peak = (here >= left) & (here > right)
    offset = (0.5 * (left - right) / (left - 2 * here + right).clamp(max=-1e-6)).clamp(-0.5, 0.5)
    index = torch.arange(bins, device=magnitude.device)
    # The outermost bins count as peaks, so that every bin has one on either side.
    before = index.clone()
    after = index.clone()
    before[1:-1] *= peak
    before[-1] = 0
    after[1:-1] = torch.where(peak, index[1:-1], bins - 1)
    after[0] = bins - 1
    before = torch.cummax(before, 0)[0]
    after = torch.flip(torch.cummin(torch.flip(after, [0]), 0)[0], [0])
    nearest = torch.where(index - before <= after - index, before, after)
    exact = index.to(magnitude.dtype)
    exact = torch.cat([exact[:1], exact[1:-1] + offset, exact[-1:]])
    at_peak = phase + turn * exact
    locked = at_peak[nearest] + math.pi * torch.remainder(index - nearest, 2).to(magnitude.dtype)
    return torch.remainder(locked, 2 * math.pi)


class PhaseSynthesis(nn.Module):
    """Log band magnitudes to sound, block by block; all memory is in the state that the caller keeps."""

    low_synthesis: Tensor
    high_synthesis: Tensor
    noise_window: Tensor
    tone_share: Tensor
    noise_share: Tensor

    def __init__(self, front: SpectralFront):
        super().__init__()
        self.front = front
        self.block: int = front.block
        self.low_bins: int = front.low_bins
        block, rate = front.block, front.sample_rate
        low_window, high_window = torch.hann_window(4 * block), torch.hann_window(2 * block)
        # Overlap-add of the squared window, per position inside a block; the synthesis window carries its inverse.
        low_norm = (low_window**2).view(4, block).sum(0).repeat(4)
        high_norm = (high_window**2).view(2, block).sum(0).repeat(2)
        # A full-scale sine reads 1: analysis multiplied by 2 / (N / 2), so the way back multiplies by N / 4.
        self.register_buffer("low_synthesis", low_window / low_norm * (4 * block) / 4)
        self.register_buffer("high_synthesis", high_window / high_norm * (2 * block) / 4)
        self.register_buffer("noise_window", high_window)
        hz = torch.arange(block + 1) * rate / (2 * block)
        share = ((hz - NOISE_FROM_HZ) / (NOISE_FULL_HZ - NOISE_FROM_HZ)).clamp(0, 1)
        self.register_buffer("tone_share", torch.sqrt(1 - share * (1 - NOISE_MIX**2)))
        # White noise of unit variance has E|N(k)|^2 = sum(window^2) = 3/8 N.
        self.register_buffer("noise_share", torch.sqrt(share) * NOISE_MIX / math.sqrt(0.375 * 2 * block))
        self.low_turn: float = 2 * math.pi * block / (4 * block)
        self.high_turn: float = 2 * math.pi * block / (2 * block)

    def initial_state(self) -> list[Tensor]:
        """[phase of the long window, phase of the short window, overlap-add tail, last noise block]."""
        # Zero phases would put one loud click at the start of every stream; the golden angle spreads them, without chance.
        golden = math.pi * (3 - math.sqrt(5))
        return [
            torch.remainder(torch.arange(self.low_bins) * golden, 2 * math.pi),
            torch.remainder(torch.arange(self.block + 1) * golden, 2 * math.pi),
            torch.zeros(3 * self.block),
            torch.zeros(self.block),
        ]

    def forward(self, log_bands: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One block: log_bands [bands], noise [block] in 0..1 uniform, state as above -> (samples [block], state)."""
        low_phase, high_phase, tail, last_noise = state[0], state[1], state[2], state[3]
        low = self.front.low_magnitudes(log_bands)
        high = self.front.high_magnitudes(log_bands)
        low_phase = advance(low, low_phase, self.low_turn)
        high_phase = advance(high, high_phase, self.high_turn)

        white = (noise - 0.5) * math.sqrt(12.0)
        noise_spectrum = torch.fft.rfft(torch.cat([last_noise, white]) * self.noise_window) * self.noise_share
        high_tone = torch.polar(self.tone_share, high_phase)
        high_spectrum = (high_tone + noise_spectrum) * (high * self.front.high_gain)
        low_spectrum = torch.polar(low * self.front.low_gain, low_phase)

        frame = torch.fft.irfft(low_spectrum, n=4 * self.block) * self.low_synthesis
        middle = torch.fft.irfft(high_spectrum, n=2 * self.block) * self.high_synthesis
        frame = frame + torch.nn.functional.pad(middle, (self.block, self.block))
        frame = frame + torch.nn.functional.pad(tail, (0, self.block))
        return frame[: self.block], [low_phase, high_phase, frame[self.block :], white]
