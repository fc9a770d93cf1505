"""How much of the music a memory keeps, where not all of it has room: shares of genres, slots of pieces."""

from collections.abc import Sequence

import numpy as np

from noizestream.training.data.slots import BAR

SECTION = 16 * BAR
"""Slots of a section of a piece, about."""
FEWEST_KEPT = 4 * BAR
"""Slots: less of a piece is no music to go on in, and then none of it is kept."""


def shares_of(frames: Sequence[int], most: float) -> list[float]:
    """Which share each genre may keep of its `frames`, `most` in all: what one genre does not need is the others'."""
    wanted = np.array(frames, np.float64)
    allowed, left = np.zeros(len(wanted)), most
    for done, genre in enumerate(np.argsort(wanted)):
        allowed[genre] = min(wanted[genre], left / (len(wanted) - done))
        left -= allowed[genre]
    return (allowed / wanted).tolist()


def counts(pieces: Sequence[tuple[int, int]], shares: Sequence[float]) -> list[int]:
    """How many slots are kept of each of `pieces` (genre, slots), so that every genre keeps its share.

    They are whole bars, at least `FEWEST_KEPT` or none: where little may be kept, some pieces are left out; of a genre one stays.
    """
    kept, owed = [], [0.0] * len(shares)
    for genre, length in pieces:
        owed[genre] += length * shares[genre]
        count = length if shares[genre] >= 1 else min(length, round(owed[genre] / BAR) * BAR)
        kept.append(count if count >= min(FEWEST_KEPT, length) else 0)
        owed[genre] -= kept[-1]
    for genre in range(len(shares)):
        own = [i for i, (g, _) in enumerate(pieces) if g == genre]
        if not any(kept[i] for i in own):
            longest = max(own, key=lambda i: pieces[i][1])
            kept[longest] = min(pieces[longest][1], FEWEST_KEPT)
    return kept


def sections(total: int, count: int, upbeat: int = 0) -> list[tuple[int, int]]:
    """Where `count` of the `total` slots of a piece are kept: (first, how many), about `SECTION` each, as far apart as they can be.

    They are whole bars and begin on bar lines, the first of which lies after `upbeat` slots; a piece of which all is kept is one.
    """
    if count >= total:
        return [(0, total)] if total else []
    room = (total - upbeat) // BAR
    kept, number = min(count // BAR, room), max(1, round(count / SECTION))
    bars = [kept // number + (i < kept % number) for i in range(number)]
    gap = (room - kept) / (number + 1)
    found, before = [], 0
    for i, length in enumerate(bars):
        found.append((upbeat + round((i + 1) * gap + before) * BAR, length * BAR))
        before += length
    return [(first, length) for first, length in found if length]
