"""Something to hear and see while a training runs: a WAV and a spectrogram per genre in the run folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.modelfile.genres import file_names
from noizestream.system.ceiling import CEILING
from noizestream.system.soundfiles import sound_file
from noizestream.training.generate import generate

SECONDS = 6.0


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
        audio = generate(player, scripted, number, SECONDS, number, enough).numpy()
        file = target / f"{names[genre]}.wav"
        with sound_file(file, player.sample_rate, len(audio)) as sound:
            sound.write(np.clip(audio.T, -CEILING, CEILING))
        view(audio, player.sample_rate, file.with_suffix(".png"), title=f"{genre}, {name}")
        written.append(file)
    return written
