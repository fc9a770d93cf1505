"""What a training does with any architecture: build its networks, fit them by a loop, calibrate, make them a model file."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noizestream.modelfile.metadata import Metadata
from noizestream.training.config import Config
from noizestream.training.data.dataset import Prepared
from noizestream.training.export.model_file import export
from noizestream.training.export.script import script
from noizestream.training.export.self_test import Streamed, self_test
from noizestream.training.loops.budget import Budget, Milestones
from noizestream.training.loops.checkpoint import Checkpoints
from noizestream.training.loops.loop import Loop, Report
from noizestream.training.plan import Plan

PREVIEWS_EVERY = 1 / 3
"""Share of the training after which there is a preview."""


@dataclass(frozen=True)
class FitRequest:
    """Who is asked and told while networks are fitted."""

    left: Callable[[], float] = lambda: 0.0
    """Seconds that are left: asked again and again, as the plan changes, but not where steps are counted."""
    report: Report = lambda stage, step, seconds_left, figures: None
    stop: Callable[[], bool] = lambda: False
    """Whether to end early."""
    preview: Callable[[str], None] = lambda name: None
    """Called now and then with a name such as step-000100."""
    first_preview_s: float = math.inf
    """After so many seconds the first of them is due; infinite: after a share of the training, as the others."""


class Recipe(Streamed, ABC):
    """One training; a new one on the same folder goes on from its last checkpoint.

    `build`, then `fit`, whose `loop` is the architecture's own, then `export`. What is calibrated, `player` does, as previews need
    it too. As `Streamed` it tells the export's test how its player is streamed.
    """

    figures: dict[str, Any]
    """What was measured so far."""
    loop: Loop
    """Set by `build`."""

    def __init__(self, prepared: Prepared, config: Config, folder: Path, device: str = "cpu"):
        self.prepared, self.config, self.folder, self.device = prepared, config, folder, device
        self.figures, self.checkpoints = {}, Checkpoints(folder)

    @staticmethod
    @abstractmethod
    def on_base(config: Config, base: str | Path) -> Config:
        """The settings of a training that starts from the weights beside the model `base`; UsageError if it cannot."""

    @abstractmethod
    def build(self, progress: Callable[[str, int, int], None]) -> None:
        """Make what is trained, from the prepared music; `progress(stage, done, total)` says how far that is."""

    @abstractmethod
    def describe(self) -> str:
        """One line on the sizes."""

    @abstractmethod
    def player(self) -> Any:
        """The generator as it is now: a calibrated copy on the CPU that can be scripted."""

    @abstractmethod
    def measured(self, budget: Budget) -> dict[str, Any]:
        """The figures of what was fitted within `budget`, with the best weights in place."""

    def fit(self, asked: FitRequest = FitRequest()) -> dict[str, Any]:
        """Run the loop, from the last checkpoint on, and keep its best weights; returns all figures."""
        budget = self._run(asked)
        self.loop.predictor.load_state_dict(self.loop.best)
        early = {"stopped_early": self.loop.worse >= self.config.patience, "history": self.loop.history}
        self.figures |= self.measured(budget) | early
        return self.figures

    def _run(self, asked: FitRequest) -> Budget:
        loop, resumed = self.loop, self.checkpoints.resumed
        early = time.monotonic() + (math.inf if resumed else asked.first_preview_s)
        budget = Budget(0.0, self.config.steps)
        if resumed:
            self.checkpoints.restore(loop, budget)

        def replan() -> None:
            if not budget.steps:
                budget.seconds = budget.elapsed() + asked.left()

        replan()
        milestones = Milestones(PREVIEWS_EVERY, budget.progress(), early)

        def save(now: bool = False) -> None:
            self.checkpoints.save(loop, budget, now)
            if milestones.due(budget.progress()):
                with budget.pause():
                    asked.preview(f"step-{budget.done:06d}")
            replan()

        loop.run(budget, asked.report, asked.stop, save)
        save(now=True)
        return budget

    def rehearse(self, plan: Plan) -> None:
        """Script and test the untrained player, and tell the plan how long that takes.

        NoizestreamError if the export fails: before the training, not after it.
        """
        began, player = time.monotonic(), self.player()
        self_test(player, script(player), self)
        plan.scripted = time.monotonic() - began
        plan.took("rehearsal", began)

    def export(self, player: Any, output: Path, summary: dict[str, Any]) -> Metadata:
        """Write the model file, with `summary` in its metadata, and beside it what a later training may start from."""
        return export(player, self, output, self.prepared.genres, summary, self.config.precision)
