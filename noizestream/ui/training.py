"""How a training looks in the terminal: what was left out, a bar with ETA per stage, a line per validation."""

import math
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from noizestream.training.plan import clock
from noizestream.training.reporter import Reporter

QUIET_S = 20.0
"""Without a terminal, as in a log file, figures are printed when a stage begins and ends, else at most this often."""

STAGES = {"memory": "memory", "navigator": "LSTM", "raw": "LSTM", "preparing": "preparing"}


class TrainingScreen(Reporter):
    """Draws how a training goes; use as a context manager."""

    def __init__(self, console: Console | None = None):
        self.console = console or Console(stderr=True)
        self._bar: Progress | None = None
        self._stage = ""
        self._printed_at = 0.0
        self._validation = math.nan
        self._rate = (0, time.monotonic())

    def __enter__(self) -> "TrainingScreen":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def say(self, text: str) -> None:
        """Print the line `text` as it is, above any bar."""
        self._close()
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def skipped(self, rows: list[dict[str, Any]]) -> None:
        """Print a table of the files that are left out; `rows` hold the fields of `music.skipped.Skipped`, one file each."""
        from noizestream.music.skipped import Skipped, skipped_table

        self._close()
        skipped_table([Skipped(**row) for row in rows], self.console)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show how far `stage` is: `done` of `total`, which of the stage `preparing` are seconds of music."""
        text = f"{done / 60:.1f} of {total / 60:.1f} minutes of music" if stage == "preparing" else f"{done} of {total}"
        self._draw(stage, done, total, text)

    def figures(self, stage: str, step: int, seconds_left: float, values: dict[str, float]) -> None:
        """Show `values` of `stage` at `step`, with its speed and the time left; a new validation also gets a line that stays.

        `values` has `train` and may have `validation`; NaN is not shown.
        """
        if stage != self._stage:
            self._rate, self._begun = (step, time.monotonic()), time.monotonic()
        speed = (step - self._rate[0]) / max(time.monotonic() - self._rate[1], 1e-3)
        shown = "  ".join(f"{name} {value:.3f}" for name, value in values.items() if not math.isnan(value))
        text = f"step {step}  {shown}  {speed:.1f} steps/s  {clock(seconds_left)} left"
        elapsed = time.monotonic() - self._begun if stage == self._stage else 0.0
        self._draw(stage, elapsed, elapsed + seconds_left, text)
        validation = values.get("validation", math.nan)
        if not math.isnan(validation) and validation != self._validation:
            self._validation = validation
            unit = "nats a slot" if stage == "navigator" else "of error"
            line = f"step {step}: {values['train']:.2f} {unit} in training, {validation:.2f} on held-out music"
            self.console.print(line, highlight=False)

    def _draw(self, stage: str, done: float, total: float, text: str) -> None:
        if not self.console.is_terminal:
            if stage != self._stage or time.monotonic() - self._printed_at > QUIET_S or done >= total:
                self.console.print(f"{STAGES.get(stage, stage)}: {text}", highlight=False)
                self._printed_at = time.monotonic()
            self._stage = stage
            return
        if stage != self._stage or self._bar is None:
            self._close()
            self._stage = stage
            columns = (TextColumn("{task.fields[stage]:>10}"), BarColumn(30), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=self.console, transient=True)
            self._bar.add_task(text, total=total, stage=STAGES.get(stage, stage))
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=max(total, 1e-9), description=text)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def verdict(metadata) -> str:
    """Did it learn? The model beside its baselines, in a sentence."""
    figures = metadata.extra.get("training", {})
    if "errors" in figures:
        return _raw_verdict(figures["errors"], metadata.extra["config"]["loss"])
    base, nats = figures.get("baselines", {}), figures.get("validation_nats", math.nan)
    if not base or math.isnan(nats):
        return "no held-out music to judge by"
    best = min(base.values())
    better = best - nats
    word = f"{better:.1f} nats a slot better than" if better > 0 else "NOT better yet than"
    beside = f"the code before {base['bigram']:.1f}, how common codes are {base['unigram']:.1f}"
    text = f"held-out music: {nats:.1f} nats a slot, {word} the best baseline ({beside})"
    return text if better > 0 else f"{text}; train longer or on more music"


def _raw_verdict(errors: dict[str, float], loss: str) -> str:
    """The same for the baseline, whose measure is the error of the next block."""
    better = 1 - errors[loss] / min(errors["silence"], errors["previous"])
    word = f"{better:.1%} below" if better > 0 else "NOT below"
    beside = f"silence {errors['silence']:.3f}, the block before {errors['previous']:.3f}"
    return f"held-out music: {loss.upper()} of the next block {errors[loss]:.3f}, {word} the best guess ({beside})"
