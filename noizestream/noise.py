"""The noise a model is given: counter-based, so that (seed, block) alone decides it and nothing has to be remembered."""

import numpy as np


def noise(seed: int, block: int, size: int) -> np.ndarray:
    """Return the noise of block number `block`: `[size]` float32 in the open interval (0, 1).

    Philox4x64 with key `seed` and counter `[0, block, 0, 0]`; the upper 23 bits k of each 64-bit output become (k + 0.5) / 2**23,
    which float32 holds exactly. It is never 0 and never 1: float32 `random()` returns an exact 0 every few minutes, and erfinv
    makes that -inf.

    `seed` and `block` are taken modulo 2**64.
    """
    philox = np.random.Philox(counter=np.array([0, block & _MASK, 0, 0], np.uint64), key=np.array([seed & _MASK, 0], np.uint64))
    draws = (philox.random_raw(size) >> _SHIFT).astype(np.float32)
    draws += np.float32(0.5)
    draws *= np.float32(2.0**-23)
    return draws


_MASK = 2**64 - 1
_SHIFT = np.uint64(41)
