"""Tracks shared by the studio's tests, composed once."""

from functools import lru_cache

import pytest

from noizestream.music.studio import compose


@pytest.fixture(scope="session")
def track():
    """track(genre, seed) -> float32 [2, n], 12 s."""
    return lru_cache(maxsize=None)(lambda genre, seed: compose(genre, seed, 12.0))
