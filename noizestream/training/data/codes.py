"""The codes of slots: per genre and layer, clusters of what the thirds of a slot are like, by k-means of the layers' latents."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch

from noizestream.nn.layers import LayerFront
from noizestream.training.config import Config
from noizestream.training.data.slots import Slots

CLUSTERED = 12_000
"""Slots of a genre that the clusters are found with; the others are told which is the nearest."""
ROUNDS = 12
FEWEST_CODES, SLOTS_PER_CODE = 12, 10


def features(layers: LayerFront, latents: np.ndarray, slots: Slots) -> np.ndarray:
    """Means of the thirds of every slot: int8 latents [frames of the slots, latents] -> float32 [S, 3, latents]."""
    z = latents.astype(np.float32) * layers.step.numpy()
    sums = np.concatenate([np.zeros((1, z.shape[1])), np.cumsum(z, axis=0, dtype=np.float64)])
    begin, length = slots.first - slots.first[0], np.diff(slots.edges)
    edges = begin[:, None] + np.floor(np.linspace(0, 1, 4)[None] * length[:, None]).astype(int)
    edges[:, :3] = np.minimum(edges[:, :3], len(z) - 1)
    last = np.maximum(edges[:, 1:], edges[:, :-1] + 1)
    return ((sums[last] - sums[edges[:, :-1]]) / (last - edges[:, :-1])[..., None]).astype(np.float32)


def cluster(
    layers: LayerFront, pieces: Sequence[tuple[int, np.ndarray]], genres: int, config: Config
) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Codes [S, V] of every piece (genre, features), counted from 0 in its genre, and a book [codes, 3, latents of it] per genre
    and layer. Every genre has a piece."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    codes = [np.zeros((len(rows), layers.count), np.int64) for _, rows in pieces]
    books = []
    for genre in range(genres):
        own = [i for i, (g, _) in enumerate(pieces) if g == genre]
        count = sum(len(codes[i]) for i in own)
        k = min(config.codes, max(FEWEST_CODES, count // SLOTS_PER_CODE), count)
        thinned = np.concatenate([pieces[i][1] for i in own])[:: max(1, count // CLUSTERED)]
        book = []
        for v in range(layers.count):
            rows = thinned[..., _own(layers, v)].reshape(len(thinned), -1)
            # Sums in one order: the same seed gives the same file. Music of loops has slots that are the same: fewer codes will do.
            with threadpool_limits(1), warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                found = KMeans(k, n_init=1, max_iter=ROUNDS, init="random", random_state=config.seed).fit(rows)
            book.append(found.cluster_centers_.reshape(k, 3, -1).astype(np.float32))
        books.append(book)
        for i in own:
            codes[i] = assign(layers, book, pieces[i][1])
    return codes, books


def assign(layers: LayerFront, book: list[np.ndarray], features: np.ndarray) -> np.ndarray:
    """The nearest code [S, V] in `book` for `features` [S, 3, latents]."""
    codes = []
    for v, centres in enumerate(book):
        rows = torch.from_numpy(np.ascontiguousarray(features[..., _own(layers, v)]).reshape(len(features), -1))
        codes.append(torch.cdist(rows, torch.from_numpy(centres.reshape(len(centres), -1))).argmin(1).numpy())
    return np.stack(codes, axis=1)


def _own(layers: LayerFront, v: int) -> slice:
    return slice(layers.first_latent[v], layers.first_latent[v] + layers.latents[v])
