"""Fréchet distance between two sets of sounds, on log-mels and how they change.

It is the distance between two Gaussians (Dowson & Landau 1982, eq. 4; as FID in Heusel et al. 2017 and FAD in Kilgour et al. 2019),
here on plain features instead of a network's: 80 log-mels and their differences over 50 and 500 ms, so that motion counts as well
as timbre. Few frames make it larger, so only equal lengths may be compared, of a minute or more.
"""

from collections.abc import Sequence

import numpy as np

from noizestream.analysis.description import MELS_PER_S

STEPS = (round(0.05 * MELS_PER_S), round(0.5 * MELS_PER_S))
CHUNK = round(10 * MELS_PER_S)
"""Equal lengths are taken as chunks of this many frames, spread evenly over all there is."""


def available_s(mels: Sequence[np.ndarray]) -> float:
    """Seconds of audio in `mels`, log-mels [T, 80] each, that can be used: pieces under a second are not."""
    return sum(map(len, _chunks(mels))) / MELS_PER_S


def motion(mels: Sequence[np.ndarray], seconds: float) -> np.ndarray:
    """Features [n, 240] of `seconds` of audio in chunks of `mels`, half a second less of each; of all if there is less."""
    left, chunks = round(seconds * MELS_PER_S), _chunks(mels)
    count = min(len(chunks), -(-left // CHUNK))
    while count < len(chunks) and sum(map(len, _spread(chunks, count))) < left:
        count += 1  # some chunks are short
    rows = []
    for whole in _spread(chunks, count):
        chunk = whole[: max(0, left)]
        left -= len(chunk)
        if len(chunk) <= STEPS[-1]:
            continue
        now = chunk[STEPS[-1] :].astype(np.float64)
        past = [chunk[STEPS[-1] - step : len(chunk) - step] for step in STEPS]
        rows.append(np.concatenate([now, *(now - before for before in past)], axis=1))
    return np.concatenate(rows) if rows else np.zeros((0, 80 * (1 + len(STEPS))))


def frechet(one: np.ndarray, other: np.ndarray) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of the Gaussians of `one` and `other`, [n, D] each; NaN below two rows."""
    if min(len(one), len(other)) < 2:
        return float("nan")
    apart = one.mean(axis=0) - other.mean(axis=0)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    # C1 C2 and root C2 root have the same eigenvalues; the latter is symmetric, so they are real.
    common = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    return float(max(0.0, apart @ apart + np.trace(first) + np.trace(second) - 2 * common))


def _chunks(mels: Sequence[np.ndarray]) -> list[np.ndarray]:
    found = [piece[start : start + CHUNK] for piece in mels for start in range(0, len(piece), CHUNK)]
    return [chunk for chunk in found if len(chunk) > 2 * STEPS[-1]]


def _spread(chunks: list[np.ndarray], count: int) -> list[np.ndarray]:
    """`count` of them, evenly from the first to the last."""
    return [chunks[index] for index in np.linspace(0, len(chunks) - 1, count).round().astype(int)]
