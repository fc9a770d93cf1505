"""Pictures of an evaluation: what every genre is taken for, and spectrograms and notes of made and real music."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.analysis.tracker import PER_SEMITONE, SEMITONES, STEP_S, constant_q
from noizestream.analysis.views import view
from noizestream.errors import NoizestreamError
from noizestream.music.decode import RATE
from noizestream.system.files import whole

DEPTH_DB = 60.0
PANELS = {"made": "made", "held_out": "real, held out", "control": "shuffled control"}


def check_folder(folder: Path) -> Path:
    """`folder`, made if it is not there; NoizestreamError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoizestreamError(f"{folder}: cannot be made ({error.strerror})") from None
    if not os.access(folder, os.W_OK):
        raise NoizestreamError(f"{folder}: cannot be written to")
    return folder


def draw_confusion(figures: Mapping[str, Any], folder: Path) -> Path | None:
    """Write `confusion.png`: rows are the genre asked for, columns what its windows are taken for. None without a classifier."""
    genres = {genre: entry["recognised"] for genre, entry in figures["genres"].items()}
    if not all(genres.values()):
        return None
    from matplotlib.figure import Figure

    columns = list(next(iter(genres.values()))["made_taken_for"])
    cell = 0.42 + 0.012 * max(map(len, columns))
    figure = Figure(figsize=(3 * cell * len(columns) + 3.5, cell * len(genres) + 1.8), layout="constrained", dpi=120)
    axes = figure.subplots(1, len(PANELS), sharey=True, squeeze=False)[0]
    for panel, (name, title) in zip(axes, PANELS.items(), strict=True):
        # a share of None: nothing was held out
        shares = np.array([[entry[f"{name}_taken_for"][to] or 0.0 for to in columns] for entry in genres.values()])
        panel.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="equal")
        for (row, column), share in np.ndenumerate(shares):
            if share:
                colour = "white" if share > 0.6 else "black"
                panel.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour, fontsize=8)
        panel.set_title(f"{title} (% of windows)", fontsize=10)
        panel.set_xticks(range(len(columns)), columns, rotation=45, ha="right", parse_math=False)
        panel.set_yticks(range(len(genres)), list(genres), parse_math=False)
        panel.set_xlabel("taken for")
    axes[0].set_ylabel("asked for")
    return _written(figure, folder / "confusion.png")


def draw_audio(genre: str, name: str, what: str, audio: np.ndarray, folder: Path) -> Path:
    """Write `NAME-WHAT.png`, the spectrogram of `audio` [channels, n] at `RATE`; `name` stands for `genre` in names of files."""
    file = folder / f"{name}-{what}.png"
    view(audio, RATE, file, "spectrogram", "log", f"{genre}, {what}")
    return file


def draw_notes(genre: str, name: str, panels: Mapping[str, np.ndarray], folder: Path) -> Path:
    """Write `NAME-notes.png`: the constant-Q of every panel's audio [channels, n] at `RATE`, the first on top, on one time axis.

    A row is a third of a semitone; what is `DEPTH_DB` under the loudest of its panel is black.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 4.2 * len(panels)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (what, audio) in zip(figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0], panels.items(), strict=True):
        level = 20 * np.log10(np.maximum(constant_q(audio.mean(axis=0), RATE), 1e-6)).T
        seconds = level.shape[1] * STEP_S
        top = SEMITONES - 0.5 / PER_SEMITONE
        axes.imshow(
            level,
            vmin=level.max() - DEPTH_DB,
            vmax=level.max(),
            cmap="magma",
            aspect="auto",
            origin="lower",
            interpolation="nearest",
            extent=(0.0, seconds, -0.5 / PER_SEMITONE, top),
        )
        axes.set_yticks(range(4, SEMITONES, 12), [f"C{octave}" for octave in range(2, 2 + len(range(4, SEMITONES, 12)))])
        axes.grid(axis="y", alpha=0.25, linewidth=0.5)
        axes.set_title(f"{genre}, {what}", parse_math=False, loc="left")
    axes.set_xlabel("time (s)")
    return _written(figure, folder / f"{name}-notes.png")


def first_seconds(path: Path, seconds: float) -> np.ndarray | None:
    """The first `seconds` of an audio file [channels, n] at `RATE`; None where it cannot be read: the table says so."""
    from noizestream.music.decode import decode
    from noizestream.music.examine import mend
    from noizestream.music.skipped import Skip

    try:
        return mend(decode(path, RATE, seconds=seconds), RATE)[0]
    except Skip:
        return None


def _written(figure: Any, file: Path) -> Path:
    try:
        with whole(file) as partial:
            figure.savefig(partial, format="png")
    except OSError as error:
        raise NoizestreamError(f"{file}: cannot be written ({error.strerror})") from None
    return file
