"""The codec of the memory: real sound in 174 bytes a stereo block of 512, decoded by looking up.

    audio -> MDCT (Princen and Bradley 1986) -> bands: a level, and shapes as bytes of a codebook -> a row of bytes a frame
    row -> one lookup -> coefficients of middle and side, and which share of each is percussive
    coefficients of all that sounds, added -> inverse MDCT -> overlap -> a block

What is kept is the recording's own spectrum with its phases: so an attack stays an attack, and a partial a partial. The error is 24
dB below the sound up to 1.1 kHz, 21 to 3, 10 to 8 and 5 to 16; of the side, above 3 kHz only how it lies to the middle is kept.
Shapes are vectors of 2, 4 or 8 coefficients in units of their band's level (gain-shape quantisation: Sabin and Gray 1984). Their
books are the same for all music; benchmarks/codebooks.py makes them. What each byte of a row is, is in rows.py.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.rows import LOUDEST_DB, PANS, SHARES, SIDE, STEP_DB, WIDEST, Rows


class Codec(nn.Module):
    """A frame is a row of `size` bytes. Frame j covers samples j * block to (j + 2) * block.

    So block j is whole when the first half of frame j is added to the second half of frame j - 1.
    """

    turn: Tensor
    window: Tensor
    values: Tensor
    byte: Tensor
    stride: Tensor
    offset: Tensor
    hz: Tensor
    edges_hz: Tensor

    def __init__(self, sample_rate: int = 48000, block: int = 512, channels: int = 2):
        super().__init__()
        self.sample_rate, self.block, self.channels = sample_rate, block, channels
        rows = Rows(sample_rate, block, channels)
        # Scripted code sees attributes of the module only.
        self.widths, self.shapes, self.first = rows.widths, rows.shapes, rows.first
        self.bands, self.coefficients, self.sided, self.copied = rows.bands, rows.coefficients, rows.sided, rows.copied
        self.at_levels, self.at_side_levels, self.at_images = rows.at_levels, rows.at_side_levels, rows.at_images
        self.mono, self.size, self.planes = rows.mono, rows.size, rows.planes
        self.loudest, self.step_db, self.shares, self.pans, self.widest = LOUDEST_DB, STEP_DB, SHARES, PANS, WIDEST
        self.books = [rows.books[name] for name in rows.names]
        self.side_book = rows.books[SIDE.book]
        window, turn = turns(block)  # complex
        self.register_buffer("window", window)
        self.register_buffer("turn", turn)
        self.register_buffer("hz", (torch.arange(self.coefficients) + 0.5) * rows.spacing)
        self.register_buffer("edges_hz", torch.tensor([*self.first, self.coefficients]) * rows.spacing)  # of the bands
        values, start = rows.values()
        self.register_buffer("values", values)
        places = rows.places(start)
        for number, name in enumerate(("byte", "stride", "offset")):
            self.register_buffer(name, places[..., number].flatten().contiguous())

    def transform(self, audio: Tensor) -> Tensor:
        """Transform audio [..., n] -> coefficients [..., T, block] of every whole frame, T = n // block - 1."""
        return transform(audio, self.window, self.turn)

    def inverse(self, spectra: Tensor) -> Tensor:
        """Transform coefficients [..., coefficients] back -> windowed frames [..., 2 * block], to be overlapped and added."""
        size = 2 * self.block
        turned = torch.fft.ifft(spectra * self.turn[: self.coefficients], n=size) * self.window
        return turned.real * float(size)

    def encode(self, audio: Tensor, share: Tensor) -> Tensor:
        """Encode audio [1 or 2, n] -> rows uint8 [T, size], with the percussive share [T, bands], 0..1, of each band."""
        middle = self.transform(audio.mean(0))
        count = middle.shape[0]
        shapes: list[Tensor] = []
        levels: list[Tensor] = []
        made: list[Tensor] = []
        for b in range(self.bands):
            band = middle.narrow(1, self.first[b], self.widths[b])
            if self.shapes[b] > 0:
                shapes.append(self.nearest(band, self.books[b]))
                made.append(self.books[b][shapes[-1]].flatten(1))
                levels.append(self.level(band, made[-1]))
            else:
                levels.append(self.level(band, torch.cat(made, 1).narrow(1, self.first[b] - self.copied, self.widths[b])))
        fine = torch.round(torch.nn.functional.pad(share, (0, self.bands % 2)).clamp(0.0, 1.0) * self.shares).long()
        parts = torch.cat([torch.cat(shapes, 1), torch.stack(levels, 1), fine[:, ::2] * 16 + fine[:, 1::2]], 1)
        if self.channels == 1:
            return parts.to(torch.uint8)
        side = self.transform(0.5 * (audio[0] - audio[1])) if audio.shape[0] == 2 else torch.zeros_like(middle)
        side_shapes: list[Tensor] = []
        side_levels: list[Tensor] = []
        images: list[Tensor] = [torch.zeros(count, 0, dtype=torch.long)]
        for b in range(self.bands):
            band, other = middle.narrow(1, self.first[b], self.widths[b]), side.narrow(1, self.first[b], self.widths[b])
            if b < self.sided:
                side_shapes.append(self.nearest(other, self.side_book))
                side_levels.append(self.level(other, self.side_book[side_shapes[-1]].flatten(1)))
            else:
                power = band.square().sum(1).clamp(min=1e-12)
                pan = ((band * other).sum(1) / power).clamp(-1.0, 1.0)
                width = (other.square().sum(1) / power - pan.square()).clamp(min=0.0).sqrt().clamp(max=self.widest)
                high = torch.round(pan * self.pans + self.pans)
                images.append((high * 16 + torch.round(width / self.widest * self.shares)).long().unsqueeze(1))
        return torch.cat([parts, torch.cat(side_shapes, 1), torch.stack(side_levels, 1), torch.cat(images, 1)], 1).to(torch.uint8)

    def level(self, band: Tensor, shape: Tensor) -> Tensor:
        """Return the byte [T] of the level at which shapes [T, width] are as loud as coefficients [T, width]."""
        power = band.square().mean(1) / shape.square().mean(1).clamp(min=0.05)
        return torch.round(255 + (10 * torch.log10(power.clamp(min=1e-30)) - self.loudest) / self.step_db).clamp(0, 255).long()

    def nearest(self, band: Tensor, book: Tensor) -> Tensor:
        """Return the bytes [T, shapes] of the shapes nearest to coefficients [T, width] in units of their level."""
        scale = band.square().mean(1, keepdim=True).sqrt().clamp(min=1e-9)
        vectors = (band / scale).reshape(-1, book.shape[1])
        return torch.cdist(vectors, book).argmin(1).view(band.shape[0], -1)

    def decode(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Decode rows uint8 [n, size] -> coefficients [n, channels, coefficients] of middle and side.

        Returns their percussive share [n, coefficients] too.
        """
        index = torch.addcmul(self.offset, rows.long().index_select(1, self.byte), self.stride)
        planes = self.values.take(index).view(-1, self.planes, self.coefficients)
        middle = planes.select(1, 0) * planes.select(1, 1)
        if self.channels == 1:
            return middle.unsqueeze(1), planes.select(1, 2)
        side = torch.addcmul(planes.select(1, 3) * planes.select(1, 4), middle, planes.select(1, 5))
        return torch.stack([middle, side], 1), planes.select(1, 2)

    def sides(self, sound: Tensor) -> Tensor:
        """Turn middle and side [..., channels, n] into left and right; one channel stays as it is."""
        if self.channels == 1:
            return sound
        middle, side = sound.select(-2, 0), sound.select(-2, 1)
        return torch.stack([middle + side, middle - side], -2)

    def stream(self, rows: Tensor) -> Tensor:
        """Decode rows uint8 [T, size] -> audio [channels, (T + 1) * block]: all of them, one after the other."""
        frames = self.inverse(self.decode(rows)[0]).transpose(0, 1)  # [channels, T, 2 * block]
        sound = torch.nn.functional.pad(frames[..., : self.block], (0, 0, 0, 1))
        sound = sound + torch.nn.functional.pad(frames[..., self.block :], (0, 0, 1, 0))
        return self.sides(sound.flatten(1))


def turns(block: int) -> tuple[Tensor, Tensor]:
    """Return window [2 * block] and turn [block], complex: with them a Fourier transform of two blocks is the modified cosine one.

    Its kernel is cos(pi / block (n + start)(k + 1/2)), start = 1/2 + block / 2; windowed twice, by a sine, frames add up to 1.
    """
    n, k = torch.arange(2 * block, dtype=torch.float64), torch.arange(block, dtype=torch.float64)
    start = 0.5 + block / 2
    window = torch.sin(math.pi * (n + 0.5) / (2 * block)) * math.sqrt(2 / block)
    turn = torch.polar(torch.ones_like(k), math.pi * start * k / block)
    return torch.polar(window, math.pi * (n + start) / (2 * block)).to(torch.complex64), turn.to(torch.complex64)


def transform(audio: Tensor, window: Tensor, turn: Tensor) -> Tensor:
    """Transform audio [..., n] -> coefficients [..., T, block] of every whole frame, T = n // block - 1.

    The tables are those of `turns`.
    """
    block = turn.shape[0]
    frames = audio.unfold(-1, 2 * block, block)
    return (torch.fft.fft(frames * window.conj())[..., :block] * turn.conj()).real
