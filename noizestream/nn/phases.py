"""Phases and sound from magnitudes alone, one block at a time (phase locking after Laroche and Dolson 1999, and a noise floor).

Peaks of the magnitude are taken for partials: each peak's phase runs on at its interpolated frequency and the bins around it
follow with the alternating signs that a Hann window gives a sine. Towards the treble the spectrum of one continuous stream of
white noise takes a share, the hiss: fresh random phases for every block would flutter at the block rate. How much is hiss the bands
do not tell, so it is asked for.

A step costs what its operators cost to call, so both windows go through them as one vector, bins of the long window first, and
everything that does not depend on the music is a table. Phases are kept in turns, of which `frac` keeps what counts,
and without the alternating signs, which are in the gains.

In stereo the side is the middle's spectrum times pan + j * sign * width: what is panned in phase, what is wide a quarter turn away,
ahead in one critical band and behind in the next. Left and right are middle + side and middle - side, already as spectra: the
mean of both is the mono sound.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.spectral import SpectralFront

NOISE_FROM_HZ, NOISE_FULL_HZ = 3000.0, 5000.0
HISS = 0.7
"""Share of noise, in amplitude, where nothing better is known."""


class PhaseSynthesis(nn.Module):
    """Log band magnitudes to sound, block by block; all memory is in the state that the caller keeps."""

    left: Tensor
    right: Tensor
    share: Tensor
    floor: Tensor
    gain: Tensor
    hissing: Tensor
    noise_gain: Tensor
    low_window: Tensor
    high_window: Tensor
    noise_window: Tensor
    noise_centre: Tensor
    edge: Tensor
    turn: Tensor
    half_turn: Tensor
    steep: Tensor
    doubled: Tensor
    circle: Tensor
    start: Tensor
    image_columns: Tensor
    image_base: Tensor
    image_sign: Tensor
    image_least: Tensor
    image_most: Tensor
    image_index: Tensor

    def __init__(self, front: SpectralFront):
        super().__init__()
        self.channels: int = front.channels
        self.block: int = front.block
        self.low_bins: int = front.low_bins
        block, low_bins, high_bins = front.block, front.low_bins, front.high_bins
        count = low_bins + high_bins
        bins = torch.cat([torch.arange(low_bins), torch.arange(high_bins)])
        # Operators with a Python number cost more than those with a table: hence tables of one value.
        self.register_buffer("floor", torch.full((count,), front.floor))
        self.register_buffer("circle", torch.full((count,), 2 * math.pi))
        # One bin more on both sides, so that every bin has two neighbours.
        self.register_buffer("left", torch.cat([front.bin_bands[0, :1], front.bin_bands[0], front.bin_bands[0, -1:]]))
        self.register_buffer("right", torch.cat([front.bin_bands[1, :1], front.bin_bands[1], front.bin_bands[1, -1:]]))
        self.register_buffer("share", torch.cat([front.bin_share[:1], front.bin_share, front.bin_share[-1:]]))

        low_window, high_window = torch.hann_window(4 * block), torch.hann_window(2 * block)
        # Overlap-add of the squared window, per position inside a block; the synthesis window carries its inverse.
        low_norm = (low_window**2).view(4, block).sum(0).repeat(4)
        high_norm = (high_window**2).view(2, block).sum(0).repeat(2)
        # A full-scale sine reads 1: analysis multiplied by 2 / (N / 2), so the way back multiplies by N / 4.
        self.register_buffer("low_window", low_window / low_norm * (4 * block) / 4)
        self.register_buffer("high_window", high_window / high_norm * (2 * block) / 4)
        hz = torch.arange(high_bins) * front.sample_rate / (2 * block)
        noisy = ((hz - NOISE_FROM_HZ) / (NOISE_FULL_HZ - NOISE_FROM_HZ)).clamp(0, 1)
        sign = 1.0 - 2.0 * (bins % 2)
        self.register_buffer("gain", torch.cat([front.low_gain, front.high_gain]) * sign)
        self.register_buffer("hissing", torch.cat([torch.zeros(low_bins), front.high_gain * noisy]) * sign)
        # White noise of unit variance has E|N(k)|^2 = sum(window^2) = 3/8 N; 0..1 uniform is 1 / sqrt(12) wide and centred on 0.5.
        self.register_buffer("noise_gain", front.high_gain * torch.sqrt(noisy) / math.sqrt(0.375 * 2 * block) + 0j)
        self.register_buffer("noise_window", high_window * math.sqrt(12.0))
        self.register_buffer("noise_centre", -0.5 * self.noise_window)

        # The outermost bins of each window count as peaks of exactly their frequency, so that every bin has one on either side.
        edge = torch.zeros(count, dtype=torch.bool)
        edge[[0, low_bins - 1, low_bins, -1]] = True
        self.register_buffer("edge", edge)
        # What one bin of frequency turns in one hop: hop / window length.
        per_bin = torch.cat([torch.full((low_bins,), 0.25), torch.full((high_bins,), 0.5)])
        self.register_buffer("turn", torch.remainder(bins * per_bin, 1.0))
        self.register_buffer("half_turn", torch.where(edge, 0.0, 0.5 * per_bin))
        self.register_buffer("steep", torch.where(edge, 1e6, 0.0))
        self.register_buffer("doubled", 2 * torch.arange(count))
        # Zero phases would put one loud click at the start of every stream; the golden angle spreads them, without chance.
        self.register_buffer("start", torch.remainder(bins * (1 - 0.5 * math.sqrt(5)), 1.0))

        # Factors from the middle to left and right are looked up in [1 + pans, 1 - pans, widths, -widths]: [2, bins, re and im].
        image = front.image
        pans, widths = torch.arange(image), torch.arange(image, 2 * image)
        one, none = torch.ones(image), torch.zeros(image)
        self.register_buffer("image_columns", front.tones + torch.cat([pans, pans, widths, widths]))
        self.register_buffer("image_base", torch.cat([one, one, none, none]))
        self.register_buffer("image_sign", torch.cat([one, -one, one, -one]))
        self.register_buffer("image_least", torch.cat([-one, -one, none, none]))
        self.register_buffer("image_most", torch.ones(4 * image))
        bin_hz = torch.cat([torch.arange(low_bins) / (4 * block), torch.arange(high_bins) / (2 * block)]) * front.sample_rate
        behind = torch.floor(21.4 * torch.log10(1 + 0.00437 * bin_hz)).long() % 2  # ERB number, Glasberg and Moore 1990
        left = torch.stack([front.image_of, front.image_of + image * (2 + behind)], dim=1)
        right = torch.stack([front.image_of + image, front.image_of + image * (3 - behind)], dim=1)
        self.register_buffer("image_index", torch.stack([left, right]))

    def initial_state(self) -> list[Tensor]:
        """[phases of all bins, overlap-add tail of every channel, last noise]."""
        return [self.start.clone(), torch.zeros(self.channels, 3 * self.block), torch.full((self.block,), 0.5)]

    def advance(self, slope: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
        """Next phase of every bin: rise of the log magnitude from each bin to the next [bins + 1], last phases [bins] -> [bins].

        Phases are in turns, without the alternating signs. Also returns the peak that each bin belongs to [bins].
        """
        before, after = slope[:-1], slope[1:]
        peaks = torch.nonzero(torch.gt(torch.signbit(after), torch.signbit(before)) | self.edge).flatten()
        # The parabola through a peak and its neighbours has its top (before + after) / (before - after) / 2 bins away.
        turned = (phase + self.turn).addcdiv_((before + after).mul_(self.half_turn), (before - after).add_(self.steep))
        # Halfway between two peaks, the bin belongs to the lower one.
        nearest = peaks.index_select(0, torch.bucketize(self.doubled, peaks[1:] + peaks[:-1]))
        return turned.frac_().index_select(0, nearest), nearest

    def forward(self, log_bands: Tensor, noise: Tensor, state: list[Tensor], hiss: float = HISS) -> tuple[Tensor, list[Tensor]]:
        """One block: log_bands [bands], noise [block] in 0..1 uniform, state as above -> (samples [channels, block], state).

        `hiss` 0..1 is the share of noise in the treble, in amplitude; partials have the rest of the power.
        """
        block, low_bins = self.block, self.low_bins
        level = torch.lerp(log_bands.index_select(0, self.left), log_bands.index_select(0, self.right), self.share)
        phase, nearest = self.advance(level[1:] - level[:-1], state[0])
        magnitude = torch.exp(level[1:-1]).sub_(self.floor).relu_()

        heard = torch.cat([state[2], noise])
        white = torch.fft.rfft(torch.addcmul(self.noise_centre, heard, self.noise_window))
        tone = torch.add(self.gain, self.hissing, alpha=math.sqrt(max(0.0, 1.0 - hiss * hiss)) - 1.0)
        spectrum = torch.polar(tone, phase * self.circle)  # for magnitudes of 1
        spectrum[low_bins:].addcmul_(white, self.noise_gain, value=hiss)
        if self.channels == 2:
            # All bins of a partial go where its peak is.
            image = log_bands.index_select(0, self.image_columns).clamp_(self.image_least, self.image_most)
            factors = torch.addcmul(self.image_base, image, self.image_sign)
            placed = factors.index_select(0, self.image_index.index_select(1, nearest).view(-1)).view(2, -1, 2)
            spectra = torch.view_as_complex(placed.mul_(magnitude.unsqueeze(-1))).mul_(spectrum)
        else:
            spectra = (spectrum * magnitude).unsqueeze(0)

        # `narrow` is one operator where a slice of the second dimension is two.
        high_bins = spectra.shape[1] - low_bins
        frame = torch.fft.irfft(spectra.narrow(1, 0, low_bins), n=4 * block).mul_(self.low_window)
        short = torch.fft.irfft(spectra.narrow(1, low_bins, high_bins), n=2 * block)
        frame.narrow(1, block, 2 * block).addcmul_(short, self.high_window)
        frame.narrow(1, 0, 3 * block).add_(state[1])
        return frame.narrow(1, 0, block), [phase, frame.narrow(1, block, 3 * block), heard[block:]]

    def stream(self, log_bands: Tensor, noise: Tensor, hiss: float = HISS) -> Tensor:
        """Block after block from the initial state: log_bands [T, bands], noise [T, block] -> samples [channels, T * block]."""
        state = self.initial_state()
        blocks = [torch.zeros(self.channels, 0)]
        for t in range(log_bands.shape[0]):
            block, state = self.forward(log_bands[t], noise[t], state, hiss)
            blocks.append(block)
        return torch.cat(blocks, 1)
