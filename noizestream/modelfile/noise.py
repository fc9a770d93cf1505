"""The noise a model is given: counter-based, so that (seed, block) alone decides it and nothing has to be remembered."""

import numpy as np

_MASK = 2**64 - 1
_COUNTERS = 2**256
"""Philox counts its outputs, four numbers each, in 256 bits; the block's number stands in the second word of four."""
AHEAD = 8
"""Blocks made together: a step of a model drives this code out of the caches, and one block alone takes five times as long."""


class Noise:
    """The noise of one seed, any block in any order, made a few blocks ahead."""

    def __init__(self, seed: int, ahead: int = AHEAD):
        """`seed` is taken modulo 2**64; `ahead` blocks are made together."""
        self._philox = np.random.Philox(key=np.array([seed & _MASK, 0], np.uint64))
        self._at = 0
        self._ahead = ahead
        self._first, self._made = 0, np.zeros((0, 0), np.float32)

    def block(self, block: int, size: int) -> np.ndarray:
        """`noise(seed, block, size)`; not to be written to."""
        row = (block & _MASK) - self._first
        if not 0 <= row < len(self._made) or self._made.shape[1] != size:
            self._first, row = block & _MASK, 0
            self._make(size)
        made: np.ndarray = self._made[row]
        return made

    def _make(self, size: int) -> None:
        raw = np.empty((self._ahead, size), np.uint64)
        for row in range(self._ahead):
            begins = (self._first + row & _MASK) << 64
            self._philox.advance((begins - self._at) % _COUNTERS)
            self._at = begins + (size + 3) // 4
            raw[row] = self._philox.random_raw(size)
        raw >>= _SHIFT
        # A new array: a model may keep the old one in its state.
        self._made = raw.astype(np.float32)
        self._made += _HALF
        self._made *= _STEP


def noise(seed: int, block: int, size: int) -> np.ndarray:
    """Return the noise of block number `block`: `[size]` float32 in the open interval (0, 1).

    Philox4x64 with key `seed` and counter `[0, block, 0, 0]`; the upper 23 bits k of each 64-bit output become (k + 0.5) / 2**23,
    which float32 holds exactly. It is never 0 and never 1: float32 `random()` returns an exact 0 every few minutes, and erfinv
    makes that -inf.

    `seed` and `block` are taken modulo 2**64.
    """
    return Noise(seed, ahead=1).block(block, size)


_SHIFT = np.uint64(41)
_HALF, _STEP = np.float32(0.5), np.float32(2.0**-23)
