"""The codec: log band magnitudes to a short latent and back.

It starts as a weighted PCA (exactly: the networks' last layers are zero) and learns a residual on both sides. The encoder sees
frames around the one it codes (training and priming only); the decoder is causal, so that it streams.
"""

import torch
from torch import Tensor, nn

from noizestream.nn.spectral import SpectralFront

IMAGE_LATENTS = 4
"""Latents more where there is a stereo image, so that the magnitudes lose none to it."""
CONTEXT = 3
"""Frames that the decoder sees: the current latent and the two before it."""


class Codec(nn.Module):
    """Linear projection from PCA plus learned residuals. Latents have about unit variance in every dimension."""

    weight: Tensor
    mean: Tensor
    scale: Tensor
    highest: Tensor

    def __init__(self, front: SpectralFront, latent: int = 64, hidden: int = 256):
        super().__init__()
        latent += IMAGE_LATENTS if front.image else 0
        self.latent, self.context = latent, CONTEXT
        self.tones = front.tones
        bands = front.bands
        self.register_buffer("weight", front.band_weight.clone())
        self.register_buffer("mean", torch.zeros(bands))
        self.register_buffer("scale", torch.ones(latent))
        self.register_buffer("highest", torch.full((bands,), 3.0))
        self.analysis = nn.Parameter(torch.zeros(latent, bands))
        self.synthesis = nn.Parameter(torch.zeros(bands, latent))
        self.encoder = nn.Sequential(nn.Conv1d(bands, hidden, 5, padding=2), nn.GELU(), nn.Conv1d(hidden, latent, 3, padding=1))
        self.decoder = nn.Sequential(nn.Linear(CONTEXT * latent, hidden), nn.GELU(), nn.Linear(hidden, bands))
        for network in (self.encoder, self.decoder):
            for parameter in list(network.parameters())[-2:]:  # the last layer's weight and bias
                nn.init.zeros_(parameter)

    @torch.no_grad()
    def fit_pca(self, mean: Tensor, covariance: Tensor, highest: Tensor) -> float:
        """Set the linear part from the mean [bands] and covariance [bands, bands] of weighted log magnitudes.

        `highest` [bands] is the largest log magnitude of each band in training: decoding never exceeds it, so that a latent no
        music ever had cannot be louder than all music.

        Returns the share of weighted variance that the latents keep.
        """
        values, vectors = torch.linalg.eigh(covariance.double())
        top = vectors[:, -self.latent :].flip(1).float()
        kept = values[-self.latent :].flip(0).float().clamp(min=1e-8)
        self.mean.copy_(mean)
        self.highest.copy_(highest)
        # Directions of hardly any variance are not blown up to unit variance: they would be pure noise to the LSTM.
        deviation = kept.sqrt().clamp(min=float(kept[0].sqrt()) * 1e-3)
        self.analysis.copy_(top.T / deviation[:, None])
        self.synthesis.copy_(top * deviation)
        return float(kept.sum() / values.sum())

    def standardise(self, log_bands: Tensor) -> Tensor:
        """[..., bands] -> weighted and centred [..., bands]."""
        return log_bands * self.weight - self.mean

    def encode(self, log_bands: Tensor) -> Tensor:
        """log_bands [B, T, bands] -> latents [B, T, latent]."""
        x = self.standardise(log_bands)
        return (x @ self.analysis.T + self.encoder(x.transpose(1, 2)).transpose(1, 2)) / self.scale

    def decode_frame(self, history: Tensor) -> Tensor:
        """history [..., CONTEXT, latent], oldest first -> log magnitudes [..., bands] of the newest frame."""
        history = history * self.scale
        linear = history[..., -1, :] @ self.synthesis.T
        return torch.minimum((linear + self.decoder(history.flatten(-2)) + self.mean) / self.weight, self.highest)

    def decode(self, latents: Tensor) -> Tensor:
        """latents [B, T, latent] -> log magnitudes [B, T, bands]; before the first frame the latents are zero."""
        padded = torch.nn.functional.pad(latents, (0, 0, self.context - 1, 0))
        return self.decode_frame(padded.unfold(1, self.context, 1).transpose(-1, -2))
