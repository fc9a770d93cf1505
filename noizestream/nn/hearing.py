"""What a unit player makes of audio that it did not play: latents, codes, nats, and a state to go on from."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from noizestream.nn.codec import Codec
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import AGO, WRAP, Navigator
from noizestream.nn.spectral import SpectralFront

COMPARED = 24
"""Slots that are compared to find where the memory is like what was heard: a single frame says little."""


class Slotted(NamedTuple):
    """Slots of heard music: `first` [S + 1] frames where they begin, `codes` [S, V] global, `number` [S]."""

    first: Tensor
    codes: Tensor
    number: Tensor


class Heard(NamedTuple):
    """A state after hearing: of the LSTM, of the codes, the slots to go on from [V], the position in beats, and the
    overlap of the codec."""

    cells: list[Tensor]
    h: Tensor
    codes: Tensor
    places: Tensor
    beat: float
    overlap: Tensor


class Hearing(nn.Module):
    """Shares the networks and tables of the player."""

    ago: Tensor

    def __init__(self, front: SpectralFront, codec: Codec, layers: LayerFront, memory: Memory, navigator: Navigator):
        super().__init__()
        self.front, self.codec, self.layers, self.memory, self.navigator = front, codec, layers, memory, navigator
        self.register_buffer("ago", torch.tensor([64 - lag for lag in AGO]))
        self.block: int = front.block
        self.count: int = layers.count
        self.cells: int = 2 * navigator.recurrent.layers
        self.wrap: int = WRAP
        self.compared: int = COMPARED

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """audio [channels, n] -> latents [T, latents], log band magnitudes [T, tones]."""
        bands = self.front.analyse(audio)
        return self.layers.encode(self.layers.split(bands)), bands[:, : self.layers.tones]

    def middles(self, beat: Tensor) -> Tensor:
        """Positions in beats at the beginnings of blocks -> those at the middles of frames, two blocks later."""
        if beat.shape[0] < 2:
            return beat
        return torch.cat([beat[2:], beat[-1] + (beat[-1] - beat[-2]) * torch.arange(1, 3, dtype=beat.dtype)])

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Through the codec and back: audio [channels, n] -> the same shape."""
        channels, length = audio.shape[0], audio.shape[1]
        padded = torch.nn.functional.pad(audio, (self.block, 2 * self.block))
        rows = self.codec.encode(padded, torch.zeros(padded.shape[1] // self.block - 1, self.codec.bands))
        made = self.codec.stream(rows)[:, self.block : self.block + length]
        return made.expand(channels, -1) if made.shape[0] == 1 else made.mean(0, keepdim=True) if channels == 1 else made

    def slotted(self, z: Tensor, beat: Tensor, genre: int) -> Slotted:
        """Slots and the codes, of `genre`, nearest to latents z [T, latents] at positions `beat` [T]."""
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
        """The LSTM in a slot before which `codes` [64, V] were heard."""
        heard = self.navigator.heard(codes.index_select(0, self.ago).unsqueeze(0))
        clock = self.navigator.clock(torch.full([1], float(number % self.wrap)), torch.full([1], beaten))
        x = torch.cat([heard, genre.unsqueeze(0), clock, self.navigator.piece(torch.full([1], piece))], 1)
        return self.navigator.recurrent.frame(torch.nn.functional.gelu(self.navigator.enter(x)), cells)

    def score(self, audio: Tensor, genre: Tensor, beat: Tensor, beaten: float) -> tuple[Tensor, Tensor]:
        """Nats per block [T], those of a slot spread over its blocks, and the mean prediction [T, tones] of every block.

        That is the last frame moved as the codes' means move, each code weighted by its chance.
        """
        z, bands = self.encode(audio)
        strongest = int(genre.argmax())
        nats, means = torch.zeros(z.shape[0]), torch.cat([torch.zeros_like(bands[:1]), bands[:-1]])
        if z.shape[0] == 0:
            return nats, means
        slots = self.slotted(z, beat, strongest)
        at, last = self.memory.code_first[strongest], self.memory.code_first[strongest + 1]
        book = self.memory.book[at:last].float()
        codes = torch.full([64, self.count], self.memory.codes)
        cells = [torch.zeros(1, self.navigator.hidden) for _ in range(self.cells)]
        for s in range(slots.codes.shape[0]):
            h, cells = self.listen(codes, genre, int(slots.number[s]), beaten, self.navigator.pieces, cells)
            begin, end = int(slots.first[s]), int(slots.first[s + 1])
            expected = torch.zeros(3, self.layers.size)
            here = 0.0
            for v in range(self.count):
                log_p = self.log_p(h, v, at, last)
                here -= float(log_p[int(slots.codes[s, v]) - at])
                start, size = self.layers.first_latent[v], self.layers.latents[v]
                patch = torch.mv(book.t(), log_p.exp()).view(3, -1)
                expected[:, start : start + size] = patch[:, start : start + size]
                if v + 1 < self.count:
                    h = self.navigator.up(h, v, slots.codes[s, v : v + 1])
            nats[begin:end] = here / float(end - begin)
            frames: list[Tensor] = []
            for third in range(3):
                frames.append(self.layers.mix(self.layers.decode(expected[third]))[: self.layers.tones])
            for t in range(begin + 1, end):
                third = (t - begin) * 3 // (end - begin)
                if third > 0 and (t - 1 - begin) * 3 // (end - begin) < third:
                    means[t] += frames[third] - frames[third - 1]
            codes = torch.cat([codes[1:], slots.codes[s : s + 1]])
        return nats, means

    def log_p(self, h: Tensor, layer: int, first: int, last: int) -> Tensor:
        """Log probabilities of the codes from `first` to `last` (excluded)."""
        return torch.log_softmax(self.navigator.logits(h, layer, first, last)[0], 0)

    def heard(self, audio: Tensor, genre: Tensor, passed: float, beaten: float) -> Heard:
        """The state after audio [channels, n] that begins on a beat, `passed` beats a block."""
        whole = self.front.analyse(audio)
        z = self.layers.encode(self.layers.split(whole))
        count, strongest = z.shape[0], int(genre.argmax())
        codes = torch.full([64, self.count], self.memory.codes)
        cells = [torch.zeros(1, self.navigator.hidden) for _ in range(self.cells)]
        h = torch.zeros(1, self.navigator.hidden)
        beat = (torch.arange(max(count, 1), dtype=torch.float64) + 2.0) * passed
        if count > 0:
            slots = self.slotted(z, beat, strongest)
            for s in range(slots.codes.shape[0]):
                h, cells = self.listen(codes, genre, int(slots.number[s]), beaten, self.navigator.pieces, cells)
                codes = torch.cat([codes[1:], slots.codes[s : s + 1]])
        else:
            z = torch.zeros(1, self.layers.size)
        places = self.nearest(z, strongest)
        return Heard(cells, h, codes, places, float(audio.shape[1]) / self.block * passed, self.tail(int(places[0])))

    def tail(self, place: int) -> Tensor:
        """What of slot `place` sounds on when it is over: the overlap [channels, block], of middle and side."""
        last = int(self.memory.first[place] + self.memory.length[place]) - 1
        coefficients, _ = self.codec.decode(self.memory.frames.narrow(0, last, 1))
        return self.codec.inverse(coefficients[0]).narrow(1, self.block, self.block)

    def nearest(self, z: Tensor, genre: int) -> Tensor:
        """The slots [V] of `genre` whose last frames are most like the end of z [T, latents]: there each layer goes on.

        All layers at one place, that of the least distance in all.
        """
        first, last = self.memory.piece_from[genre], self.memory.piece_from[genre + 1] - 1
        begin = int(self.memory.piece_first[first])
        end = int(self.memory.piece_first[last] + self.memory.piece_slots[last])
        cost = torch.zeros(end - begin)
        # The last frames of its slot and of those before, as far as they were heard.
        length = max(1.0, float(self.memory.length[begin:end].float().mean()))
        slots = torch.arange(begin, end)
        for back in range(min(self.compared, int(float(z.shape[0] - 1) / length) + 1)):
            rows = self.memory.ends.index_select(0, (slots - back).clamp(min=begin)).float() * self.layers.step
            cost += (rows - z[z.shape[0] - 1 - int(float(back) * length)]).abs().mean(1)
        best = begin + int(cost.argmin())
        return torch.full([self.count], best)
