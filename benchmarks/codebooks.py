"""The codec's books of shapes (noizestream/nn/codebooks.npz), clustered from any music; prints the error that they leave.

    python benchmarks/codebooks.py DIR ...        # of tracks; every ninth is read, 20 s of it

They are of normalised coefficients, and those of all music are much alike: books of Laplace noise are .2 to .5 dB worse above 1.1
kHz. So they are made once for all models; a file of features made with other books would be noise.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from noizestream.errors import NoizestreamError  # noqa: E402
from noizestream.music.decode import RATE, decode  # noqa: E402
from noizestream.music.library import read_library  # noqa: E402
from noizestream.nn.codec import transform, turns  # noqa: E402
from noizestream.nn.rows import BOOK, REGIONS, SIDE, Region  # noqa: E402

EVERY, SECONDS, BLOCK = 9, 20.0, 512
FITTED, ROUNDS = 60_000, 30
SIDE_WIDTH = 8
QUIET = 1e-4
"""Bands below this share of the music's amplitude are not counted: they are rounding."""


def spectra(folders: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Coefficients [T, BLOCK] of middle and side."""
    middle, side = [], []
    tables = turns(BLOCK)
    for folder in folders:
        for track in read_library(folder).tracks[::EVERY]:
            try:
                audio = torch.from_numpy(decode(track.path, start_s=20.0, seconds=SECONDS)).float()
            except NoizestreamError:
                continue
            if audio.shape[1] < 4 * BLOCK:
                continue
            for rows, sound in ((middle, audio.mean(0)), (side, 0.5 * (audio[0] - audio[-1]))):
                rows.append(transform(sound, *tables))
    return torch.cat(middle), torch.cat(side)


def vectors(rows: torch.Tensor, first: int, last: int, width: int, shape: int) -> torch.Tensor:
    """Shapes [n, `shape`] of the coefficients `first` to `last` of `rows`, in units of their bands' levels."""
    bands = rows[:, first:last].reshape(len(rows), -1, width)
    level = bands.square().mean(-1, keepdim=True).sqrt()
    loud = level[..., 0] > QUIET * rows.square().mean().sqrt()
    return (bands / level.clamp(min=1e-12))[loud].reshape(-1, shape)


def book(found: torch.Tensor) -> tuple[np.ndarray, float]:
    """The book [BOOK, shape] of vectors, and how far its error lies below them, in dB, for others of them."""
    from sklearn.cluster import KMeans

    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(0))
    fitted, others = found[order[:FITTED]], found[order[-FITTED:]]
    centres = KMeans(BOOK, n_init=1, max_iter=ROUNDS, init="random", random_state=0).fit(fitted.numpy()).cluster_centers_
    rounded = torch.from_numpy(centres)[torch.cdist(others, torch.from_numpy(centres)).argmin(1)]
    # Means of what they stand for are quieter than it: as loud is worth more than as near.
    louder = torch.sqrt(others.square().mean() / rounded.square().mean())
    return (centres * float(louder)).astype(np.float32), float(
        -10 * torch.log10((others - rounded).square().mean() / others.square().mean())
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="DIR", help="of tracks")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "noizestream" / "nn" / "codebooks.npz")
    asked = parser.parse_args()
    middle, side = spectra(asked.folders)
    spacing, first, books = RATE / 2 / BLOCK, 0, {}

    def fit(region: Region, rows: torch.Tensor, first: int, width: int) -> int:
        last = first + (round(region.to_hz / spacing) - first) // width * width
        books[region.book], error = book(vectors(rows, first, last, width, region.shape))
        print(f"{region.book:8s}to {last * spacing:5.0f} Hz  {region.shape} coefficients a byte  error {-error:5.1f} dB")
        return last

    for region in (region for region in REGIONS if region.shape):
        first = fit(region, middle, first, region.width)
    fit(SIDE, side, 0, SIDE_WIDTH)
    np.savez(asked.output, **books)


if __name__ == "__main__":
    main()
