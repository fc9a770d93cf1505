"""One training from music to model file: prepare, build, rehearse the export, fit, preview, export."""

import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noizestream.errors import NoizestreamError
from noizestream.system.jsonfile import write_json
from noizestream.training.interrupt import random_of_caller, stoppable
from noizestream.training.plan import LAST_PREVIEW, PREVIEW, Plan, clock, probe
from noizestream.training.reporter import SILENT, Reporter
from noizestream.training.request import Job, TrainingRequest
from noizestream.training.run_folder import write_run

if TYPE_CHECKING:
    from noizestream.training.data.dataset import Prepared

FIRST_PREVIEW_S = 75.0
"""After so long the first preview begins, to be there within two minutes of Enter on a busy machine too."""


def train(
    data: str | Path | None = None,
    output: str | Path | None = None,
    *,
    reporter: Reporter = SILENT,
    started: float | None = None,
    **options: Any,
) -> Path:
    """Learn from the music in `data` and write the model file `output` (.ts, default model.ts); returns its path.

    The `reporter` hears how it goes. `started` is the time.monotonic() from which minutes count (now, if None). The options are:

    `preset` is small, base (the default), large or agile, `arch` units (the default) or raw, the baseline, which alone has a choice
    of `loss` (mse, mae) and `optimiser` (adam, sgd).
    `minutes` is the wall time of the whole (15), `steps` the optimiser steps of the sequence model (repeatable on one machine):
    give one. `genres` is a list of names: learn only these.
    `rate` is the sample rate in Hz (48000), `memory_mb` how much music the model file keeps, in megabytes (the preset's).
    `precision` is float32 or int8 (default: int8 where this machine has kernels for it).
    `device` is cpu (the default), cuda or mps; `seed` (0) is that of all that is random.
    `run` is the folder for checkpoints and previews (NAME-run beside the model). `resume` goes on with such a folder.
    `base` is a model whose weights (beside it) to start from: its sizes and rate hold, its genres need not.
    Ctrl-C ends the loops; the model as far as it got is exported, then KeyboardInterrupt is raised.
    Raises NoizestreamError and UsageError with one line for the user.
    """
    started = time.monotonic() if started is None else started
    job = TrainingRequest.of(data=data, output=output, **options).job()
    with random_of_caller():
        return Training(job, reporter, started).run()


class Training:
    """One training; `started` is the time.monotonic() from which its minutes count."""

    def __init__(self, job: Job, reporter: Reporter, started: float):
        self.job, self.reporter, self.started = job, reporter, started
        self.plan = Plan(0.0 if job.config.steps else job.config.minutes * 60, started)

    def run(self) -> Path:
        """Do it all; returns the model file. KeyboardInterrupt if Ctrl-C ended it early, with the file written."""
        prepared = self._prepared()

        from noizestream.training.export.model_file import summary_of
        from noizestream.training.export.preview import Previews
        from noizestream.training.recipes import RECIPES
        from noizestream.training.recipes.recipe import FitRequest

        job, plan = self.job, self.plan
        recipe = RECIPES[job.config.arch](prepared, job.config, job.folder, job.device)
        began = time.monotonic()
        recipe.build(self.reporter.progress)
        plan.took("memory", began)
        plan.started -= recipe.checkpoints.resumed.get("wall", 0.0)
        recipe.checkpoints.clock = plan.elapsed
        recipe.rehearse(plan)
        left = f"; {clock(plan.learning())} to learn" if plan.bounded else ""
        self.reporter.say(f"{recipe.describe()}; run folder {job.folder}{left}")
        previews = Previews(job.folder, prepared.genres, self.reporter, plan)
        with stoppable() as stop:
            # Counted steps are repeatable: nothing in them may depend on time.
            first_s = plan.started + FIRST_PREVIEW_S - time.monotonic() if plan.bounded else math.inf

            def preview(name: str) -> None:
                previews.write(name, recipe.player(), PREVIEW, stop)

            figures = recipe.fit(FitRequest(plan.learning, self.reporter.figures, stop, preview, first_s))
            player = recipe.player()
            previews.write("final", player, LAST_PREVIEW, stop)
            began = time.monotonic()
            summary = summary_of(prepared, job.config, job.data, figures, began - self.started)
            recipe.export(player, job.output, summary)
            plan.took("file", began)
            stages = {name: round(seconds, 1) for name, seconds in plan.spent.items()}
            write_json(job.folder / "training.json", summary | {"history": figures.get("history", []), "stages": stages})
            stopped = stop()
        if stopped:
            raise KeyboardInterrupt
        return job.output

    def _prepared(self) -> "Prepared":
        from noizestream.training.data.dataset import INDEX, Prepared

        folder = self.job.folder / "prepared"
        if os.path.lexists(folder / INDEX):
            prepared = Prepared.open(folder)
            self.plan.genres = len(prepared.genres)
            return prepared
        from noizestream.music.library import read_library
        from noizestream.training.data.prepare import prepare

        job, say = self.job, self.reporter.say
        library = read_library(job.data, job.genres)
        for note in library.notes:
            say(note)
        self.plan.genres = len(library.genres)
        if self.plan.bounded:
            self.plan.slowness, alone = probe()
            self.plan.require_enough(alone)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NoizestreamError(f"{job.folder}: cannot make the run folder here ({error.strerror})") from None
        write_run(job.folder, {"data": str(job.data), "output": str(job.output), "genres": job.genres}, job.config)
        prepared = prepare(library, job.config, folder, self.plan, self.reporter)
        self.reporter.skipped(prepared.skipped)
        for genre, seconds, tracks, tempo in zip(prepared.genres, prepared.seconds, prepared.tracks, prepared.tempos, strict=True):
            say(f"{genre}: {tracks} track{'s' * (tracks != 1)}, {seconds / 60:.1f} min, {tempo:.1f} BPM")
        return prepared
