"""Who hears how a training goes."""

from typing import Any, Protocol


class Reporter(Protocol):
    """Where a training says how it goes; the command line draws it, a script may ignore it."""

    def say(self, text: str) -> None: ...

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def figures(self, stage: str, step: int, seconds_left: float, values: dict[str, float]) -> None: ...

    def skipped(self, rows: list[dict[str, Any]]) -> None: ...


class Silent:
    """A reporter that says nothing."""

    def say(self, text: str) -> None:
        pass

    def progress(self, stage: str, done: int, total: int) -> None:
        pass

    def figures(self, stage: str, step: int, seconds_left: float, values: dict[str, float]) -> None:
        pass

    def skipped(self, rows: list[dict[str, Any]]) -> None:
        pass
