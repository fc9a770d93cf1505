"""Stage two: the codec. PCA from the whole training set in one pass, then encoder and decoder learn what it leaves."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from noizestream.nn.codec import Codec
from noizestream.training.budget import Budget
from noizestream.training.config import Config
from noizestream.training.lanes import Draw, windows
from noizestream.training.prepared import Piece, Prepared

PCA_FRAMES = 200_000
VALIDATION_FRAMES = 800

Report = Callable[[str, int, float, dict[str, float]], None]
"""`report(stage, step, seconds left, figures)`."""


def codec_loss(predicted: Tensor, target: Tensor, weight: Tensor, tones: int) -> Tensor:
    """L1 of weighted columns, and half of it on the slope of the first `tones` along frequency, which keeps harmonics sharp."""
    error = (predicted - target) * weight
    return error.abs().mean() + 0.5 * error[..., :tones].diff(dim=-1).abs().mean()


class CodecLoop:
    """Fits `codec` in place on `prepared`. `state` and `restore` make it resumable."""

    def __init__(self, codec: Codec, prepared: Prepared, config: Config, device: str):
        self.codec, self.prepared, self.config, self.device = codec, prepared, config, device
        pieces = prepared.of("training")
        self.arrays = [prepared.bands_of(piece) for piece in pieces]
        self.draw = Draw(pieces, np.random.default_rng([config.seed, 1]))
        back = [*codec.decoder.parameters(), codec.synthesis]
        # The latents of a base stay what its LSTM knows them as: only the way back learns the new music.
        there = [] if config.base else [*codec.encoder.parameters(), codec.analysis]
        self.optimiser = torch.optim.AdamW(there + back, lr=config.codec_rate)
        self.kept = 0.0

    def fit_pca(self) -> float:
        """Linear part from up to `PCA_FRAMES` frames, each genre counting the same. Returns the share of variance kept."""
        codec = self.codec
        moments: dict[int, list[Any]] = {}
        total = sum(len(array) for array in self.arrays)
        stride = max(1, total // PCA_FRAMES)
        highest = torch.full_like(codec.highest, -100.0).cpu()
        for piece, array in zip(self.draw.pieces, self.arrays, strict=True):
            x = torch.from_numpy(np.asarray(array[::stride], np.float32)).double() * codec.weight.cpu().double()
            highest = torch.maximum(highest, (x / codec.weight.cpu()).amax(0).float())
            count, first, second = moments.setdefault(piece.genre, [0, 0.0, 0.0])
            moments[piece.genre] = [count + len(x), first + x.sum(0), second + x.T @ x]
        mean = sum(first / count for count, first, _ in moments.values()) / len(moments)
        square = sum(second / count for count, _, second in moments.values()) / len(moments)
        self.kept = codec.fit_pca(mean.float(), (square - mean[:, None] * mean[None, :]).float(), highest)
        return self.kept

    @torch.no_grad()
    def fit_highest(self) -> None:
        """Let the codec be as loud as this music: for one that was fitted on other music."""
        highest = torch.stack([torch.from_numpy(np.asarray(array, np.float32)).amax(0) for array in self.arrays]).amax(0)
        self.codec.highest.copy_(torch.maximum(self.codec.highest, highest.to(self.device)))

    def run(self, budget: Budget, report: Report, stop: Callable[[], bool], checkpoint: Callable[[], None]) -> None:
        """Train until the budget is over or `stop()`; then put the latents at unit variance."""
        config = self.config
        self.codec.train()
        while not budget.over() and not stop():
            rate = config.codec_rate * 0.5 * (1 + math.cos(math.pi * budget.progress()))
            for group in self.optimiser.param_groups:
                group["lr"] = max(rate, 1e-5)
            x = torch.from_numpy(windows(self.draw, self.arrays, config.codec_batch, config.codec_frames)).to(self.device)
            with torch.set_grad_enabled(not config.base):
                z = self.codec.encode(x)
            predicted = self.codec.decode(z + config.latent_noise * torch.randn_like(z))
            loss = codec_loss(predicted[:, 2:], x[:, 2:], self.codec.weight, self.codec.tones)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.optimiser.param_groups[0]["params"], 1.0)
            self.optimiser.step()
            budget.done += 1
            if budget.done % 20 == 0:
                report("codec", budget.done, budget.remaining(), {"loss": loss.item()})
                checkpoint()
        self.codec.eval()
        if not config.base:
            self.standardise_latents()

    @torch.no_grad()
    def standardise_latents(self) -> None:
        """Set `codec.scale` so that every latent has unit variance over the training set."""
        rng = np.random.default_rng([self.config.seed, 2])
        draw = Draw(self.draw.pieces, rng)
        x = torch.from_numpy(windows(draw, self.arrays, 64, self.config.codec_frames)).to(self.device)
        z = self.codec.encode(x) * self.codec.scale
        self.codec.scale.copy_(z.flatten(0, 1).std(0).clamp(min=1e-3))

    @torch.no_grad()
    def validate(self) -> float:
        """Mean error of the validation frames' magnitudes in nepers (natural logarithm), unweighted."""
        return validation_error(self.codec, self.prepared, self.prepared.of("validation") or self.draw.pieces[:4], self.device)

    def state(self) -> dict[str, Any]:
        return {
            "codec": self.codec.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.draw.rng.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.codec.load_state_dict(state["codec"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.draw.rng.bit_generator.state = state["rng"]


@torch.no_grad()
def validation_error(codec: Codec, prepared: Prepared, pieces: list[Piece], device: str) -> float:
    """Mean |log magnitude error| over the first frames of `pieces`."""
    errors = []
    for piece in pieces[:16]:
        x = torch.from_numpy(np.asarray(prepared.bands_of(piece)[:VALIDATION_FRAMES], np.float32)).to(device)[None]
        errors.append(float((codec.decode(codec.encode(x)) - x)[..., : codec.tones].abs().mean()))
    return float(np.mean(errors))
