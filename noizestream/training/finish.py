"""The two ends of a training around the fitting: the export rehearsed before it; previews and the file after it."""

import json
import time
from pathlib import Path
from typing import Any

from noizestream.artifact import last_line
from noizestream.names import one_line
from noizestream.training import preview
from noizestream.training.config import Config
from noizestream.training.export import export, script, self_test
from noizestream.training.generate import generate
from noizestream.training.prepared import Prepared

REHEARSALS = 4
"""The fastest counts: one busy moment at the start, taken for the rule, would cost minutes of training."""


class Finish:
    """What becomes of fitted networks; `player` is always the whole generator, as the model file will hold it."""

    def __init__(self, prepared: Prepared, config: Config, folder: Path, reporter: Any):
        self.prepared, self.config, self.folder, self.reporter = prepared, config, folder, reporter

    def rehearse(self, player: Any) -> float:
        """Script and test the untrained player; returns the seconds that the last preview and the export will take.

        NoizestreamError if the export fails: before the training, not after it.
        """
        begun = time.monotonic()
        scripted = script(player)
        self_test(player, scripted)
        scripting_s = time.monotonic() - begun
        generate(player, scripted, 0, 0.1, 0)
        times = []
        for _ in range(REHEARSALS):
            begun = time.monotonic()
            generate(player, scripted, 0, 1.0, 0)
            times.append(time.monotonic() - begun)
        # Previews are scripted once, the export twice, in float32 and in int8; pictures take a second.
        return 4.0 + 3.5 * scripting_s + len(self.prepared.genres) * (1.0 + 1.3 * min(times) * preview.SECONDS)

    def preview(self, name: str, player: Any) -> None:
        """Write a WAV and a picture per genre; what goes wrong with them is said, not raised."""
        try:
            files = preview.write_previews(self.folder, name, player, script(player), self.prepared.genres)
        except Exception as error:  # a full disk, a drawing library: nothing about a preview is worth the training
            self.reporter.say(f"no preview this time ({error.__class__.__name__}: {last_line(error)})")
        else:
            self.reporter.say(f"preview: {files[0].parent}")

    def export(self, player: Any, output: Path, data: str | Path, figures: dict[str, Any], started: float) -> dict[str, Any]:
        """Write the model file; returns its summary. `started` is the time.monotonic() at which the training began."""
        summary = self._summary(data, figures, started)
        export(player, one_line(output.stem), self.prepared.genres, summary, output, self.config.precision)
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
                "skipped": len(prepared.skipped),
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
