"""The noise a model is given: counter-based, so that (seed, block) alone decides it and nothing has to be remembered."""

import numpy as np

_MASK = 2**64 - 1
_COUNTERS = 2**256
"""Philox counts its outputs, four numbers each, in 256 bits; the block's number stands in the second word of four."""


class Noise:
    """The noise of one seed, any block in any order; the generator is made once, which would take as long as the numbers do."""

    def __init__(self, seed: int):
        """`seed` is taken modulo 2**64."""
        self._philox = np.random.Philox(key=np.array([seed & _MASK, 0], np.uint64))
        self._at = 0

    def block(self, block: int, size: int) -> np.ndarray:
        """`noise(seed, block, size)`."""
        begins = (block & _MASK) << 64
        self._philox.advance((begins - self._at) % _COUNTERS)
        self._at = begins + (size + 3) // 4
        draws = (self._philox.random_raw(size) >> _SHIFT).astype(np.float32)
        draws += _HALF
        draws *= _STEP
        return draws


def noise(seed: int, block: int, size: int) -> np.ndarray:
    """Return the noise of block number `block`: `[size]` float32 in the open interval (0, 1).

    Philox4x64 with key `seed` and counter `[0, block, 0, 0]`; the upper 23 bits k of each 64-bit output become (k + 0.5) / 2**23,
    which float32 holds exactly. It is never 0 and never 1: float32 `random()` returns an exact 0 every few minutes, and erfinv
    makes that -inf.

    `seed` and `block` are taken modulo 2**64.
    """
    return Noise(seed).block(block, size)


_SHIFT = np.uint64(41)
_HALF, _STEP = np.float32(0.5), np.float32(2.0**-23)
