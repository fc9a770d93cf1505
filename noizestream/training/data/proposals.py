"""What the memory would propose: for every slot, the code that followed at another place which had run alike until then."""

import numpy as np

from noizestream.training.data.memory import Coded
from noizestream.training.data.slots import BAR

NEAR = 32
"""Slots around a slot that are not another place."""
TRIED = 6
"""Other places that are looked at for every slot; the one that has run alike for longest proposes."""
LONGEST = 64


def propose(
    coded: list[Coded], codes: int, rng: np.random.Generator, known: list[Coded] | None = None
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Per piece the proposed code [S, V] (`codes` where there is none) and for how many slots it has run alike [S, V].

    Another place is of the same genre, at the same sixteenth of the bar, and had the same code in the layer one slot before. It
    lies in `known`, if that is given: what is held out may not foretell itself.
    """
    music = coded if known is None else coded + known
    lengths = [len(one.code) for one in music]
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    count = int(start[len(coded)])
    code = np.concatenate([one.code for one in music])
    place = np.concatenate([one.number % BAR for one in music])
    first = np.repeat(start[:-1], lengths)  # of the piece that a slot is in
    last = np.repeat(start[1:] - 1, lengths)
    proposed = np.full((count, code.shape[1]), codes)
    run = np.zeros((count, code.shape[1]), np.int64)
    here = np.flatnonzero(np.arange(count) > first[:count])  # slots with one before them
    places = np.arange(0 if known is None else count, len(code))
    for v in range(code.shape[1]):
        own = code[:, v]
        key = own * BAR + place
        order = places[np.argsort(key[places], kind="stable")]
        begin, end = (np.searchsorted(key[order], key[here - 1], side) for side in ("left", "right"))
        best = np.zeros(len(here), np.int64)
        for _ in range(TRIED):
            at = begin + np.minimum((rng.random(len(here)) * (end - begin)).astype(int), np.maximum(end - begin - 1, 0))
            other = order[np.minimum(at, len(order) - 1)]
            usable = (end > begin) & (np.abs(other - (here - 1)) > NEAR) & (other < last[other])
            alike = _alike(own, first, here - 1, other) * usable
            better = alike > best
            best[better] = alike[better]
            proposed[here[better], v] = own[np.minimum(other + 1, len(own) - 1)][better]
        run[here, v] = best
    split = start[1 : len(coded)]
    return np.split(proposed, split), np.split(run, split)


def _alike(code: np.ndarray, first: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """For how many slots up to `one` [n] and `other` [n] the codes are the same, at most `LONGEST`."""
    count = np.zeros(len(one), np.int64)
    alive = np.arange(len(one))
    for back in range(LONGEST):
        a, b = one[alive] - back, other[alive] - back
        same = (a >= first[one[alive]]) & (b >= first[other[alive]])
        same &= code[np.maximum(a, 0)] == code[np.maximum(b, 0)]
        alive = alive[same]
        if not len(alive):
            break
        count[alive] += 1
    return count
