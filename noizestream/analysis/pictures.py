"""Pictures of an evaluation: what every genre is taken for, and spectrograms and notes of generated and real music."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.analysis.tracker import PER_SEMITONE, SEMITONES, STEP_S, constant_q
from noizestream.analysis.views import view, write_figure
from noizestream.errors import NoizestreamError
from noizestream.music.decode import RATE

DEPTH_DB = 60.0
PANELS = {"made": "made", "held_out": "real, held out", "control": "shuffled control"}


def check_folder(folder: Path) -> Path:
    """Return `folder`, made if it is not there; NoizestreamError where that cannot be, or where nothing can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoizestreamError(f"{folder}: cannot be made ({error.strerror})") from None
    if not os.access(folder, os.W_OK):
        raise NoizestreamError(f"{folder}: cannot be written to")
    return folder


def draw_confusion(figures: Mapping[str, Any], folder: Path) -> None:
    """Write `confusion.png` if there was a classifier: rows are the genre asked for, columns what its windows are taken for."""
    genres = {genre: entry["recognised"] for genre, entry in figures["genres"].items()}
    if not all(genres.values()):
        return
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
    write_figure(figure, folder / "confusion.png")


def draw_genre(genre: str, name: str, sides: Mapping[str, np.ndarray], folder: Path) -> None:
    """Write `NAME-SIDE.png`, the spectrogram of every side's audio [channels, n] at `RATE`, and `NAME-notes.png` of all of them.

    `name` stands for `genre` in names of files. Without any side nothing is written.
    """
    for side, audio in sides.items():
        view(audio, RATE, folder / f"{name}-{side}.png", "spectrogram", "log", f"{genre}, {side}")
    if sides:
        draw_notes(genre, name, sides, folder)


def draw_notes(genre: str, name: str, panels: Mapping[str, np.ndarray], folder: Path) -> None:
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
    write_figure(figure, folder / f"{name}-notes.png")


def first_seconds(path: Path, seconds: float) -> np.ndarray | None:
    """Return the first `seconds` of the file `path` as audio [channels, n] at `RATE`; None where it cannot be read."""
    from noizestream.music.decode import decode
    from noizestream.music.examine import mend
    from noizestream.music.skipped import Skip

    try:
        return mend(decode(path, RATE, seconds=seconds), RATE)[0]
    except Skip:
        return None
