"""noizestream: neural music you play live.

These names are the Python interface: `load(path) -> Generator` and `Generator.step() -> block`; `train(...)`; and what `play` does
without a terminal, `with Session(path) as session: session.set("genre", "Jazz")`, of which a `SessionRequest` says all else.
What imports torch does so only when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noizestream.engine.generator import Generator, load
    from noizestream.session.request import SessionRequest
    from noizestream.session.session import Session
    from noizestream.training.run import train

__all__ = ["Generator", "Session", "SessionRequest", "load", "train"]

_HOMES = {
    "load": "noizestream.engine.generator",
    "Generator": "noizestream.engine.generator",
    "Session": "noizestream.session.session",
    "SessionRequest": "noizestream.session.request",
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
