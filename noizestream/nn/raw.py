"""The seed paper's own design, kept as the baseline: an LSTM reads the last block of raw samples and writes the next one.

    block[t-1] / scale, genre -> LSTM x layers -> Linear -> block[t] / scale

Trained on the squared or absolute error it predicts a mean; what it cannot foresee it leaves out. The deviation of that rest is
measured after training, and the temperature scales Gaussian noise of that deviation.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from noizestream.nn.recurrent import CellState, Recurrent, at_rest, flat, paired

CONTROLS: tuple[dict[str, Any], ...] = ({"name": "temperature", "min": 0.0, "max": 2.0, "default": 1.0, "unit": ""},)


class RawState(NamedTuple):
    """What a `RawPlayer` keeps between blocks: the `cells` of its LSTM, each [1, hidden], and the last `block` [block]."""

    cells: list[CellState]
    block: Tensor


def pack(state: RawState) -> list[Tensor]:
    """Return the state as a list of tensors."""
    return flat(state.cells) + [state.block]  # noqa: RUF005 (TorchScript knows no unpacking)


def unpack(state: list[Tensor]) -> RawState:
    """Return the state that `pack` returned as a list of tensors."""
    return RawState(paired(state[:-1]), state[-1])


class RawPredictor(nn.Module):
    """The next block from the last one, both in units of `scale` (the training music's RMS).

    `sequence` for training, `frame` for one step: the same weights, the same numbers.
    """

    scale: Tensor

    def __init__(self, block: int, genres: int, hidden: int, layers: int = 2, dropout: float = 0.0):
        super().__init__()
        self.block, self.genres, self.hidden = block, genres, hidden
        self.recurrent = Recurrent(block + genres, hidden, layers, dropout)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, block)
        self.register_buffer("scale", torch.ones([]))

    def sequence(self, x: Tensor, genre: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Predict whole sequences, by teacher forcing: x [B, T, block] of blocks t-1, genre [B, T, G] -> blocks t [B, T, block].

        state is [h, c], each [layers, B, hidden].
        """
        h, state = self.recurrent.sequence(torch.cat([x, genre], dim=-1), state)
        return self.head(self.dropout(h)), state

    def frame(self, x: Tensor, genre: Tensor, state: list[CellState]) -> tuple[Tensor, list[CellState]]:
        """Predict one block: x [block], genre [G] and the state of every layer of the LSTM -> [block], state."""
        h, state = self.recurrent.frame(torch.cat([x, genre]).unsqueeze(0), state)
        return self.head(h)[0], state


class RawPlayer(nn.Module):
    """The baseline as one pure step, see docs/model-format.md. The only control is temperature (0-2); further ones are not read.

    Its state is a `RawState`, packed.
    """

    deviation: Tensor
    controls = CONTROLS

    def __init__(self, predictor: RawPredictor, sample_rate: int, deviation: Tensor):
        super().__init__()
        self.predictor = predictor
        self.register_buffer("deviation", deviation)  # [G, block] of what the prediction leaves, in samples of full scale 1
        self.genres: int = predictor.genres
        self.layers_of_lstm: int = predictor.recurrent.layers
        self.hidden: int = predictor.hidden
        self.block: int = predictor.block
        self.sample_rate: int = sample_rate
        self.channels: int = 1
        self.noise_size: int = predictor.block
        self.latency_frames: int = 0

    def initial_state(self) -> list[Tensor]:
        """Return the state of a player that has heard silence."""
        return pack(RawState(at_rest(self.layers_of_lstm, self.hidden), torch.zeros(self.block)))

    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Make one block: genre [G], controls [1 or more], noise [block], state -> block [1, block], state."""
        was, scale = unpack(state), self.predictor.scale
        predicted, cells = self.predictor.frame(was.block / scale, genre, was.cells)
        gauss = math.sqrt(2.0) * torch.erfinv(2 * noise - 1)
        block = (predicted * scale + controls[0] * (genre @ self.deviation) * gauss).clamp(-1.0, 1.0)
        return block.unsqueeze(0), pack(RawState(cells, block))

    def prime(self, audio: Tensor, genre: Tensor) -> list[Tensor]:
        """Return the state after prime audio [channels, n], mixed to mono; of its start, what does not fill a block is left out."""
        state = unpack(self.initial_state())
        blocks = audio.mean(0)[audio.shape[1] % self.block :].reshape(-1, self.block)
        for t in range(blocks.shape[0]):
            _, cells = self.predictor.frame(state.block / self.predictor.scale, genre, state.cells)
            state = RawState(cells, blocks[t])
        return pack(state)
