"""In which numbers a model computes: float32, or dynamic int8 where this machine has kernels for it.

A model exported in int8 carries its float32 form too (docs/model-format.md), so that it plays on every machine. torch is imported
inside the functions only.
"""

import os

from noizestream.errors import UsageError, option

FLOAT32, INT8 = "float32", "int8"
PRECISIONS = (FLOAT32, INT8)
AUTO = "auto"
"""As an answer to "which precision?": int8 where there are kernels for it."""

ENVIRONMENT = "NOIZESTREAM_PRECISION"
"""Names the precision that `archive.load` prefers where a file offers a choice."""

NONE = "none"


def int8_kernels() -> str:
    """Return the kernels that int8 models use in this process (x86, fbgemm, onednn, qnnpack), or "none".

    Some builds of torch (macOS on ARM) bring kernels and choose none; then this chooses, for the whole process.
    """
    import torch

    chosen = choose_kernels(torch.backends.quantized.engine, torch.backends.quantized.supported_engines)
    if chosen not in (NONE, torch.backends.quantized.engine):
        torch.backends.quantized.engine = chosen
    return chosen


def choose_kernels(current: str, supported: list[str]) -> str:
    """Return `current`, or where that is "none" the first of `supported` that multiplies."""
    return current if current != NONE else next((name for name in supported if name != NONE), NONE)


def resolve(asked: str) -> str:
    """Return the precision to export in for `asked`: float32, int8 or auto. UsageError for int8 where there are no kernels."""
    if asked == FLOAT32:
        return FLOAT32
    available = int8_kernels() != NONE
    if asked == INT8 and not available:
        raise UsageError(f"{option('precision')} int8: this build of torch has no int8 kernels, give float32")
    return INT8 if available else FLOAT32


def preferred() -> str | None:
    """Return the precision that NOIZESTREAM_PRECISION asks for, None for nothing; UsageError for anything but a precision."""
    asked = os.environ.get(ENVIRONMENT)
    if not asked:
        return None
    if asked not in PRECISIONS:
        raise UsageError(f"{ENVIRONMENT}={asked}: give {' or '.join(PRECISIONS)}")
    return asked
