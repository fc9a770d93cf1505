"""The layout of a row of the codec: which bands there are, which bytes of a row are theirs, and what a byte means.

    shapes of the middle | levels | shares, two a byte | shapes of the side | its levels | images: pan and width of higher bands

Every coefficient is made of a few numbers (planes), each of which is looked up in one table at `offset + stride * byte`.
"""

from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


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


class Rows:
    """Bands, places and tables for one sample rate, block and number of channels.

    `widths`, `shapes`, `names` and `first` say of each band how many coefficients it has, how many of them a byte is, from which
    book, and which is the first; the last `copied` coefficients have no shapes. Kinds of bytes begin in a row where `at_shapes` (of
    each band), `at_levels` and `at_shares` say, of two channels also `at_side`, `at_side_levels` and `at_images`. A row has `size`
    bytes, of one channel the first `mono` of them.
    """

    def __init__(self, sample_rate: int, block: int, channels: int):
        self.spacing = sample_rate / 2 / block
        self.widths: list[int] = []
        self.shapes: list[int] = []
        self.names: list[str] = []
        for region in REGIONS:
            room = min(round(region.to_hz / self.spacing), block) - sum(self.widths)
            for _ in range(max(0, room // region.width)):
                self.widths.append(region.width)
                self.shapes.append(region.shape)
                self.names.append(region.book)
        self.bands = len(self.widths)
        self.coefficients = sum(self.widths)
        self.first = [sum(self.widths[:b]) for b in range(self.bands)]
        self.sided = sum(first * self.spacing < SIDE.to_hz - self.spacing for first in self.first)  # bands
        self.copied = sum(width for width, shape in zip(self.widths, self.shapes, strict=True) if not shape)
        self.books = books()
        self.stereo = channels == 2
        # The middle first, so that a row of one channel is the beginning of one of two.
        bytes_of = [width // shape if shape else 0 for width, shape in zip(self.widths, self.shapes, strict=True)]
        self.at_shapes = [sum(bytes_of[:b]) for b in range(self.bands)]
        self.at_levels = sum(bytes_of)
        self.at_shares = self.at_levels + self.bands
        self.mono = self.at_side = self.at_shares + (self.bands + 1) // 2
        own = self.first[self.sided] if self.sided < self.bands else self.coefficients
        self.at_side_levels = self.at_side + own // SIDE.shape
        self.at_images = self.at_side_levels + self.sided
        self.size = self.at_images + self.bands - self.sided if self.stereo else self.mono
        self.planes = 6 if self.stereo else 3

    def sign(self) -> Tensor:
        """Return 1 or -1 for every coefficient [coefficients], as if by chance: so what is wide is unlike the middle."""
        return 1.0 - 2.0 * (torch.frac(torch.arange(self.coefficients) * 0.618034) < 0.5).float()

    def values(self) -> tuple[Tensor, dict[str, int]]:
        """Return everything that a byte may mean as one table [values], and where in it each kind of meaning begins."""
        byte = torch.arange(BOOK, dtype=torch.float32)
        level = torch.pow(10.0, (LOUDEST_DB - (255 - byte) * STEP_DB) / 20)
        level[0] = 0.0
        high, low = torch.div(byte, 16, rounding_mode="floor"), byte % 16
        pan = (high - PANS).clamp(max=PANS) / PANS
        width = low / SHARES * WIDEST
        tables = {"none": torch.zeros(1), "level": level, "even": high / SHARES, "odd": low / SHARES}
        tables |= {"ahead": pan + width, "behind": pan - width}
        tables |= {f"book {name}": book.flatten() for name, book in self.books.items()}
        start, total = {}, 0
        for name, table in tables.items():
            start[name] = total
            total += len(table)
        return torch.cat(list(tables.values())), start

    def places(self, start: dict[str, int]) -> Tensor:
        """Return byte, stride and offset of every number that is looked up: int64 [planes, coefficients, 3].

        Planes are shape, level and share of the middle; shape and level of the side, and its image: a factor of the middle.
        """
        nothing, sign = (0, 0, start["none"]), self.sign()
        planes: list[list[tuple[int, int, int]]] = [[] for _ in range(self.planes)]
        for b in range(self.bands):
            shape = self.shapes[b]
            for c in range(self.widths[b]):
                k = self.first[b] + c
                if shape:
                    own = (self.at_shapes[b] + c // shape, shape, start[f"book {self.names[b]}"] + c % shape)
                else:
                    own = planes[0][k - self.copied]
                share = start["even" if b % 2 == 0 else "odd"]
                found = [own, (self.at_levels + b, 1, start["level"]), (self.at_shares + b // 2, 1, share)]
                if self.stereo and b < self.sided:
                    found.append((self.at_side + k // SIDE.shape, SIDE.shape, start["book side"] + k % SIDE.shape))
                    found += [(self.at_side_levels + b, 1, start["level"]), nothing]
                elif self.stereo:
                    image = start["ahead" if sign[k] > 0 else "behind"]
                    found += [nothing, nothing, (self.at_images + b - self.sided, 1, image)]
                for plane, place in zip(planes, found, strict=True):
                    plane.append(place)
        return torch.tensor(planes)


def books() -> dict[str, Tensor]:
    """Return the books of shapes by name, float32 [BOOK, shape] each."""
    with resources.files("noizestream.nn").joinpath("codebooks.npz").open("rb") as file, np.load(file) as found:
        return {name: torch.from_numpy(found[name]).float() for name in found.files}
