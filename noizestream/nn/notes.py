"""The notes that sound, as a code for each of four voices per quarter of a beat: what the plan (plan.py) thinks in.

A frame's partials are what stands out of its surroundings, up to the top of the long melodies; levels and timbre drop out. They are
averaged over a slot, a quarter of a beat. Bass, chords, melody and what is above change one without the other, so each has a
codebook of its own, whose nearest entry stands for it (product quantisation, Jegou et al. 2011).
"""

import itertools

import torch
from torch import Tensor, nn

from noizestream.nn.spectral import SpectralFront

SLOTS_PER_BEAT = 4.0
LOWEST_HZ, HIGHEST_HZ = 50.0, 3400.0
"""Up to here every band is one bin of its window, fine enough to tell a partial from its surroundings."""
VOICES_HZ = (200.0, 500.0, 1200.0)
"""What lies between the voices."""
NEIGHBOURS = 6
"""Bands to either side that make a band's surroundings."""
HIGHEST = 3.0
"""Nepers that a partial can stand out by: more is no other note."""
ROUNDS = 25
SAMPLES = 30_000


class Notes(nn.Module):
    """`partials` of frames, and the codebooks of what they are together: `book` [codes, partials], each voice its columns."""

    listen: Tensor
    book: Tensor

    def __init__(self, front: SpectralFront, codes: int):
        super().__init__()
        hz = front.band_hz
        within = torch.nonzero((hz > LOWEST_HZ) & (hz < HIGHEST_HZ)).flatten()
        self.first: int = int(within[0])  # the bands that are listened to follow each other
        self.last: int = int(within[-1]) + 1
        listen = away_from_surroundings(front)[self.first : self.last, : self.last]
        self.register_buffer("listen", listen.clone(), persistent=False)  # a view would take the whole table into the file
        self.register_buffer("book", torch.zeros(codes, self.last - self.first))
        self.codes: int = codes
        self.size: int = self.last - self.first
        between = [int((hz[within] < border).sum()) for border in VOICES_HZ]
        self.edges: list[int] = sorted({0, *between, self.size})  # voice v has the partials edges[v] to edges[v + 1]
        self.voices: int = len(self.edges) - 1
        self.highest: float = HIGHEST
        self.per_beat: float = SLOTS_PER_BEAT

    def slots(self, beat: Tensor) -> Tensor:
        """Slot of every frame, counted from the first: position in beats [T] float64, rising -> [T] int64."""
        slot = torch.floor(beat * self.per_beat).to(torch.int64)
        return slot - slot[0]

    def partials(self, bands: Tensor, slots: Tensor) -> Tensor:
        """Log band magnitudes [T, bands], slots [T] -> [slots, partials]: how far each stands out on average, in nepers."""
        heard = torch.relu(bands[:, : self.listen.shape[1]] @ self.listen.T).clamp(max=self.highest)
        count = int(slots[-1]) + 1
        summed = torch.zeros(count, self.size, device=heard.device).index_add_(0, slots, heard)
        return summed / torch.bincount(slots, minlength=count).clamp(min=1).unsqueeze(1)

    def nearest(self, partials: Tensor) -> Tensor:
        """Codes [n, voices] int64 of partials [n, partials]."""
        found: list[Tensor] = []
        for voice in range(self.voices):
            start, end = self.edges[voice], self.edges[voice + 1]
            found.append(_nearest(partials[:, start:end], self.book[:, start:end]))
        return torch.stack(found, 1)

    def sounding(self, codes: Tensor) -> Tensor:
        """The partials [..., partials] that codes [..., voices] stand for."""
        parts: list[Tensor] = []
        for voice in range(self.voices):
            parts.append(self.book[:, self.edges[voice] : self.edges[voice + 1]][codes[..., voice]])
        return torch.cat(parts, -1)

    def heard(self, bands: Tensor, beat: Tensor) -> tuple[Tensor, Tensor]:
        """Codes of every slot [slots, voices], and slot of every frame [T]: of bands [T, bands] at `beat` [T]."""
        slots = self.slots(beat)
        return self.nearest(self.partials(bands, slots)), slots

    @torch.no_grad()
    def fit(self, partials: Tensor, generator: torch.Generator) -> float:
        """Fill the books from partials [n, partials]; returns the share of variance that they keep."""
        some = partials.to(self.book.device)[torch.randperm(len(partials), generator=generator)[:SAMPLES]]
        for start, end in itertools.pairwise(self.edges):
            self.book[:, start:end] = _lloyd(some[:, start:end], self.codes, generator)
        kept = self.sounding(self.nearest(some))
        return 1 - float((some - kept).square().sum() / (some - some.mean(0)).square().sum().clamp(min=1e-9))


def _nearest(rows: Tensor, book: Tensor) -> Tensor:
    """Entry of book [codes, size] that is nearest to each of rows [n, size] -> [n] int64."""
    size = book.square().sum(1)
    return torch.cat([torch.argmin(size - 2 * part @ book.T, dim=1) for part in rows.split(4096)])


def _lloyd(rows: Tensor, codes: int, generator: torch.Generator) -> Tensor:
    """A book [codes, size] for rows [n, size] (Lloyd 1982)."""
    few = len(rows) < codes
    book = rows[torch.randint(len(rows), (codes,), generator=generator) if few else torch.arange(codes)]
    for _ in range(ROUNDS):
        code = _nearest(rows, book)
        count = torch.bincount(code, minlength=codes).unsqueeze(1)
        mean = torch.zeros_like(book).index_add_(0, code, rows) / count.clamp(min=1)
        # A code that nothing is nearest to starts again somewhere else.
        other = rows[torch.randint(len(rows), (codes,), generator=generator)]
        book = torch.where(count > 0, mean, other)
    return book


def away_from_surroundings(front: SpectralFront) -> Tensor:
    """[bands, bands]: each band less the mean of its neighbourhood, where bands are single bins; nothing where they are wider."""
    hz = front.band_hz
    single = torch.zeros(front.bands, dtype=torch.bool)
    single[: len(hz)] = hz < HIGHEST_HZ
    index = torch.arange(front.bands)
    near = ((index[:, None] - index[None]).abs() <= NEIGHBOURS) & single[:, None] & single[None]
    # The two windows have bins of different widths: neighbours on the other side of the crossover do not count.
    near &= (index[:, None] < front.low_bins) == (index[None] < front.low_bins)
    mean = near.float() / near.sum(1, keepdim=True).clamp(min=1)
    return (torch.eye(front.bands) - mean) * single[:, None]
