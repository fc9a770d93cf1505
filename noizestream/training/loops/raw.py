"""The baseline's training: gradient descent on the error of the next block of samples, state carried over."""

import math

import numpy as np
import torch
from torch import Tensor

from noizestream.nn.losses import LOSSES, mean_absolute_error, mean_bias_error, mean_squared_error
from noizestream.nn.raw import RawPredictor
from noizestream.training.config import Config
from noizestream.training.data.dataset import Piece, Prepared
from noizestream.training.data.raw_batches import RawBatches
from noizestream.training.loops.loop import Loop

JUDGED_FRAMES = 400
JUDGED_PIECES = 4
"""Validation reads so much of so many held-out pieces of every genre."""


def music_scale(prepared: Prepared, pieces: list[Piece]) -> float:
    """RMS of the music, every piece counting the same."""
    powers = [float(np.square(prepared.samples_of(p)[:JUDGED_FRAMES], dtype=np.float32).mean()) for p in pieces]
    return max(math.sqrt(float(np.mean(powers))), 1e-4)


def optimiser_of(predictor: RawPredictor, config: Config) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015), or gradient descent with momentum: v = m v + g, w = w - rate v."""
    if config.optimiser == "sgd":
        return torch.optim.SGD(predictor.parameters(), lr=config.rate, momentum=config.momentum, weight_decay=config.weight_decay)
    return torch.optim.AdamW(predictor.parameters(), lr=config.rate, weight_decay=config.weight_decay)


class RawLoop(Loop):
    """Fits `predictor` in place on `pieces`, by the `loss` of the settings."""

    stage = "raw"
    predictor: RawPredictor
    batches: RawBatches

    def __init__(self, predictor: RawPredictor, prepared: Prepared, config: Config, pieces: list[Piece], device: str):
        super().__init__(predictor, config, device, optimiser_of(predictor, config))
        self.loss = LOSSES[config.loss]
        self.prepared = prepared
        self.batches = RawBatches(prepared, pieces, config)
        self.judged = _judged(prepared, pieces)
        self.carried = predictor.recurrent.initial_sequence_state(config.batch, device)

    def _step(self) -> float:
        chunk = self.batches.next()
        keep = torch.from_numpy(~chunk.fresh).float().to(self.device)
        state = [s.detach() * keep[None, :, None] for s in self.carried]
        previous, target, genre = self._tensors(chunk.previous, chunk.target, chunk.genre)
        predicted, self.carried = self.predictor.sequence(previous, genre, state)
        loss = self.loss(predicted, target)
        return self._descend(loss)

    def _tensors(self, previous: np.ndarray, target: np.ndarray, genre: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Blocks in units of the music's RMS, the genre at every block."""
        scale, device = self.predictor.scale, self.device
        spread = torch.from_numpy(genre)[:, None].expand(-1, target.shape[1], -1)
        return torch.from_numpy(previous).to(device) / scale, torch.from_numpy(target).to(device) / scale, spread.to(device)

    def _judge(self) -> float:
        return self.validate()[self.config.loss]

    @torch.no_grad()
    def judge(self) -> list[list[tuple[Tensor, Tensor, Tensor]]]:
        """Per genre and piece of `judged`: the blocks before, the predicted and the true ones, each [T, block]."""
        self.predictor.eval()
        judged = []
        for genre, rows in enumerate(self.judged):
            label, read = np.eye(len(self.judged), dtype=np.float32)[[genre]], []
            for piece in rows:
                target = np.asarray(self.prepared.samples_of(piece)[:JUDGED_FRAMES], np.float32)
                before, true, labels = self._tensors(np.pad(target[:-1], ((1, 0), (0, 0)))[None], target[None], label)
                predicted, _ = self.predictor.sequence(
                    before, labels, self.predictor.recurrent.initial_sequence_state(1, self.device)
                )
                read.append((before[0], predicted[0], true[0]))
            judged.append(read)
        self.predictor.train()
        return judged

    def validate(self) -> dict[str, float]:
        """`mse`, `mae` and `mbe` in units of the music's RMS; `silence` and `previous`: the loss of predicting 0, or no change."""
        found = [[torch.stack(values) for values in map(self._figures, rows)] for rows in self.judge()]
        mean = torch.stack([torch.stack(rows).mean(0) for rows in found]).mean(0)
        return dict(zip(("mse", "mae", "mbe", "silence", "previous"), mean.tolist(), strict=True))

    def _figures(self, judged: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        before, predicted, true = judged
        errors = [measure(predicted, true) for measure in (mean_squared_error, mean_absolute_error, mean_bias_error)]
        return [*errors, self.loss(torch.zeros_like(true), true), self.loss(before, true)]

    def deviation(self) -> Tensor:
        """Standard deviation of what the prediction leaves, per genre and place in the block: [G, block], full scale 1."""
        rests = [torch.cat([true - predicted for _, predicted, true in rows]) for rows in self.judge()]
        return torch.stack([rest.square().mean(0).sqrt() for rest in rests]).cpu() * self.predictor.scale.cpu()


def _judged(prepared: Prepared, training: list[Piece]) -> list[list[Piece]]:
    """Per genre the pieces to validate on: held-out ones, or training ones where it has none."""
    pieces = []
    for genre in range(len(prepared.genres)):
        held_out = [piece for piece in prepared.of("validation") if piece.genre == genre]
        own = [piece for piece in training if piece.genre == genre]
        pieces.append((held_out or own)[:JUDGED_PIECES])
    return pieces
