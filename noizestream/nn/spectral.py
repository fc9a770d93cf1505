"""The spectral front end: audio to log magnitudes in bands, and bands back to the bins that the synthesis needs.

Two windows share one hop of `block` samples: a long one (4 blocks) under the crossover, where pitch matters, a short one
(2 blocks) above, where attacks do. Both are centred on the same sample:

    frame t, long    |---------------|            samples t*block .. t*block + 4*block
    frame t, short       |-------|                centred inside it
    emitted at t     |---|                        the first block of the frame, complete once frame t is added
"""

import itertools
import math

import torch
from torch import Tensor, nn

CROSSOVER_HZ = 1000.0
CROSSOVER_SHARE = 0.08  # half-width of the linear crossfade, as a share of the crossover
FLOOR = 1e-4
"""Added to magnitudes before the logarithm: -80 dB below a full-scale sine."""

WIDE_BANDS = 86


def block_frames_for(sample_rate: int) -> int:
    """Samples per block: 512 at 44.1 and 48 kHz, scaled by octaves to stay near 11 ms at other rates."""
    return max(64, 2 ** round(math.log2(512 * sample_rate / 48000)))


def band_edges(sample_rate: int, block: int) -> tuple[int, list[tuple[int, int]]]:
    """Return the number of long-window bins used as they are, and (first, last + 1) bins of each short-window band.

    Single bins up to about 3.5 kHz, then `WIDE_BANDS` bands that widen geometrically up to half the sample rate.
    """
    long_hz, short_hz = sample_rate / (4 * block), sample_rate / (2 * block)
    low_bins = math.ceil(CROSSOVER_HZ * (1 + CROSSOVER_SHARE) / long_hz) + 1
    first = math.floor(CROSSOVER_HZ * (1 - CROSSOVER_SHARE) / short_hz)
    top = block + 1
    single_until = min(round(3500 / short_hz), top)
    edges = list(range(first, single_until))
    position = float(single_until)
    ratio = (top / position) ** (1 / WIDE_BANDS)
    while edges[-1] < top:
        edges.append(min(max(edges[-1] + 1, round(position)), top))
        position *= ratio
    return low_bins, list(itertools.pairwise(edges))


class SpectralFront(nn.Module):
    """Windows, bands and their inverse for one sample rate. Holds tables only, no weights.

    Magnitudes are scaled so that a full-scale sine reads 1 at its bin, whatever the window.
    """

    long_window: Tensor
    short_window: Tensor
    pool: Tensor
    bin_bands: Tensor
    bin_share: Tensor
    band_hz: Tensor
    band_weight: Tensor
    low_gain: Tensor
    high_gain: Tensor

    def __init__(self, sample_rate: int = 48000, block: int | None = None):
        super().__init__()
        self.sample_rate = sample_rate
        self.block = block or block_frames_for(sample_rate)
        self.low_bins, high = band_edges(sample_rate, self.block)
        self.high_bins = self.block + 1
        self.floor = FLOOR  # scripted code sees attributes, not globals
        self.bands = self.low_bins + len(high)
        long_hz, short_hz = sample_rate / (4 * self.block), sample_rate / (2 * self.block)

        self.register_buffer("long_window", torch.hann_window(4 * self.block))
        self.register_buffer("short_window", torch.hann_window(2 * self.block))
        pool = torch.zeros(self.high_bins, len(high))
        centres = [(a + b - 1) / 2 for a, b in high]
        for band, (a, b) in enumerate(high):
            pool[a:b, band] = 1 / (b - a)
        self.register_buffer("pool", pool)
        # Every bin lies between two bands: linear interpolation of log magnitudes between the bands' centres.
        pairs, shares = [(k, k) for k in range(self.low_bins)], [0.0] * self.low_bins
        for k in range(self.high_bins):
            right = next((i for i, c in enumerate(centres) if c >= k), len(centres) - 1)
            left = max(right - 1, 0) if centres[right] > k else right
            span = centres[right] - centres[left]
            pairs.append((self.low_bins + left, self.low_bins + right))
            shares.append((k - centres[left]) / span if span > 0 else 0.0)
        self.register_buffer("bin_bands", torch.tensor(pairs).T)  # [2, low_bins + high_bins]
        self.register_buffer("bin_share", torch.tensor(shares))

        frequency = [k * long_hz for k in range(self.low_bins)] + [c * short_hz for c in centres]
        width = [long_hz] * self.low_bins + [(b - a) * short_hz for a, b in high]
        hz, width_hz = torch.tensor(frequency), torch.tensor(width)
        self.register_buffer("band_hz", hz)
        # Perceptual weight of a band, DESIGN: (bandwidth * 700 / (700 + f)) ** 0.25
        self.register_buffer("band_weight", (width_hz * 700 / (700 + hz)) ** 0.25)

        def gain_above(k_hz: Tensor) -> Tensor:
            low, high_ = CROSSOVER_HZ * (1 - CROSSOVER_SHARE), CROSSOVER_HZ * (1 + CROSSOVER_SHARE)
            return ((k_hz - low) / (high_ - low)).clamp(0, 1)

        self.register_buffer("low_gain", 1 - gain_above(torch.arange(self.low_bins) * long_hz))
        self.register_buffer("high_gain", gain_above(torch.arange(self.high_bins) * short_hz))

    def analyse(self, audio: Tensor) -> Tensor:
        """Log magnitudes of every whole frame: audio [n] -> [T, bands], T = n // block - 3 (0 rows if shorter)."""
        long, short, block = 4 * self.block, 2 * self.block, self.block
        if len(audio) < long:
            return audio.new_zeros(0, self.bands)
        frames = audio.unfold(0, long, block)
        low = torch.fft.rfft(frames * self.long_window)[:, : self.low_bins].abs() * (2 / (long / 2))
        high = torch.fft.rfft(frames[:, block : block + short] * self.short_window).abs() * (2 / (short / 2))
        return torch.log(torch.cat([low, high @ self.pool], dim=1) + self.floor)
