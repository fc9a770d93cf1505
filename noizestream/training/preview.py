"""Something to hear and see while a training runs: a WAV and a spectrogram per genre in the run folder."""

from pathlib import Path
from typing import Any

import numpy as np

from noizestream.genres import file_names
from noizestream.training.generate import generate

SECONDS = 6.0
CEILING = 10 ** (-0.3 / 20)


def write_previews(folder: Path, name: str, player: Any, scripted: Any, genres: list[str]) -> list[Path]:
    """Write `folder/previews/NAME/GENRE.wav` and `.png`; returns the WAV files."""
    import soundfile

    from noizestream.analysis.views import view

    target = folder / "previews" / name
    target.mkdir(parents=True, exist_ok=True)
    written, names = [], file_names(genres)
    for number, genre in enumerate(genres):
        audio = generate(player, scripted, number, SECONDS, number).numpy()
        file = target / f"{names[genre]}.wav"
        soundfile.write(file, np.clip(audio.T, -CEILING, CEILING), player.sample_rate, subtype="PCM_24")
        view(audio, player.sample_rate, file.with_suffix(".png"), title=f"{genre}, {name}")
        written.append(file)
    return written
