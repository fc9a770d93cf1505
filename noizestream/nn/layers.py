"""Layers: what a performer mutes, holds and replaces by itself. A frame of log bands is split into them, and mixed again.

What moves in time and is spread over the bands is percussive, what lasts and stands out among them harmonic: medians along the
one and the other axis tell them apart (Fitzgerald 2010). The percussive part is the drums; the harmonic one is cut by frequency
into bass, harmony and top. Each layer has its own principal components: its frames are few numbers, and distances between them are
distances between what is heard. Codes are told apart by them; what sounds is kept by the codec (codec.py), and each layer takes its
share of it.

    bands [T, bands] --split--> columns [T, columns] --encode--> latents [T, latents] --decode--> columns --mix--> bands
"""

import torch
from torch import Tensor, nn

from noizestream.nn.layer_table import LAYERS, Layer, cut
from noizestream.nn.spectral import SpectralFront

ALONG_TIME_S = 0.18
ALONG_BANDS = 17
"""Lengths of the two medians, in seconds and in bands."""
KICKS_HZ, KICKS_S, KICK = 200.0, 0.5, 0.55
"""Below `KICKS_HZ` what is `KICK` nepers (4.8 dB) over its median of `KICKS_S` is half percussive."""
STEEPEST = 9.0
"""Logit of the share that the largest byte stands for."""


