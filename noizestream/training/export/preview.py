"""Something to hear and see while a training runs: a WAV and a spectrogram per genre in the run folder."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noizestream.modelfile.archive import last_line
from noizestream.modelfile.genres import file_names
from noizestream.modelfile.noise import noise
from noizestream.system.ceiling import CEILING
from noizestream.system.soundfiles import sound_file
from noizestream.training.export.script import script
from noizestream.training.plan import Plan
from noizestream.training.reporter import Reporter
from noizestream.training.threads import one_thread

SECONDS = 6.0


class Previews:
    """The previews of one training, as many as the plan has time for."""

    def __init__(self, folder: Path, genres: list[str], reporter: Reporter, plan: Plan):
        self.folder, self.genres, self.reporter, self.plan = folder, genres, reporter, plan
        self._next = 0  # the genre whose turn it is, where there is no time to hear all

    def write(self, name: str, player: Any, share: float, stop: Callable[[], bool]) -> None:
        """Write a WAV and a picture per genre, of as many as this `share` of the time allows, taking turns, until `stop()`.

        What goes wrong with them is said, not raised.
        """
        genres, began = self.genres, time.monotonic()
        turns = {(self._next + n) % len(genres): genres[(self._next + n) % len(genres)] for n in range(len(genres))}
        until = began + share * self.plan.whole if self.plan.bounded else math.inf
        try:
            scripted = script(player)
            # The test takes about as long again; a moment that was quiet does not promise that the end will be.
            self.plan.scripted = max(0.5 * self.plan.scripted, 2 * (time.monotonic() - began))
            written = write_previews(self.folder, name, player, scripted, turns, lambda: stop() or time.monotonic() > until)
        except Exception as error:  # a full disk, a drawing library: nothing about a preview is worth the training
            self.reporter.say(f"no preview this time ({error.__class__.__name__}: {last_line(error)})")
        else:
            self._next = (self._next + len(written)) % len(genres)
            some = f", {len(written)} of {len(genres)} genres" if len(written) < len(genres) else ""
            if written:
                self.reporter.say(f"preview: {written[0].parent}{some}")
        self.plan.took("previews", began)


def write_previews(
    folder: Path, name: str, player: Any, scripted: Any, genres: dict[int, str], enough: Callable[[], bool] = lambda: False
) -> list[Path]:
    """Write `folder/previews/NAME/GENRE.wav` and `.png` of `genres` (number: name) until `enough()`; returns the WAV files."""
    from noizestream.analysis.views import view

    target = folder / "previews" / name
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    names = file_names([genres[number] for number in sorted(genres)])
    for number, genre in genres.items():
        if enough():
            break
        audio = generate(player, scripted, number, number, enough).numpy()
        file = target / f"{names[genre]}.wav"
        with sound_file(file, player.sample_rate, len(audio)) as sound:
            sound.write(np.clip(audio.T, -CEILING, CEILING))
        view(audio, player.sample_rate, file.with_suffix(".png"), title=f"{genre}, {name}")
        written.append(file)
    return written


def generate(player: Any, scripted: Any, genre: int, seed: int, enough: Callable[[], bool]) -> torch.Tensor:
    """Audio [channels, n] of `genre` by the `scripted` form of `player` at default controls: `SECONDS`, less if `enough()`."""
    controls = torch.tensor([float(control["default"]) for control in player.controls])
    weights = torch.eye(player.genres)[genre]
    with one_thread(), torch.inference_mode():
        state, blocks = scripted.initial_state(), []
        for step in range(max(1, int(SECONDS * player.sample_rate / player.block))):
            sound, state = scripted.step(weights, controls, torch.from_numpy(noise(seed, step, player.noise_size)), state)
            blocks.append(sound)
            if enough():
                break
    return torch.cat(blocks, 1)
