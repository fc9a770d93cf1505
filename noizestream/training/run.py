"""One training from music to model file: prepare, build, rehearse the export, fit, preview, export.

RUN/run.json  config.json      what was asked for
RUN/prepared/  memory.pt       what the loops read
RUN/checkpoint.pt              where a killed training goes on
RUN/previews/STEP/             a WAV and a spectrogram per genre
RUN/training.json              what was measured
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.modelfile import precision as numbers
from noizestream.system.jsonfile import write_json, write_text
from noizestream.system.signals import answering
from noizestream.training.config import Config, resolve
from noizestream.training.plan import LAST_PREVIEW, PREVIEW, Plan, clock, probe
from noizestream.training.reporter import Reporter, Silent
from noizestream.training.run_folder import check_output, free_folder, read_run

DEFAULT_MINUTES = 15.0
FIRST_PREVIEW_S = 75.0
"""After so long the first preview begins, to be there within two minutes of Enter on a busy machine too."""


def train(
    data: str | Path | None = None,
    output: str | Path | None = None,
    *,
    preset: str = "base",
    arch: str | None = None,
    loss: str | None = None,
    optimiser: str | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    run: str | Path | None = None,
    resume: str | Path | None = None,
    genres: list[str] | None = None,
    device: str = "cpu",
    seed: int = 0,
    rate: int | None = None,
    precision: str | None = None,
    memory_mb: float | None = None,
    base: str | Path | None = None,
    reporter: Reporter | None = None,
    started: float | None = None,
) -> Path:
    """Learn from the music in `data` and write the model file `output` (.ts); returns its path.

    `arch` is units (None) or raw, the baseline, which alone has a choice of `loss` (mse, mae) and `optimiser` (adam, sgd).
    `minutes` is the wall time of the whole, `steps` the optimiser steps of the sequence model (repeatable on one machine); give
    one. `memory_mb` is how much music the model file keeps, in megabytes (None: the preset's). `resume` goes on with a run folder.
    `precision` is float32 or int8 (None: int8 where this machine has kernels for it).
    `base` is a model whose weights (beside it) to start from: its sizes and rate hold, its genres need not.
    `started` is the time.monotonic() from which minutes count (now, if None).
    Ctrl-C ends the loops; the model as far as it got is exported, then KeyboardInterrupt is raised.
    Raises NoizestreamError and UsageError with one line for the user.
    """
    started = time.monotonic() if started is None else started
    reporter = reporter or Silent()
    if resume is not None:
        folder = Path(resume)
        asked, config = read_run(folder)
        data, genres = data or asked["data"], genres or asked["genres"]
        output = check_output(output or asked["output"])
        config = replace(config, precision=precision or config.precision)
    else:
        if data is None:
            raise UsageError(f"give the folder of music to learn from, or {option('resume')} with a run folder")
        if minutes is not None and steps is not None:
            raise UsageError(f"{option('minutes')} and {option('steps')} exclude each other, give one")
        if minutes is not None and not 0 < minutes < float("inf"):
            raise UsageError(f"{option('minutes')}: {minutes:g} is out of range, give more than 0")
        if steps is not None and steps < 1:
            raise UsageError(f"{option('steps')}: {steps} is out of range, give at least 1")
        bound = 0.0 if steps else minutes or DEFAULT_MINUTES
        settings = {
            "arch": arch,
            "loss": loss,
            "optimiser": optimiser,
            "sample_rate": rate,
            "precision": precision,
            "memory_mb": memory_mb,
        }
        if isinstance(genres, str):
            raise UsageError(f"{option('genres')}: give a list of names, such as [{genres!r}]")
        config = resolve(preset, seed=seed, minutes=bound, steps=steps or 0, **settings)
        if base is not None:
            config = _on_base(config, base)
        output = check_output(output or "model.ts")
        folder = Path(run) if run is not None else free_folder(output)
        if os.path.lexists(folder / "run.json"):
            raise UsageError(
                f"{option('run')} {folder}: a training is in it; go on with {option('resume')} {folder}, or name another folder"
            )
    _check_device(device)
    if precision == numbers.INT8:
        numbers.resolve(precision)  # before an hour of training, not after it
    with _random_of_caller():
        return _Training(data, output, config, folder, genres, device, reporter, started).run()


class _Training:
    def __init__(
        self,
        data: str | Path,
        output: Path,
        config: Config,
        folder: Path,
        genres: list[str] | None,
        device: str,
        reporter: Reporter,
        started: float,
    ):
        self.data, self.output, self.config, self.folder = data, output, config, folder
        self.genres, self.device, self.reporter, self.started = genres, device, reporter, started
        self.plan = Plan(0.0 if config.steps else config.minutes * 60, started)

    def run(self) -> Path:
        prepared = self._prepare()

        from noizestream.training.export.finish import Finish
        from noizestream.training.recipes import recipe_of

        plan = self.plan
        recipe = recipe_of(prepared, self.config, self.folder, self.device)
        began = time.monotonic()
        recipe.build(self.reporter.progress)
        plan.took("memory", began)
        plan.started -= recipe.checkpoints.resumed.get("wall", 0.0)
        recipe.checkpoints.clock = plan.elapsed
        finish = Finish(prepared, self.config, self.folder, self.reporter, plan)
        finish.rehearse(recipe.player())
        left = f"; {clock(plan.learning())} to learn" if plan.bounded else ""
        self.reporter.say(f"{recipe.describe()}; run folder {self.folder}{left}")
        with _stoppable() as stop:
            # Counted steps are repeatable: nothing in them may depend on time.
            first_s = plan.started + FIRST_PREVIEW_S - time.monotonic() if plan.bounded else math.inf

            def preview(name: str) -> None:
                finish.preview(name, recipe.player(), PREVIEW, stop)

            figures = recipe.fit(plan.learning, self.reporter.figures, stop, preview, first_s)
            player = recipe.player()
            finish.preview("final", player, LAST_PREVIEW, stop)
            summary = finish.export(player, self.output, self.data, figures, self.started)
            recipe.save_weights(player, self.output)
            stages = {name: round(seconds, 1) for name, seconds in plan.spent.items()}
            write_json(self.folder / "training.json", summary | {"history": figures.get("history", []), "stages": stages})
            stopped = stop()
        if stopped:
            raise KeyboardInterrupt
        return self.output

    def _prepare(self) -> Any:
        from noizestream.training.data.dataset import INDEX, Prepared

        folder = self.folder / "prepared"
        if os.path.lexists(folder / INDEX):
            prepared = Prepared.open(folder)
            self.plan.genres = len(prepared.genres)
            return prepared
        from noizestream.music.library import read_library
        from noizestream.training.data.prepare import prepare

        library = read_library(self.data, self.genres)
        for note in library.notes:
            self.reporter.say(note)
        self.plan.genres = len(library.genres)
        if self.plan.bounded:
            self.plan.slowness, alone = probe()
            self.plan.require_enough(alone)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NoizestreamError(f"{self.folder}: cannot make the run folder here ({error.strerror})") from None
        asked = {"data": str(self.data), "output": str(self.output), "genres": self.genres}
        # Escaped, not replaced: who resumes finds the same files, whatever their names are.
        write_text(self.folder / "run.json", json.dumps(asked, indent=1) + "\n")
        write_text(self.folder / "config.json", self.config.to_json())

        def progress(done: int, total: int) -> None:
            self.reporter.progress("preparing", done, total)

        prepared = prepare(library, self.config, folder, progress, plan=self.plan, say=self.reporter.say)
        self.reporter.skipped(prepared.skipped)
        for genre, seconds, tracks, tempo in zip(prepared.genres, prepared.seconds, prepared.tracks, prepared.tempos, strict=True):
            self.reporter.say(f"{genre}: {tracks} track{'s' * (tracks != 1)}, {seconds / 60:.1f} min, {tempo:.1f} BPM")
        return prepared


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Within, the first Ctrl-C makes the yielded function return True; a second one interrupts at once."""
    pressed: list[bool] = []

    def handle(number: int, frame: Any) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(True)

    with answering(handle, "SIGINT"):
        yield lambda: bool(pressed)


@contextmanager
def _random_of_caller() -> Iterator[None]:
    """A training seeds torch's random numbers: to the program that asked for it they go on as if it had not been."""
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_rng_state()
    try:
        yield
    finally:
        if torch is not None:
            torch.set_rng_state(before)


def _on_base(config: Config, base: str | Path) -> Config:
    if config.arch == "raw":
        raise UsageError(f"{option('base')} and {option('arch')} raw exclude each other: the baseline is trained from nothing")
    from noizestream.training.export import weights

    return replace(weights.load(base).adapt(config), base=str(base))


def _check_device(device: str) -> None:
    if device == "cpu":
        return
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device):
        raise UsageError(f"{option('device')} {device}: is not available on this machine, use cpu")
