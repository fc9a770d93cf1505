"""The synthesis in the form it is played in: the sound of `PhaseSynthesis` but for rounding, from fewer and cheaper operators.

For every call of a Fourier transform torch sets up its tables anew, which takes ten times as long as the transform itself (27 us
for one of 2048 samples, 15 for one of 1024, 4 for one of 256). So there is one such call instead of three:

- the noise is transformed by two products of small matrices (Cooley and Tukey 1965);
- both windows come back through one call of the short one's length. The bins of the long one end far below a quarter of the sample
  rate: its even samples are the transform of those bins, its odd samples that of the same bins turned by half a sample.

A bin's place in the stereo image is one complex number looked up by its peak, in a flat table: rows and columns take longer.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from noizestream.nn.phases import HISS, PhaseSynthesis


class LeanTransform(nn.Module):
    """The first half of the discrete Fourier transform of `size` real numbers."""

    columns: Tensor
    twiddle: Tensor
    rows: Tensor

    def __init__(self, size: int):
        super().__init__()
        # Sample short * n1 + n2 and bin k1 + long * k2, with n1, k1 < long and n2, k2 < short.
        self.long: int = next(n for n in range(math.isqrt(size - 1) + 1, size + 1) if size % n == 0)
        self.short: int = size // self.long
        self.bins: int = size // 2 + 1
        n1, n2 = torch.arange(self.long), torch.arange(self.short)
        self.register_buffer("columns", torch.view_as_real(_turned(n1, n1, self.long)).flatten(1))
        self.register_buffer("twiddle", _turned(n2, n1, size))
        self.register_buffer("rows", _turned(n2[: self.short // 2 + 1], n2, self.short))

    def forward(self, samples: Tensor) -> Tensor:
        """samples [size] -> [size / 2 + 1] complex, as torch.fft.rfft."""
        partly = torch.mm(samples.view(self.long, self.short).t(), self.columns).view(self.short, self.long, 2)
        return torch.mm(self.rows, torch.view_as_complex(partly).mul_(self.twiddle)).view(-1)[: self.bins]


class LeanSynthesis(PhaseSynthesis):
    """A `PhaseSynthesis` for one step; its state is the same."""

    odd: Tensor
    nothing: Tensor
    silence: Tensor
    sides: Tensor

    def __init__(self, plain: Any):
        nn.Module.__init__(self)
        self.__dict__.update(plain.__dict__)
        self._buffers = dict(plain._buffers)
        block, low_bins, channels = self.block, self.low_bins, self.channels
        self.noise_transform = LeanTransform(2 * block)
        self.register_buffer("odd", torch.polar(torch.ones(low_bins), math.pi / (2 * block) * torch.arange(low_bins)))
        self.register_buffer("nothing", torch.zeros(channels, block + 1 - low_bins) + 0j)
        self.register_buffer("silence", torch.zeros(channels, block))
        # A transform of half the length has twice the gain.
        halved = torch.cat([torch.full((low_bins,), 0.5), torch.ones(block + 1)])
        self.register_buffer("gain", self.gain * halved)
        self.register_buffer("low_window", self.low_window.view(2 * block, 2))

        # [1 + pan, width, 1 + pan, -width; 1 - pan, -width, 1 - pan, width] of every image band: left ahead and behind, then right.
        image = len(self.image_columns) // 4
        self.image: int = image
        pans, widths = (self.image_columns.view(4, image)[row] for row in (0, 2))
        band = torch.stack([pans, widths], 1)  # [image, re and im]
        sign = torch.tensor([[[1.0, 1.0], [1.0, -1.0]], [[-1.0, -1.0], [-1.0, 1.0]]])  # [side, ahead or behind, re and im]
        self.register_buffer("image_sign", sign[:, :, None].expand(2, 2, image, 2).flatten())
        self.register_buffer("image_columns", band.expand(2, 2, image, 2).flatten())
        self.register_buffer("image_base", torch.tensor([1.0, 0.0]).repeat(4 * image))
        self.register_buffer("image_least", torch.tensor([-1.0, 0.0]).repeat(4 * image))
        self.register_buffer("image_most", torch.ones(8 * image))
        index = plain.image_index[0]  # of left: the pan, then the width of one sign or the other
        self.register_buffer("image_index", index[:, 0] + torch.where(index[:, 1] >= 3 * image, image, 0))
        self.register_buffer("sides", torch.tensor([[0], [2 * image]]))

    def forward(self, log_bands: Tensor, noise: Tensor, state: list[Tensor], hiss: float = HISS) -> tuple[Tensor, list[Tensor]]:
        """As `PhaseSynthesis.forward`."""
        block, low_bins, channels = self.block, self.low_bins, self.channels
        level = torch.lerp(log_bands.index_select(0, self.left), log_bands.index_select(0, self.right), self.share)
        phase, nearest = self.advance(level[1:] - level[:-1], state[0])
        magnitude = torch.exp(level[1:-1]).sub_(self.floor).relu_()

        heard = torch.cat([state[2], noise])
        white = self.noise_transform(torch.addcmul(self.noise_centre, heard, self.noise_window))
        tone = torch.add(self.gain, self.hissing, alpha=math.sqrt(max(0.0, 1.0 - hiss * hiss)) - 1.0)
        spectrum = torch.polar(tone, phase * self.circle)  # for magnitudes of 1
        spectrum[low_bins:].addcmul_(white, self.noise_gain, value=hiss)
        torch.view_as_real(spectrum).mul_(magnitude.unsqueeze(-1))
        if channels == 2:
            image = log_bands.index_select(0, self.image_columns).clamp_(self.image_least, self.image_most)
            factors = torch.view_as_complex(torch.addcmul(self.image_base, image, self.image_sign).view(-1, 2))
            places = torch.add(self.sides, self.image_index.index_select(0, nearest))
            spectra = factors.index_select(0, places.view(-1)).view(2, -1).mul_(spectrum)
        else:
            spectra = spectrum.unsqueeze(0)

        low, high = spectra.split([low_bins, block + 1], 1)
        joined = torch.cat([low, self.nothing, low * self.odd, self.nothing, high], 1)
        made = torch.fft.irfft(joined.view(channels, 3, block + 1), n=2 * block)
        frame = torch.cat([state[1], self.silence], 1)
        frame.view(channels, 2 * block, 2).addcmul_(made.narrow(1, 0, 2).transpose(1, 2), self.low_window)
        frame.narrow(1, block, 2 * block).addcmul_(made.select(1, 2), self.high_window)
        return frame.narrow(1, 0, block), [phase, frame.narrow(1, block, 3 * block), heard[block:]]


def _turned(rows: Tensor, columns: Tensor, period: int) -> Tensor:
    """exp(-2 pi i row column / period): [rows, columns], complex."""
    angle = torch.remainder(torch.outer(rows, columns), period).double() * (-2 * math.pi / period)
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)
