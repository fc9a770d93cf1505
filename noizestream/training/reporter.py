"""Who hears how a training goes."""

from typing import Any


class Reporter:
    """Where a training says how it goes. This one ignores it: the command line draws it, a script overrides what it wants."""

    def say(self, text: str) -> None:
        """Hear one line for the person who waits."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """Hear that `done` of `total` seconds of music (`stage` "preparing") or pieces ("memory") are through."""

    def figures(self, stage: str, step: int, seconds_left: float, values: dict[str, float]) -> None:
        """Hear the mean loss `train` and the last `validation` (NaN: none yet) at an optimiser `step` of the loop `stage`."""

    def skipped(self, rows: list[dict[str, Any]]) -> None:
        """Hear which files are not learned from, with the fields of `music.skipped.Skipped`: once, also if there are none."""


SILENT = Reporter()
"""Nobody hears."""
