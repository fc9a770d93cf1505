"""What a unit player expected of audio that it did not play: nats per block, and the mean of what it thought would come."""

import torch
from torch import Tensor

from noizestream.nn.recurrent import at_rest, flat
from noizestream.nn.unit_base import UnitBase


class Scoring(UnitBase):
    """A player that scores audio."""

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Encode audio [channels, n] -> latents [T, latents], log band magnitudes [T, tones]; T = n // block - 3."""
        return self.hearing.encode(audio)

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Take audio through the codec and back: audio [channels, n] -> the same shape."""
        return self.hearing.reconstruct(audio)

    def score(self, audio: Tensor, genre: Tensor) -> tuple[Tensor, Tensor]:
        """Return nats per block [T] of audio [channels, n] and the mean prediction [T, tones] in bands, at the genre's tempo."""
        frames = torch.arange(audio.shape[1] // self.block, dtype=torch.float64)
        return self.scored(audio, genre, (frames + 2.0) * self.own_pace(genre), 0.0)

    def score_at(self, audio: Tensor, genre: Tensor, beat: Tensor) -> tuple[Tensor, Tensor]:
        """Score as `score` does, with the position in beats at the beginning of every block, beat [>= T] float64 and rising."""
        return self.scored(audio, genre, self.middles(beat), self.has_beat(genre))

    def middles(self, beat: Tensor) -> Tensor:
        """Turn positions in beats at the beginnings of blocks into those at the middles of frames, two blocks later."""
        if beat.shape[0] < 2:
            return beat
        return torch.cat([beat[2:], beat[-1] + (beat[-1] - beat[-2]) * torch.arange(1, 3, dtype=beat.dtype)])

    def scored(self, audio: Tensor, genre: Tensor, beat: Tensor, beaten: float) -> tuple[Tensor, Tensor]:
        """Return nats per block [T], those of a slot spread over its blocks, and the mean prediction [T, tones] of every block.

        `beat` [T] are positions at the middles of frames. The prediction is the last frame, moved as the codes' means move.
        """
        z, bands = self.hearing.encode(audio)
        strongest = int(genre.argmax())
        nats, means = torch.zeros(z.shape[0]), torch.cat([torch.zeros_like(bands[:1]), bands[:-1]])
        if z.shape[0] == 0:
            return nats, means
        slots = self.hearing.slotted(z, beat, strongest)
        codes, cells = torch.full([64, self.count], self.codes), flat(at_rest(self.layers_of_lstm, self.hidden))
        for s in range(slots.codes.shape[0]):
            number, begin, end = int(slots.number[s]), int(slots.first[s]), int(slots.first[s + 1])
            h, cells = self.hearing.listen(codes, genre, number, beaten, self.navigator.pieces, cells)
            here, expected = self.expected(h, slots.codes[s], strongest)
            nats[begin:end] = here / float(end - begin)
            self.move(means[begin:end], expected)
            codes = torch.cat([codes[1:], slots.codes[s : s + 1]])
        return nats, means

    def expected(self, h: Tensor, codes: Tensor, genre: int) -> tuple[float, Tensor]:
        """Return the nats of a slot in which `codes` [V] came, and the mean latents [3, latents] that were expected of its thirds.

        `h` [1, hidden] is what the LSTM said of it. In the mean each code of `genre` is weighted by its chance.
        """
        first, last = self.memory.code_first[genre], self.memory.code_first[genre + 1]
        book = self.memory.book[first:last].float()
        nats, mean = 0.0, torch.zeros(3, self.layers.size)
        for v in range(self.count):
            log_p = self.hearing.log_p(h, v, first, last)
            nats -= float(log_p[int(codes[v]) - first])
            start, size = self.layers.first_latent[v], self.layers.latents[v]
            patch = torch.mv(book.t(), log_p.exp()).view(3, -1)
            mean[:, start : start + size] = patch[:, start : start + size]
            if v + 1 < self.count:
                h = self.navigator.up(h, v, codes[v : v + 1])
        return nats, mean

    def move(self, means: Tensor, latents: Tensor) -> None:
        """Let the predictions `means` [n, tones] of a slot move where a third of it begins, as `latents` [3, latents] do."""
        frames: list[Tensor] = []
        for third in range(3):
            frames.append(self.layers.mix(self.layers.decode(latents[third]))[: self.layers.tones])
        count = means.shape[0]
        for t in range(1, count):
            third = t * 3 // count
            if third > 0 and (t - 1) * 3 // count < third:
                means[t] += frames[third] - frames[third - 1]
