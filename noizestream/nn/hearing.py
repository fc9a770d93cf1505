"""What a unit player hears: audio as latents and codes of its memory, and codes as what the LSTM says of the next slot."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from noizestream.nn.navigator import AGO, WRAP
from noizestream.nn.parts import Parts
from noizestream.nn.recurrent import flat, paired


class Slotted(NamedTuple):
    """Audio cut into S slots: the frames `first` [S + 1] where they begin, global `codes` [S, V], `number` [S] of each slot."""

    first: Tensor
    codes: Tensor
    number: Tensor


class Hearing(nn.Module):
    """Shares the networks and tables of the player. It keeps nothing."""

    ago: Tensor

    def __init__(self, parts: Parts):
        super().__init__()
        self.front, self.codec, self.layers = parts.front, parts.codec, parts.layers
        self.memory, self.navigator = parts.memory, parts.navigator
        self.register_buffer("ago", torch.tensor([64 - lag for lag in AGO]))
        self.block: int = parts.front.block
        self.count: int = parts.layers.count
        self.wrap: int = WRAP

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Encode audio [channels, n] -> latents [T, latents], log band magnitudes [T, tones]."""
        bands = self.front.analyse(audio)
        return self.layers.encode(self.layers.split(bands)), bands[:, : self.layers.tones]

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Take audio through the codec and back: audio [channels, n] -> the same shape."""
        channels, length = audio.shape[0], audio.shape[1]
        padded = torch.nn.functional.pad(audio, (self.block, 2 * self.block))
        rows = self.codec.encode(padded, torch.zeros(padded.shape[1] // self.block - 1, self.codec.bands))
        made = self.codec.stream(rows)[:, self.block : self.block + length]
        return made.expand(channels, -1) if made.shape[0] == 1 else made.mean(0, keepdim=True) if channels == 1 else made

    def slotted(self, z: Tensor, beat: Tensor, genre: int) -> Slotted:
        """Cut latents z [T, latents] at positions `beat` [T] into slots, and name each by the nearest codes of `genre`."""
        number = torch.floor(beat[: z.shape[0]] * 4.0).long()
        begins = torch.cat([torch.ones(1, dtype=torch.bool), number[1:] != number[:-1]])
        first = torch.cat([torch.nonzero(begins).flatten(), torch.tensor([z.shape[0]])])
        sums = torch.cat([torch.zeros(1, z.shape[1], dtype=torch.float64), z.double().cumsum(0)])
        length = first[1:] - first[:-1]
        thirds: list[Tensor] = []
        for third in range(3):
            start = torch.minimum(first[:-1] + length * third // 3, first[1:] - 1)
            end = torch.maximum(first[:-1] + length * (third + 1) // 3, start + 1)
            thirds.append((sums[end] - sums[start]) / (end - start).unsqueeze(1))
        features = torch.stack(thirds, 1).float()  # [S, 3, latents]
        at, last = self.memory.code_first[genre], self.memory.code_first[genre + 1]
        book = self.memory.book[at:last].float().view(last - at, 3, -1)
        codes: list[Tensor] = []
        for v in range(self.count):
            own_first, size = self.layers.first_latent[v], self.layers.latents[v]
            own = features.narrow(2, own_first, size).flatten(1)
            codes.append(torch.cdist(own, book.narrow(2, own_first, size).flatten(1)).argmin(1) + at)
        return Slotted(first, torch.stack(codes, 1), number[begins])

    def listen(
        self, codes: Tensor, genre: Tensor, number: int, beaten: float, piece: int, cells: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return what the LSTM says [1, hidden] of slot `number`, before which `codes` [64, V] were heard.

        Takes and returns the state of the LSTM too, as `recurrent.flat` gives it.
        """
        heard = self.navigator.heard(codes.index_select(0, self.ago).unsqueeze(0))
        clock = self.navigator.clock(torch.full([1], float(number % self.wrap)), torch.full([1], beaten))
        x = torch.cat([heard, genre.unsqueeze(0), clock, self.navigator.piece(torch.full([1], piece))], 1)
        h, after = self.navigator.recurrent.frame(torch.nn.functional.gelu(self.navigator.enter(x)), paired(cells))
        return h, flat(after)

    def log_p(self, h: Tensor, layer: int, first: int, last: int) -> Tensor:
        """Return the log probabilities of the codes from `first` to `last` (excluded)."""
        return torch.log_softmax(self.navigator.logits(h, layer, first, last)[0], 0)
