"""The spectral front end: audio to log magnitudes in bands, by which sounds are compared.

Two windows share one hop of `block` samples: a long one (4 blocks) under the crossover, where pitch matters, a short one
(2 blocks) above, where attacks do. Both are centred on the same sample:

    frame t, long    |---------------|            samples t*block .. t*block + 4*block
    frame t, short       |-------|                centred inside it

A stereo front appends the image to the log magnitudes of the middle, (left + right) / 2: per image band the pan, how much of the
middle the side, (left - right) / 2, carries in phase (-1 right .. 1 left), and the width, how much the rest of it has beside the
middle (0 none .. 1 as much): the prediction and the residual of parametric stereo (Breebaart et al. 2005, MPEG Surround's too).
"""

import itertools
import math

import torch
from torch import Tensor, nn

CROSSOVER_HZ = 1000.0
CROSSOVER_SHARE = 0.08  # by so much of the crossover the bands of either window reach over it
FLOOR = 1e-4
"""Added to magnitudes before the logarithm: -80 dB below a full-scale sine."""

WIDE_BANDS = 86
BLOCK_MS = 32 / 3
"""Length of a block; half of it makes windows too short to tell low notes apart, and changes heard sooner."""

IMAGE_EDGES_HZ = (0, 150, 500, 1000, 2000, 4000, 8000)
"""Where the bands of the stereo image begin: an octave or less each, as finely as ears place sounds in a mix."""
IMAGE_FRAMES = (1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 3.0, 2.0, 1.0)
"""Weights of the frames over which the image is measured: a few bins of one frame hold too little to tell width from chance."""
IMAGE_WEIGHT = 5.0
"""Weight of the image's columns in the layers' components, beside `band_weight` of the magnitudes (1 to 3, which vary more)."""


def block_frames_for(sample_rate: int, block_ms: float = BLOCK_MS) -> int:
    """Return the samples of a block: the power of two nearest to `block_ms`; 512 at 44.1 and 48 kHz unless told."""
    return max(64, 2 ** round(math.log2(block_ms * sample_rate / 1000)))


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
    """Windows and bands for one sample rate. Holds tables only, no weights.

    Magnitudes are scaled so that a full-scale sine reads 1 at its bin, whatever the window. A frame has `bands` columns: `tones`
    log magnitudes and, with two channels, `image` pans and as many widths.
    """

    long_window: Tensor
    short_window: Tensor
    pool: Tensor
    band_hz: Tensor
    band_weight: Tensor
    image_pool: Tensor
    image_frames: Tensor

    def __init__(self, sample_rate: int = 48000, block: int | None = None, channels: int = 1):
        super().__init__()
        if channels not in (1, 2):
            raise ValueError(f"channels: {channels}, music is learned in 1 or 2")
        self.channels = channels
        self.sample_rate = sample_rate
        self.block = block or block_frames_for(sample_rate)
        self.low_bins, high = band_edges(sample_rate, self.block)
        self.high_bins = self.block + 1
        self.floor = FLOOR  # scripted code sees attributes, not globals
        self.tones = self.low_bins + len(high)
        long_hz, short_hz = sample_rate / (4 * self.block), sample_rate / (2 * self.block)

        self.register_buffer("long_window", torch.hann_window(4 * self.block))
        self.register_buffer("short_window", torch.hann_window(2 * self.block))
        pool = torch.zeros(self.high_bins, len(high))
        for band, (a, b) in enumerate(high):
            pool[a:b, band] = 1 / (b - a)
        self.register_buffer("pool", pool)

        frequency = [k * long_hz for k in range(self.low_bins)] + [(a + b - 1) / 2 * short_hz for a, b in high]
        width = [long_hz] * self.low_bins + [(b - a) * short_hz for a, b in high]
        hz, width_hz = torch.tensor(frequency), torch.tensor(width)
        self.register_buffer("band_hz", hz)  # [tones]

        # The long window's bins up to the crossover and the short one's above, each in one band of the image.
        bin_hz = torch.cat([torch.arange(self.low_bins) * long_hz, torch.arange(self.high_bins) * short_hz])
        starts = [edge for edge in IMAGE_EDGES_HZ if edge < 0.9 * sample_rate / 2]
        self.image = len(starts) if channels == 2 else 0
        self.bands = self.tones + 2 * self.image
        counted = torch.nn.functional.one_hot(torch.bucketize(bin_hz, torch.tensor(starts[1:]), right=True), len(starts)).float()
        long = torch.arange(len(bin_hz)) < self.low_bins
        counted[long != (bin_hz < CROSSOVER_HZ)] = 0
        self.register_buffer("image_pool", counted)
        self.register_buffer("image_frames", torch.tensor(IMAGE_FRAMES) / sum(IMAGE_FRAMES))
        # Perceptual weight of a band, DESIGN: (bandwidth * 700 / (700 + f)) ** 0.25
        weight = (width_hz * 700 / (700 + hz)) ** 0.25
        self.register_buffer("band_weight", torch.cat([weight, torch.full((2 * self.image,), IMAGE_WEIGHT)]))

    def analyse(self, audio: Tensor) -> Tensor:
        """Analyse every whole frame: audio [n] or [channels, n] -> [T, bands], T = n // block - 3 (0 rows if shorter).

        Columns are the log magnitudes of the mean of the channels, then pans and widths, all zero where there are not two channels.
        """
        sides = audio.unsqueeze(0) if audio.dim() == 1 else audio
        if sides.shape[1] < 4 * self.block:
            return audio.new_zeros(0, self.bands)
        middle = self.spectra(sides.mean(0))
        low, high = middle[:, : self.low_bins].abs(), middle[:, self.low_bins :].abs()
        tones = torch.log(torch.cat([low, high @ self.pool], dim=1) + self.floor)
        if self.channels == 1:
            return tones
        if sides.shape[0] != 2:
            return torch.nn.functional.pad(tones, (0, 2 * self.image))
        return torch.cat([tones, self.image_columns(middle, self.spectra(0.5 * (sides[0] - sides[1])))], dim=1)

    def spectra(self, audio: Tensor) -> Tensor:
        """Transform audio [n] -> complex [T, low_bins + high_bins]: the long window up to `low_bins`, all of the short one."""
        long, short, block = 4 * self.block, 2 * self.block, self.block
        frames = audio.unfold(0, long, block)
        low = torch.fft.rfft(frames * self.long_window)[:, : self.low_bins] * (2 / (long / 2))
        high = torch.fft.rfft(frames[:, block : block + short] * self.short_window) * (2 / (short / 2))
        return torch.cat([low, high], dim=1)

    def image_columns(self, middle: Tensor, side: Tensor) -> Tensor:
        """Return pan and width per image band: spectra of middle and side [T, bins] -> [T, 2 * image]."""
        products = torch.stack([middle.abs().square(), side.abs().square(), (middle * side.conj()).real]) @ self.image_pool
        series = products.transpose(1, 2).reshape(3 * self.image, 1, -1)
        series = torch.nn.functional.conv1d(series, self.image_frames.view(1, 1, -1), padding=self.image_frames.shape[0] // 2)
        middle_power, side_power, cross = series.view(3, self.image, -1).transpose(1, 2).unbind(0)
        audible = middle_power + 0.03 * self.floor**2 * self.image_pool.sum(0)
        pan = (cross / audible).clamp(-1.0, 1.0)
        rest = side_power - 2 * pan * cross + pan.square() * middle_power
        return torch.cat([pan, torch.sqrt(rest.clamp(min=0.0) / audible).clamp(max=1.0)], dim=1)
