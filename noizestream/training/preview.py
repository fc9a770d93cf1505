"""Something to hear and see while a training runs: a WAV and a spectrogram per genre in the run folder."""

from pathlib import Path
from typing import Any

import numpy as np

from noizestream.files import safe_name
from noizestream.soundfiles import sound_file
from noizestream.training.generate import generate

SECONDS = 6.0
CEILING = 10 ** (-0.3 / 20)


def write_previews(folder: Path, name: str, player: Any, scripted: Any, genres: list[str]) -> list[Path]:
    """Write `folder/previews/NAME/GENRE.wav` and `.png`; returns the WAV files."""
    from noizestream.analysis.views import view

    target = folder / "previews" / name
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for number, genre in enumerate(genres):
        audio = generate(player, scripted, number, SECONDS, number).numpy()
        file = target / f"{safe_name(genre)}.wav"
        with sound_file(file, player.sample_rate, len(audio)) as sound:
            sound.write(np.clip(audio.T, -CEILING, CEILING))
        view(audio, player.sample_rate, file.with_suffix(".png"), title=f"{genre}, {name}")
        written.append(file)
    return written
