"""What a person asks of a training, checked and resolved before any work is done."""

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from noizestream.errors import UsageError, option
from noizestream.modelfile import precision
from noizestream.training.config import Config, resolve
from noizestream.training.run_folder import check_output, free_folder, read_run

DEFAULT_MINUTES = 15.0


@dataclass(frozen=True)
class Job:
    """A training that can begin: from the music `data` (`genres` None: all) to the model file `output`, in the run `folder`."""

    data: str | Path
    output: Path
    config: Config
    folder: Path
    genres: list[str] | None
    device: str


@dataclass(frozen=True)
class TrainingRequest:
    """The arguments of `noizestream.train`, which documents them, and the options of the command line."""

    data: str | Path | None = None
    output: str | Path | None = None
    preset: str = "base"
    arch: str | None = None
    loss: str | None = None
    optimiser: str | None = None
    minutes: float | None = None
    steps: int | None = None
    run: str | Path | None = None
    resume: str | Path | None = None
    genres: list[str] | None = None
    device: str = "cpu"
    seed: int = 0
    rate: int | None = None
    precision: str | None = None
    memory_mb: float | None = None
    base: str | Path | None = None

    @classmethod
    def of(cls, **given: Any) -> "TrainingRequest":
        """The request that these arguments make; UsageError if there is no argument of a name."""
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise UsageError(f"train has no argument {name!r}, give one of {', '.join(known)}")
        return cls(**given)

    def job(self) -> Job:
        """What is to be done. UsageError for what is out of range, unknown or not there on this machine; writes nothing."""
        job = self._new() if self.resume is None else self._resumed(Path(self.resume))
        _check_device(self.device)
        if self.precision == precision.INT8:
            precision.resolve(self.precision)  # before an hour of training, not after it
        return job

    def _resumed(self, folder: Path) -> Job:
        asked, config = read_run(folder)
        output = check_output(self.output or asked["output"])
        config = replace(config, precision=self.precision or config.precision)
        return Job(self.data or asked["data"], output, config, folder, self.genres or asked["genres"], self.device)

    def _new(self) -> Job:
        if self.data is None:
            raise UsageError(f"give the folder of music to learn from, or {option('resume')} with a run folder")
        self._check_length()
        if isinstance(self.genres, str):
            raise UsageError(f"{option('genres')}: give a list of names, such as [{self.genres!r}]")
        config = self._config()
        output = check_output(self.output or "model.ts")
        folder = Path(self.run) if self.run is not None else free_folder(output)
        if os.path.lexists(folder / "run.json"):
            raise UsageError(
                f"{option('run')} {folder}: a training is in it; go on with {option('resume')} {folder}, or name another folder"
            )
        return Job(self.data, output, config, folder, self.genres, self.device)

    def _check_length(self) -> None:
        if self.minutes is not None and self.steps is not None:
            raise UsageError(f"{option('minutes')} and {option('steps')} exclude each other, give one")
        if self.minutes is not None and not 0 < self.minutes < float("inf"):
            raise UsageError(f"{option('minutes')}: {self.minutes:g} is out of range, give more than 0")
        if self.steps is not None and self.steps < 1:
            raise UsageError(f"{option('steps')}: {self.steps} is out of range, give at least 1")

    def _config(self) -> Config:
        config = resolve(
            self.preset,
            seed=self.seed,
            minutes=0.0 if self.steps else self.minutes or DEFAULT_MINUTES,
            steps=self.steps or 0,
            arch=self.arch,
            loss=self.loss,
            optimiser=self.optimiser,
            sample_rate=self.rate,
            precision=self.precision,
            memory_mb=self.memory_mb,
        )
        if self.base is None:
            return config
        from noizestream.training.recipes import RECIPES

        return RECIPES[config.arch].on_base(config, self.base)


def _check_device(device: str) -> None:
    if device == "cpu":
        return
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device):
        raise UsageError(f"{option('device')} {device}: is not available on this machine, use cpu")
