"""noizestream: neural music you play live.

Three names are the Python interface: `load(path) -> Generator`, `Generator.step() -> block`, `train(...)`.
They import torch only when they are first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noizestream.engine.generator import Generator, load
    from noizestream.training.run import train

__all__ = ["Generator", "load", "train"]

_HOMES = {
    "load": "noizestream.engine.generator",
    "Generator": "noizestream.engine.generator",
    "train": "noizestream.training.run",
}


def __getattr__(name: str) -> Any:
    import importlib
    import os

    if name not in _HOMES:
        raise AttributeError(f"module 'noizestream' has no attribute {name!r}")
    # As on the command line: torch's C++ code warns at every load of int8 weights; only an environment set before its import helps.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    return getattr(importlib.import_module(_HOMES[name]), name)
