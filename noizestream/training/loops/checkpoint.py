"""Checkpoints: one file, replaced whole or not at all, from which a killed training goes on as if never stopped."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from noizestream.errors import NoizestreamError, option
from noizestream.system.files import whole, writing
from noizestream.training.loops.budget import Budget
from noizestream.training.loops.loop import Loop

NAME = "checkpoint.pt"
EVERY_S = 20.0
FORMAT = 4
"""Goes up with every change of what a checkpoint holds."""


def save(folder: Path, values: dict[str, Any]) -> None:
    """Write `values` to `folder`; the old checkpoint stays until the new one is complete. NoizestreamError if it cannot be."""
    knob = f"make room, then go on with {option('resume')} {folder}"
    with writing(folder / NAME, knob), whole(folder / NAME) as partial, partial.open("wb") as file:
        torch.save(values | {"format": FORMAT}, file)


def load(folder: Path) -> dict[str, Any] | None:
    """The values last saved, or None if there are none yet; NoizestreamError if the file is damaged or of another version."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        raise NoizestreamError(f"{path}: the checkpoint is damaged, delete it to train again from the prepared music") from None
    if values.get("format") != FORMAT:
        raise NoizestreamError(f"{path}: of another version of noizestream, delete it to train again from the prepared music")
    return values


class Checkpoints:
    """The checkpoints of one training: what the last one held (`resumed`, empty at first), and a new one every `EVERY_S`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.resumed = load(folder) or {}
        self._saved_at = time.monotonic()
        self.clock: Callable[[], float] = lambda: 0.0
        """Seconds since the training began, whatever stage it is in: kept as `wall`, so that a resumed one has the rest."""

    def restore(self, loop: Loop, budget: Budget) -> None:
        """Put `loop`, `budget` and torch's random numbers where the last checkpoint left them."""
        loop.restore(self.resumed["loop"])
        budget.spent, budget.done = self.resumed["spent"], self.resumed["done"]
        torch.set_rng_state(self.resumed["random"])

    def save(self, loop: Loop, budget: Budget, now: bool = False) -> None:
        """Write what `restore` needs, if it is time or `now`."""
        if not now and time.monotonic() - self._saved_at < EVERY_S:
            return
        budgeted = {"spent": budget.elapsed(), "done": budget.done, "wall": self.clock()}
        save(self.folder, {"loop": loop.state(), "random": torch.get_rng_state()} | budgeted)
        self._saved_at = time.monotonic()