class LayerFront(nn.Module):
    """Splits, encodes and mixes frames of one `SpectralFront`. `fit` sets the components; before it they are all zero."""

    layer_of: Tensor
    mixing: Tensor
    basis: Tensor
    mean: Tensor
    step: Tensor
    band_of: Tensor
    part_of: Tensor
    image_columns: Tensor
    weight: Tensor
    hz: Tensor

    def __init__(self, front: SpectralFront, layers: tuple[Layer, ...] = LAYERS):
        super().__init__()
        hz, parts = front.band_hz, cut(front, layers)
        self.tones: int = front.tones
        self.image: int = front.image
        self.bands: int = front.bands
        self.floor: float = front.floor
        self.count: int = len(layers)
        self.layers = layers
        self.names = [layer.name for layer in layers]
        self.together = [layer.together for layer in layers]
        self.leads = [self.names.index(layer.follows) for layer in layers]
        self.every = [layer.every for layer in layers]
        self.apart = [layer.apart for layer in layers]
        self.pitched_layers = [layer.part != "percussive" for layer in layers]
        self.along_time: int = 2 * round(ALONG_TIME_S * front.sample_rate / front.block / 2) + 1
        self.along_bands: int = ALONG_BANDS
        self.along_kicks: int = 2 * round(KICKS_S * front.sample_rate / front.block / 2) + 1
        self.kick: float = KICK
        self.lows: int = int((hz < KICKS_HZ).sum())
        self.starts, self.sizes = parts.starts, parts.sizes
        self.first_latent, self.latents = parts.first_latent, parts.latents
        self.columns: int = sum(self.sizes)
        self.size: int = sum(self.latents)
        self.register_buffer("hz", hz.clone())  # [tones]
        self.register_buffer("band_of", parts.band_of)
        self.register_buffer("layer_of", parts.layer_of)
        self.register_buffer("part_of", parts.part_of)
        mixing = torch.zeros(self.tones, self.columns)
        tonal = torch.where(parts.band_of < self.tones)[0]
        mixing[parts.band_of[tonal], tonal] = 1.0
        self.register_buffer("mixing", mixing)
        image = [torch.where(parts.band_of == self.tones + k)[0][0] for k in range(2 * self.image)]
        self.register_buffer("image_columns", torch.stack(image) if image else torch.zeros(0, dtype=torch.long))
        self.register_buffer("weight", front.band_weight[parts.band_of])
        self.register_buffer("basis", torch.zeros(self.columns, self.size))  # latents to columns
        self.register_buffer("mean", torch.zeros(self.columns))
        self.register_buffer("step", torch.ones(self.size))  # what 1 in int8 stands for

    def split(self, bands: Tensor) -> Tensor:
        """Split log bands [T, bands] -> columns [T, columns]: log magnitudes of every layer, and its part of the stereo image."""
        if bands.shape[0] == 0:
            return bands.new_zeros(0, self.columns)
        return self.split_by(bands, self.percussive(bands[:, : self.tones]))

    def split_by(self, bands: Tensor, share: Tensor) -> Tensor:
        """Split bands as `split` does where it is known which `share` [T, tones] of the tones is percussive."""
        tones = bands[:, : self.tones]
        magnitude = (torch.exp(tones) - self.floor).clamp(min=0.0)
        parts = torch.stack([torch.log(magnitude * share + self.floor), torch.log(magnitude * (1 - share) + self.floor), tones])
        wide = torch.cat([parts, bands[:, self.tones :].unsqueeze(0).expand(3, -1, -1)], 2)
        return wide[self.part_of, :, self.band_of].t()

    def percussive(self, tones: Tensor) -> Tensor:
        """Return which share of each of log magnitudes [T, tones], T > 0, is percussive, 0..1."""
        h = torch.nn.functional.pad(tones.t().unsqueeze(0), (self.along_time // 2, self.along_time // 2), mode="replicate")[0]
        h = h.unfold(1, self.along_time, 1).median(-1)[0].t()
        p = torch.nn.functional.pad(tones.unsqueeze(0), (self.along_bands // 2, self.along_bands // 2), mode="replicate")[0]
        p = p.unfold(1, self.along_bands, 1).median(-1)[0]
        share = torch.sigmoid(2.0 * (p - h))  # P^2 / (P^2 + H^2)
        # The lowest bands are too few to be spread over: there what stands out of half a second is struck, what fills it held.
        low = tones.t()[: self.lows].unsqueeze(0)
        around = self.along_kicks // 2
        held = torch.nn.functional.pad(low, (around, around), mode="replicate")[0].unfold(1, self.along_kicks, 1).median(-1)[0]
        struck = torch.sigmoid(4.0 * (low[0] - held - self.kick))
        return torch.cat([struck.t(), share[:, self.lows :]], 1)

    def pooled(self, bands: Tensor, share: Tensor, edges_hz: Tensor) -> Tensor:
        """Return which share [T, n] of the power between two of `edges_hz` [n + 1] is percussive, by that of each tone."""
        power = torch.exp(2 * bands[:, : self.tones].float())
        middles = 0.5 * (edges_hz[1:] + edges_hz[:-1])
        inside = (self.hz >= edges_hz[:-1].unsqueeze(1)) & (self.hz < edges_hz[1:].unsqueeze(1))
        nearest = (self.hz - middles.unsqueeze(1)).abs().argmin(1)
        inside[torch.arange(len(middles)), nearest] = True
        pool = inside.float().t()
        return ((power * share) @ pool) / (power @ pool).clamp(min=1e-12)

    def struck(self, bands: Tensor, share: Tensor) -> float:
        """Return which share of the power of log bands [T, bands], T > 0, is percussive, by that of each tone."""
        power = torch.exp(2 * bands[:, : self.tones].float())
        return float((power * share.square()).sum() / power.sum().clamp(min=1e-12))

    def mix(self, columns: Tensor) -> Tensor:
        """Mix columns [columns] -> log bands [bands]."""
        magnitude = (torch.exp(columns).sub_(self.floor)).relu_()
        tones = torch.mv(self.mixing, magnitude).add_(self.floor).log_()
        if self.image:
            return torch.cat([tones, columns.index_select(0, self.image_columns)])
        return tones

    def encode(self, columns: Tensor) -> Tensor:
        """Encode columns [T, columns] -> latents [T, latents], not rounded."""
        return ((columns - self.mean) * self.weight) @ (self.basis * self.weight.unsqueeze(1))

    def rounded(self, latents: Tensor) -> Tensor:
        """Round latents [T, latents] -> int8, in units of `step`."""
        return torch.round(latents / self.step).clamp(-127, 127).to(torch.int8)

    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents [latents] or [T, latents] -> columns."""
        if latents.dim() == 1:
            return torch.addmv(self.mean, self.basis, latents)
        return torch.addmm(self.mean, latents, self.basis.t())

    @torch.no_grad()
    def fit(self, columns: Tensor) -> float:
        """Set the components of every layer to those of columns [n, columns]; returns the share of variance that they keep."""
        self.mean.copy_(columns.mean(0))
        weighted = (columns - self.mean) * self.weight
        kept = 0.0
        self.basis.zero_()
        for v in range(self.count):
            own = slice(self.starts[v], self.starts[v] + self.sizes[v])
            values, vectors = torch.linalg.eigh((weighted[:, own].t() @ weighted[:, own]).double() / len(columns))
            top = vectors[:, -self.latents[v] :].flip(1).float()
            kept += float(values[-self.latents[v] :].sum())
            first = self.first_latent[v]
            self.basis[own, first : first + self.latents[v]] = top / self.weight[own].unsqueeze(1)
        latents = self.encode(columns)
        self.step.copy_(
            (
                latents.abs().quantile(0.9995, dim=0)
                if len(latents) < 100000
                else latents[:: len(latents) // 50000].abs().quantile(0.9995, dim=0)
            ).clamp(min=1e-3)
            / 120
        )
        return kept / float(weighted.square().sum() / len(columns))


def in_bytes(share: Tensor) -> Tensor:
    """Turn shares, 0..1, into uint8 that `from_bytes` reads: their logits, so that a small share is as exact as one near 1."""
    return (255 * (0.5 + torch.logit(share, 1e-4) / (2 * STEEPEST))).round().clamp(0, 255).to(torch.uint8)


def from_bytes(share: Tensor) -> Tensor:
    """Turn what `in_bytes` wrote back into shares, 0..1."""
    return torch.sigmoid((share.float() / 255 - 0.5) * 2 * STEEPEST)
