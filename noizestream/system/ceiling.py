"""The ceiling: no sample that leaves by a device or in a file is larger. It needs no torch, so that the callback has it too."""

import math

CEILING = math.floor(10 ** (-0.3 / 20) * 2**23) / 2**23
"""-0.3 dBFS rounded down to what 24-bit audio and float32 both hold exactly, so that writing a file cannot round above it."""
