"""What keeps the time of a step the same: one thread, denormals flushed to zero, no collector. For a process that only steps."""

import gc
from typing import Any


def settle() -> dict[str, Any]:
    """Set it all in this process, once everything is loaded, and return how it is (see `state`)."""
    import torch

    from noizestream.engine.generator import prepare_torch

    prepare_torch()
    torch.inference_mode().__enter__()  # for good: to enter it at every step costs 12 us
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
