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

    if name not in _HOMES:
        raise AttributeError(f"module 'noizestream' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
