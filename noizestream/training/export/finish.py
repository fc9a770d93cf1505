"""The two ends of a training around the fitting: the export rehearsed before it; previews and the file after it."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from noizestream.modelfile.archive import last_line
from noizestream.system.names import one_line
from noizestream.training.config import Config
from noizestream.training.data.dataset import Prepared
from noizestream.training.export.preview import write_previews
from noizestream.training.export.script import export, script, self_test
from noizestream.training.plan import Plan


class Finish:
    """What becomes of fitted networks; `player` is always the whole generator, as the model file will hold it."""

    def __init__(self, prepared: Prepared, config: Config, folder: Path, reporter: Any, plan: Plan):
        self.prepared, self.config, self.folder, self.reporter, self.plan = prepared, config, folder, reporter, plan
        self._next = 0  # the genre whose turn it is, where there is no time to hear all

    def rehearse(self, player: Any) -> None:
        """Script and test the untrained player: it tells the plan how long that takes.

        NoizestreamError if the export fails: before the training, not after it.
        """
        began = time.monotonic()
        self_test(player, script(player))
        self.plan.scripted = time.monotonic() - began
        self.plan.took("rehearsal", began)

    def preview(self, name: str, player: Any, share: float, stop: Callable[[], bool]) -> None:
        """Write a WAV and a picture per genre, of as many as this `share` of the time allows, taking turns, until `stop()`.

        What goes wrong with them is said, not raised.
        """
        genres, began = self.prepared.genres, time.monotonic()
        turns = {(self._next + n) % len(genres): genres[(self._next + n) % len(genres)] for n in range(len(genres))}
        until = began + share * self.plan.whole if self.plan.bounded else math.inf
        try:
            scripted = script(player)
            # The test takes about as long again; a moment that was quiet does not promise that the end will be.
            self.plan.scripted = max(0.5 * self.plan.scripted, 2 * (time.monotonic() - began))
            made = write_previews(self.folder, name, player, scripted, turns, lambda: stop() or time.monotonic() > until)
        except Exception as error:  # a full disk, a drawing library: nothing about a preview is worth the training
            self.reporter.say(f"no preview this time ({error.__class__.__name__}: {last_line(error)})")
        else:
            self._next = (self._next + len(made)) % len(genres)
            some = f", {len(made)} of {len(genres)} genres" if len(made) < len(genres) else ""
            if made:
                self.reporter.say(f"preview: {made[0].parent}{some}")
        self.plan.took("previews", began)

    def export(self, player: Any, output: Path, data: str | Path, figures: dict[str, Any], started: float) -> dict[str, Any]:
        """Write the model file; returns its summary. `started` is the time.monotonic() at which the training began."""
        began = time.monotonic()
        summary = self._summary(data, figures, started)
        export(player, one_line(output.stem), self.prepared.genres, summary, output, self.config.precision)
        self.plan.took("file", began)
        return summary

    def _summary(self, data: str | Path, figures: dict[str, Any], started: float) -> dict[str, Any]:
        """What goes into the model file beside the required keys."""
        prepared = self.prepared
        plain = {key: value for key, value in figures.items() if key != "history"}
        return {
            "preset": self.config.preset,
            "config": json.loads(self.config.to_json()),
            "tempos": dict(zip(prepared.genres, prepared.tempos, strict=True)),
            "training": {
                "tracks": dict(zip(prepared.genres, prepared.tracks, strict=True)),
                "seconds": dict(zip(prepared.genres, prepared.seconds, strict=True)),
                "wall_s": round(time.monotonic() - started, 1),
                "skipped": sum(not row.get("used") for row in prepared.skipped),
            }
            | plain,
            "licence": _licence(data, prepared.credits),
            "attribution": prepared.credits,
        }


def _licence(data: str | Path, credits: list[dict[str, str]]) -> str:
    """What the music says of its licence: a LICENSE.txt beside it, or the works' own licences, or that it says nothing."""
    try:
        lines = (Path(data) / "LICENSE.txt").read_text(encoding="utf-8").splitlines()
        return " ".join(line.strip() for line in lines if line.strip())[:500]
    except (OSError, UnicodeDecodeError):
        named = sorted({credit["licence"] for credit in credits if credit["licence"]})
        return "of the music learned from: " + ", ".join(named) if named else "of the music learned from, which names none"
