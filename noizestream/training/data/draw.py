"""Which piece comes next in a batch: genres are drawn evenly, however uneven the library is."""

from collections.abc import Sequence

import numpy as np


class Draw:
    """Random pieces, of these `genres` and `lengths`: first a genre, evenly, then a piece of it in proportion to its length."""

    def __init__(self, genres: Sequence[int], lengths: Sequence[int], rng: np.random.Generator):
        self.rng, self._genres = rng, sorted(set(genres))
        self._of = {g: [i for i, genre in enumerate(genres) if genre == g] for g in self._genres}
        sizes = {g: np.array([lengths[i] for i in rows], np.float64) for g, rows in self._of.items()}
        self._share = {g: size / size.sum() for g, size in sizes.items()}

    def piece(self) -> int:
        """The number of the next piece."""
        genre = self._genres[self.rng.integers(len(self._genres))]
        return int(self.rng.choice(self._of[genre], p=self._share[genre]))
