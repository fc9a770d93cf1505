"""A recipe an architecture: how its networks are built, fitted and made a model file. `recipe_of` finds the one asked for."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from noizestream.training.config import Config
from noizestream.training.data.dataset import Prepared
from noizestream.training.loops.budget import Budget, Milestones
from noizestream.training.loops.checkpoint import Checkpoints
from noizestream.training.loops.loop import Loop, Report

PREVIEWS_EVERY = 1 / 3
"""Share of the training after which a model is heard."""


class Recipe(ABC):
    """One training; a new one on the same folder goes on from its last checkpoint."""

    figures: dict[str, Any]
    """What was measured so far."""
    checkpoints: Checkpoints
    """Set by `build`."""

    def __init__(self, prepared: Prepared, config: Config, folder: Path, device: str = "cpu"):
        self.prepared, self.config, self.folder, self.device = prepared, config, folder, device
        self.figures = {}

    @abstractmethod
    def build(self, progress: Callable[[str, int, int], None]) -> None:
        """Make what is trained, from the prepared music; `progress(stage, done, total)` says how far that is."""

    @abstractmethod
    def describe(self) -> str:
        """One line on the sizes."""

    @abstractmethod
    def player(self) -> Any:
        """The generator as it is now: a copy on the CPU that can be scripted."""

    @abstractmethod
    def fit(
        self,
        left: Callable[[], float],
        report: Callable[[str, int, float, dict[str, float]], None],
        stop: Callable[[], bool],
        preview: Callable[[str], None] = lambda name: None,
        first_s: float = math.inf,
    ) -> dict[str, Any]:
        """Train and return the figures. `stop()` ends early.

        `left()` are the seconds that are left: asked again and again, as the plan changes, but not where steps are counted.
        `preview(name)` is called now and then, the first time after about `first_s` seconds.
        """

    def run(
        self,
        loop: Loop,
        left: Callable[[], float],
        report: Report,
        stop: Callable[[], bool],
        preview: Callable[[str], None],
        first_s: float,
    ) -> Budget:
        """Run `loop` as `fit` is asked to, from the last checkpoint on; returns what it took. `loop.best` is what to keep."""
        resumed = self.checkpoints.resumed
        early = time.monotonic() + (math.inf if resumed else first_s)
        budget = Budget(0.0, self.config.steps)
        if resumed:
            self.checkpoints.restore(loop, budget)

        def replan() -> None:
            if not budget.steps:
                budget.seconds = budget.elapsed() + left()

        replan()
        milestones = Milestones(PREVIEWS_EVERY, budget.progress(), early)

        def save(now: bool = False) -> None:
            self.checkpoints.save({"loop": loop.state()}, budget, now)
            if milestones.due(budget.progress()):
                with budget.pause():
                    preview(f"step-{budget.done:06d}")
            replan()

        loop.run(budget, report, stop, save)
        save(now=True)
        return budget

    def save_weights(self, player: Any, output: Path) -> None:  # noqa: B027 (most have none)
        """Write beside the model file `output` what a later training may start from."""


def recipe_of(prepared: Prepared, config: Config, folder: Path, device: str) -> Recipe:
    """The recipe of `config.arch`."""
    from noizestream.training.recipes.raw import RawRecipe
    from noizestream.training.recipes.units import UnitRecipe

    recipes: dict[str, type[Recipe]] = {"units": UnitRecipe, "raw": RawRecipe}
    return recipes[config.arch](prepared, config, folder, device)
