"""What keeps the time of a step the same: one thread, denormals flushed to zero, no collector. For a process that only steps."""

import gc
from typing import Any


def settle() -> dict[str, Any]:
    """Set it all in this process, once everything is loaded, and return how it is (see `state`)."""
    import torch

    torch.set_num_threads(1)  # a step is too small to share
    torch.set_flush_denormal(True)  # an LSTM that falls silent computes with them, many times slower
    gc.collect()
    gc.freeze()
    gc.disable()
    return state()


def state() -> dict[str, Any]:
    """What holds in this process, as tried: `{threads, denormals_flushed, collector, frozen}`; `frozen` counts objects."""
    import torch

    tiny = torch.full((64,), 1e-38) * 1e-2
    return {
        "threads": torch.get_num_threads(),
        "denormals_flushed": not bool(tiny.any()),
        "collector": gc.isenabled(),
        "frozen": gc.get_freeze_count(),
    }
