"""The codec of the memory: real sound in 174 bytes a stereo block of 512, decoded by looking up.

    audio -> MDCT (Princen and Bradley 1986) -> bands: a level, and shapes as bytes of a codebook -> a row of bytes a frame
    row -> one lookup -> coefficients of middle and side, and which share of each is percussive
    coefficients of all that sounds, added -> inverse MDCT -> overlap -> a block

What is kept is the recording's own spectrum with its phases: so an attack stays an attack, and a partial a partial. The error is 24
dB below the sound up to 1.1 kHz, 21 to 3, 10 to 8 and 5 to 16; of the side, above 3 kHz only how it lies to the middle is kept.
Shapes are vectors of 2, 4 or 8 coefficients in units of their band's level (gain-shape quantisation: Sabin and Gray 1984). Their
books are the same for all music; benchmarks/codebooks.py makes them.
"""

import math
from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn


class Region(NamedTuple):
    """Up to `to_hz` a band is `width` coefficients, and a byte is a shape of `shape` of them, from the book of that name.

    With a `shape` of 0 only levels are kept: the shapes are those of the coefficients before (band replication: Dietz et al. 2002).
    """

    to_hz: float
    width: int
    shape: int
    book: str


REGIONS = (
    Region(1125.0, 4, 2, "low"),
    Region(3000.0, 8, 2, "middle"),
    Region(8250.0, 16, 4, "high"),
    Region(15750.0, 32, 8, "top"),
    Region(24000.0, 22, 0, "top"),
)
SIDE = Region(3000.0, 0, 4, "side")
"""Up to there the side has shapes of its own, in the bands of the middle."""
LOUDEST_DB, STEP_DB = 40.0, 0.5
"""Level of a band's coefficients that 255 stands for, and of one step; 0 stands for silence."""
SHARES = 15.0
PANS, WIDEST = 7.0, 1.5
"""A pan is kept in so many steps to either side, a width in `SHARES` steps up to `WIDEST` of the middle."""
BOOK = 256


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
    sign: Tensor

    def __init__(self, sample_rate: int = 48000, block: int = 512, channels: int = 2):
        super().__init__()
        self.sample_rate, self.block, self.channels = sample_rate, block, channels
        spacing = sample_rate / 2 / block
        widths: list[int] = []
        shapes: list[int] = []
        names: list[str] = []
        for region in REGIONS:
            room = min(round(region.to_hz / spacing), block) - sum(widths)
            for _ in range(max(0, room // region.width)):
                widths.append(region.width)
                shapes.append(region.shape)
                names.append(region.book)
        self.widths, self.shapes = widths, shapes
        books = {name: torch.from_numpy(book).float() for name, book in _books().items()}
        self.books = [books[name] for name in names]
        self.side_book = books[SIDE.book]
        self.bands: int = len(self.widths)
        self.coefficients: int = sum(self.widths)
        self.first = [sum(self.widths[:b]) for b in range(self.bands)]
        self.sided: int = sum(first * spacing < SIDE.to_hz - spacing for first in self.first)  # bands
        self.loudest: float = LOUDEST_DB
        self.step_db: float = STEP_DB
        self.shares: float = SHARES
        self.pans: float = PANS
        self.widest: float = WIDEST

        window, turn = turns(block)  # complex
        self.register_buffer("window", window)
        self.register_buffer("turn", turn)
        at = torch.arange(self.coefficients)
        self.register_buffer("hz", (at + 0.5) * spacing)
        self.register_buffer("edges_hz", torch.tensor([*self.first, self.coefficients]) * spacing)  # of the bands
        self.register_buffer("sign", 1.0 - 2.0 * (torch.frac(at * 0.618034) < 0.5).float())
        self._lay_out(books, names)

    def _lay_out(self, books: dict[str, Tensor], names: list[str]) -> None:
        """Where in a row each byte is, and what it means: every coefficient looks `planes` numbers up in one table."""
        byte = torch.arange(BOOK, dtype=torch.float32)
        level = torch.pow(10.0, (self.loudest - (255 - byte) * self.step_db) / 20)
        level[0] = 0.0
        high, low = torch.div(byte, 16, rounding_mode="floor"), byte % 16
        pan = (high - self.pans).clamp(max=self.pans) / self.pans
        width = low / self.shares * self.widest
        tables = {"none": torch.zeros(1), "level": level, "even": high / self.shares, "odd": low / self.shares}
        tables |= {"ahead": pan + width, "behind": pan - width} | {f"book {name}": book.flatten() for name, book in books.items()}
        start, total = {}, 0
        for name, table in tables.items():
            start[name] = total
            total += len(table)
        self.register_buffer("values", torch.cat(list(tables.values())))
        # The bytes of a row in order; the middle first, so that a row of one channel is the beginning of one of two.
        bytes_of = [w // s if s else 0 for w, s in zip(self.widths, self.shapes, strict=True)]
        self.at_shapes = [sum(bytes_of[:b]) for b in range(self.bands)]
        self.at_levels: int = sum(bytes_of)
        self.at_shares: int = self.at_levels + self.bands
        self.mono: int = self.at_shares + (self.bands + 1) // 2
        self.at_side: int = self.mono
        own = self.first[self.sided] if self.sided < self.bands else self.coefficients
        self.at_side_levels: int = self.at_side + own // SIDE.shape
        self.at_images: int = self.at_side_levels + self.sided
        stereo = self.channels == 2
        self.size: int = self.at_images + self.bands - self.sided if stereo else self.mono
        self.planes: int = 6 if stereo else 3
        rows: list[list[tuple[int, int, int]]] = [[] for _ in range(self.planes)]
        copied = self.copied = sum(w for w, s in zip(self.widths, self.shapes, strict=True) if not s)
        for b in range(self.bands):
            size, shape = self.widths[b], self.shapes[b]
            for c in range(size):
                k = self.first[b] + c
                if shape:
                    rows[0].append((self.at_shapes[b] + c // shape, shape, start[f"book {names[b]}"] + c % shape))
                else:
                    rows[0].append(rows[0][k - copied])
                rows[1].append((self.at_levels + b, 1, start["level"]))
                rows[2].append((self.at_shares + b // 2, 1, start["even" if b % 2 == 0 else "odd"]))
                if not stereo:
                    continue
                nothing = (0, 0, start["none"])
                if b < self.sided:
                    rows[3].append((self.at_side + k // SIDE.shape, SIDE.shape, start["book side"] + k % SIDE.shape))
                    rows[4].append((self.at_side_levels + b, 1, start["level"]))
                    rows[5].append(nothing)
                else:
                    rows[3].append(nothing)
                    rows[4].append(nothing)
                    image = start["ahead" if self.sign[k] > 0 else "behind"]
                    rows[5].append((self.at_images + b - self.sided, 1, image))
        table = torch.tensor(rows)  # [planes, coefficients, 3]
        for number, name in enumerate(("byte", "stride", "offset")):
            self.register_buffer(name, table[..., number].flatten().contiguous())

    def transform(self, audio: Tensor) -> Tensor:
        """audio [..., n] -> coefficients [..., T, block] of every whole frame, T = n // block - 1."""
        return transform(audio, self.window, self.turn)

    def inverse(self, spectra: Tensor) -> Tensor:
        """Coefficients [..., coefficients] -> windowed frames [..., 2 * block], to be overlapped and added."""
        size = 2 * self.block
        turned = torch.fft.ifft(spectra * self.turn[: self.coefficients], n=size) * self.window
        return turned.real * float(size)

    def encode(self, audio: Tensor, share: Tensor) -> Tensor:
        """audio [1 or 2, n] -> rows uint8 [T, size], with the percussive share [T, bands], 0..1, of each band."""
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
        """The byte [T] of the level at which shapes [T, width] are as loud as coefficients [T, width]."""
        power = band.square().mean(1) / shape.square().mean(1).clamp(min=0.05)
        return torch.round(255 + (10 * torch.log10(power.clamp(min=1e-30)) - self.loudest) / self.step_db).clamp(0, 255).long()

    def nearest(self, band: Tensor, book: Tensor) -> Tensor:
        """The bytes [T, shapes] of the shapes nearest to coefficients [T, width] in units of their level."""
        scale = band.square().mean(1, keepdim=True).sqrt().clamp(min=1e-9)
        vectors = (band / scale).reshape(-1, book.shape[1])
        return torch.cdist(vectors, book).argmin(1).view(band.shape[0], -1)

    def decode(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Rows uint8 [n, size] -> coefficients [n, channels, coefficients] of middle and side, and their percussive share [n,
        coefficients]."""
        index = torch.addcmul(self.offset, rows.long().index_select(1, self.byte), self.stride)
        planes = self.values.take(index).view(-1, self.planes, self.coefficients)
        middle = planes.select(1, 0) * planes.select(1, 1)
        if self.channels == 1:
            return middle.unsqueeze(1), planes.select(1, 2)
        side = torch.addcmul(planes.select(1, 3) * planes.select(1, 4), middle, planes.select(1, 5))
        return torch.stack([middle, side], 1), planes.select(1, 2)

    def sides(self, sound: Tensor) -> Tensor:
        """Middle and side [..., channels, n] -> left and right; of one channel, itself."""
        if self.channels == 1:
            return sound
        middle, side = sound.select(-2, 0), sound.select(-2, 1)
        return torch.stack([middle + side, middle - side], -2)

    def stream(self, rows: Tensor) -> Tensor:
        """Rows uint8 [T, size] -> audio [channels, (T + 1) * block]: all of them, one after the other."""
        frames = self.inverse(self.decode(rows)[0]).transpose(0, 1)  # [channels, T, 2 * block]
        sound = torch.nn.functional.pad(frames[..., : self.block], (0, 0, 0, 1))
        sound = sound + torch.nn.functional.pad(frames[..., self.block :], (0, 0, 1, 0))
        return self.sides(sound.flatten(1))


def turns(block: int) -> tuple[Tensor, Tensor]:
    """Window [2 * block] and turn [block], complex: with them a Fourier transform of two blocks is the modified cosine one.

    Its kernel is cos(pi / block (n + start)(k + 1/2)), start = 1/2 + block / 2; windowed twice, by a sine, frames add up to 1.
    """
    n, k = torch.arange(2 * block, dtype=torch.float64), torch.arange(block, dtype=torch.float64)
    start = 0.5 + block / 2
    window = torch.sin(math.pi * (n + 0.5) / (2 * block)) * math.sqrt(2 / block)
    turn = torch.polar(torch.ones_like(k), math.pi * start * k / block)
    return torch.polar(window, math.pi * (n + start) / (2 * block)).to(torch.complex64), turn.to(torch.complex64)


def transform(audio: Tensor, window: Tensor, turn: Tensor) -> Tensor:
    """audio [..., n] -> coefficients [..., T, block] of every whole frame, T = n // block - 1; the tables are those of `turns`."""
    block = turn.shape[0]
    frames = audio.unfold(-1, 2 * block, block)
    return (torch.fft.fft(frames * window.conj())[..., :block] * turn.conj()).real


def _books() -> dict[str, np.ndarray]:
    with resources.files("noizestream.nn").joinpath("codebooks.npz").open("rb") as file, np.load(file) as books:
        return {name: books[name] for name in books.files}
