"""A progress bar with an ETA that appears only once the work has lasted two seconds."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

DELAY_S = 2.0


class LateBar:
    """`with LateBar("rendering") as bar: bar(done, total)`; drawn on standard error, gone at the end, silent for short work."""

    def __init__(self, text: str, console: Console | None = None):
        self.text = text
        self._console = console or Console(stderr=True)
        self._started = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> "LateBar":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: float, total: float) -> None:
        if self._bar is None:
            if time.monotonic() - self._started < DELAY_S or not self._console.is_terminal:
                return
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.add_task(self.text, total=total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)
