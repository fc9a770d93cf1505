"""The two ends of a training around the fitting: the export rehearsed before it; calibration, previews and the file after it."""

import json
import time
from pathlib import Path
from typing import Any

from noizestream.artifact import last_line
from noizestream.nn.player import Player
from noizestream.training import calibrate, preview, weights
from noizestream.training.config import Config
from noizestream.training.export import as_played, export, script, script_shared, self_test
from noizestream.training.perform import generate, one_hot
from noizestream.training.prepared import Prepared

REHEARSALS = 4
"""The fastest counts: one busy moment at the start, taken for the rule, would cost minutes of training."""


class Finish:
    """What becomes of fitted networks; `player` is always the whole generator, as the model file will hold it."""

    def __init__(self, prepared: Prepared, config: Config, folder: Path, reporter: Any):
        self.prepared, self.config, self.folder, self.reporter = prepared, config, folder, reporter

    def rendered_s(self) -> float:
        """Seconds that are generated of one genre before the export, but for the preview."""
        config = self.config
        return calibrate.rendered_s(config.calibration_s, config.calibration_tries, config.recall_performances)

    def rehearse(self, player: Any) -> float:
        """Script and test the untrained player; returns the seconds that calibration, previews and export will take.

        NoizestreamError if the export fails: before the training, not after it.
        """
        scripted = script(player)
        self_test(player, scripted)
        sizes = (player.block, player.sample_rate, player.noise_size)
        genre = one_hot(0, len(self.prepared.genres))
        generate(scripted, genre, 0.1, 0, sizes)
        times = []
        for _ in range(REHEARSALS):
            begun = time.monotonic()
            generate(scripted, genre, 1.0, 0, sizes)
            times.append((time.monotonic() - begun) / 2)  # one second is warm-up
        per_second = min(times)
        sounded = self.rendered_s() + preview.SECONDS + 1
        return 6.0 + len(self.prepared.genres) * (1.5 + 1.3 * per_second * sounded)

    def preview(self, name: str, player: Any) -> None:
        """Write a WAV and a picture per genre; what goes wrong with them is said, not raised."""
        try:
            files = preview.write_previews(self.folder, name, player, script(player), self.prepared.genres)
        except Exception as error:  # a full disk, a drawing library: nothing about a preview is worth the training
            self.reporter.say(f"no preview this time ({error.__class__.__name__}: {last_line(error)})")
        else:
            self.reporter.say(f"preview: {files[0].parent}")

    def calibrate(self, player: Any) -> dict[str, Any]:
        """Set in `player` what is set after training; returns the figures."""
        self.reporter.say("calibrating the sampling on the music's own movement")
        # Heard in the form that is played: in int8 partials stand out less.
        config = self.config
        played = script_shared(as_played(player, config.precision))
        efforts = (config.calibration_s, config.calibration_tries, config.recall_performances)
        return calibrate.calibrate(player, played, self.prepared, *efforts, config.least_spread)

    def export(self, player: Any, output: Path, data: str | Path, figures: dict[str, Any], started: float) -> dict[str, Any]:
        """Write the model file; returns its summary. `started` is the time.monotonic() at which the training began."""
        summary = self._summary(data, figures, started)
        export(player, output.stem, self.prepared.genres, summary, output, self.config.precision)
        if isinstance(player, Player):
            weights.save(player, self.config, self.prepared.genres, output)
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
        lines = (Path(data) / "LICENSE.txt").read_text().splitlines()
        return " ".join(line.strip() for line in lines if line.strip())[:500]
    except (OSError, UnicodeDecodeError):
        named = sorted({credit["licence"] for credit in credits if credit["licence"]})
        return "of the music learned from: " + ", ".join(named) if named else "of the music learned from, which names none"
