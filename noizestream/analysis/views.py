"""Three pictures of audio: its samples, its envelope, its spectrogram. Long audio is drawn by columns, a piece at a time."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.system.files import check_output, whole, writing
from noizestream.system.names import one_line

KINDS = ("samples", "envelope", "spectrogram")
SCALES = ("log", "linear")
COLUMNS = 1200
SIZE = (12.0, 5.0)
"""Of a picture, in inches at `DPI` pixels each."""
DPI = 110
PIECE_S = 60.0
FFT = 4096
FLOOR_DB = -80.0
LOWEST_HZ = 30.0
ROWS = 400


@dataclass(frozen=True)
class Style:
    """How audio is drawn: the `kind` of picture (one of `KINDS`), its `scale`, its `title` and its `size` in inches.

    `scale` is the frequency axis of a spectrogram (None: log) or the amplitude of an envelope (None: linear; log is dBFS).
    """

    kind: str
    scale: str | None = None
    title: str = ""
    size: tuple[float, float] = SIZE


def view(
    audio: np.ndarray,
    rate: int,
    file: str | Path,
    kind: str = "spectrogram",
    scale: str | None = None,
    title: str = "",
    size: tuple[float, float] = SIZE,
) -> None:
    """Draw `audio` [channels, n] or [n] at `rate` Hz into the PNG `file`; `kind` to `size` are those of a `Style`.

    UsageError for a kind, scale or name of a file that does not fit, NoizestreamError when `file` cannot be written.
    """
    audio = np.atleast_2d(audio)
    count = max(1, -(-audio.shape[1] // round(PIECE_S * rate)))
    pieces = np.array_split(audio, count, axis=1)
    view_pieces(pieces, count, audio.shape[1] / rate, rate, file, Style(kind, scale, title, size))


def view_file(path: str | Path, file: str | Path, kind: str = "spectrogram", scale: str | None = None) -> None:
    """Draw the audio file `path` into the PNG `file`, in a `Style` of this `kind` and `scale` with its name for a title.

    UsageError as from `view`; NoizestreamError when `path` cannot be read or `file` cannot be written.
    """
    from noizestream.music.decode import measure, pieces
    from noizestream.music.skipped import Skip

    path = Path(path)
    check(file, kind, scale)
    try:
        rate, seconds = measure(path)
        frames = max(1, round(seconds * rate))
        count = -(-frames // round(PIECE_S * rate))
        length = -(-frames // count)

        def filled() -> Iterator[np.ndarray]:
            found = (audio for _, audio in pieces(path, rate, length / rate))
            for number in range(count):
                wanted = min(length, frames - number * length)
                audio = next(found) if number == 0 else next(found, np.zeros((1, 0), np.float32))
                # shorter than its header says
                yield np.pad(audio[:, :wanted], ((0, 0), (0, wanted - audio[:, :wanted].shape[1])))

        view_pieces(filled(), count, seconds, rate, file, Style(kind, scale, one_line(path.name)))
    except Skip as error:
        raise NoizestreamError(f"{path}: {error}") from None


def view_pieces(pieces: Iterable[np.ndarray], count: int, seconds: float, rate: int, file: str | Path, style: Style) -> None:
    """Draw `count` pieces [channels, n] of equal length, `seconds` in all at `rate` Hz, mixed to mono, into the PNG `file`.

    UsageError for a style or a name that does not fit, NoizestreamError when `file` cannot be written.
    """
    kind = style.kind
    file = check(file, kind, style.scale)
    scale = style.scale or ("log" if kind == "spectrogram" else "linear")
    width = max(1, COLUMNS // count)
    monos = (np.nan_to_num(piece.mean(axis=0), posinf=1.0, neginf=-1.0) for piece in pieces)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a title in a script the font lacks
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=style.size, dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        if kind == "spectrogram":
            _draw_spectrogram(figure, axes, [_bands(mono, rate, width, scale) for mono in monos], seconds, rate, scale)
        else:
            columns = np.concatenate([_extremes(mono, width) for mono in monos], axis=1)
            (_draw_samples if kind == "samples" else _draw_envelope)(axes, columns, seconds, scale)
        axes.set_xlabel("time (s)")
        axes.set_title(style.title or kind, parse_math=False, loc="left")
        write_figure(figure, file)


def write_figure(figure: Any, file: Path) -> None:
    """Write the matplotlib `figure` to the PNG `file`, whole or not at all; NoizestreamError when it cannot be written."""
    with writing(file), whole(file) as partial:
        figure.savefig(partial, format="png")


def check(file: str | Path, kind: str, scale: str | None) -> Path:
    """Return `file` as a path if a picture of this kind and scale can be written there."""
    file = Path(file)
    if kind not in KINDS:
        raise UsageError(f"{option('kind')}: {kind!r} is not one of {', '.join(KINDS)}")
    if scale is not None and scale not in SCALES:
        raise UsageError(f"{option('scale')}: {scale!r} is not one of {', '.join(SCALES)}")
    if kind == "samples" and scale == "log":
        raise UsageError(
            f"{option('scale')}: samples have a sign and are drawn on a linear scale; use {option('kind')} envelope for dB"
        )
    return check_output(file, option("output"), (".png",))


def _extremes(mono: np.ndarray, width: int) -> np.ndarray:
    """Least, largest and RMS sample [3, columns] of each of `width` equal stretches; the samples themselves if they are fewer."""
    width = max(1, min(width, len(mono)))
    starts = np.linspace(0, len(mono), width, endpoint=False).astype(int)
    squares = np.add.reduceat(np.square(mono, dtype=np.float64), starts) / np.diff(np.append(starts, len(mono)))
    return np.stack([np.minimum.reduceat(mono, starts), np.maximum.reduceat(mono, starts), np.sqrt(squares)])


def _bands(mono: np.ndarray, rate: int, width: int, scale: str) -> np.ndarray:
    """Mean power [ROWS, width] of up to four frames per column, at the frequencies of `_frequencies`."""
    per = 4 if len(mono) / width > 4 * 256 else 1
    centres = (np.arange(width * per) + 0.5) * len(mono) / (width * per)
    padded = np.pad(mono, FFT // 2)
    window = np.hanning(FFT).astype(np.float32)
    frames = np.stack([padded[start : start + FFT] for start in centres.astype(int)])
    power = np.abs(np.fft.rfft(frames * window)) ** 2 * (2 / window.sum()) ** 2
    power = power.reshape(width, per, -1).mean(axis=1)
    bins = np.fft.rfftfreq(FFT, 1 / rate)
    wanted = _frequencies(rate, scale)
    rows = np.stack([np.interp(wanted, bins, column) for column in power])
    first = np.searchsorted(bins, _borders(wanted, scale))
    for row in np.flatnonzero(np.diff(first) > 1):  # a row of several bins shows the strongest, or thin lines would flicker
        rows[:, row] = power[:, first[row] : first[row + 1]].max(axis=1)
    return rows.T


def _frequencies(rate: int, scale: str) -> np.ndarray:
    return np.geomspace(LOWEST_HZ, rate / 2, ROWS) if scale == "log" else np.linspace(0, rate / 2, ROWS)


def _borders(frequencies: np.ndarray, scale: str) -> np.ndarray:
    """Where the rows meet [ROWS + 1]."""
    below, above = frequencies[:-1], frequencies[1:]
    return np.concatenate([frequencies[:1], np.sqrt(below * above) if scale == "log" else (below + above) / 2, frequencies[-1:]])


def _draw_samples(axes, columns: np.ndarray, seconds: float, scale: str) -> None:
    times = np.linspace(0, seconds, columns.shape[1])
    if np.array_equal(columns[0], columns[1]):  # one sample per column: draw them as they are
        axes.plot(times, columns[0], linewidth=0.8)
    else:
        axes.fill_between(times, columns[0], columns[1], linewidth=0.4, edgecolor="C0")
    axes.axhline(0, color="black", linewidth=0.4)
    axes.set(xlim=(0, seconds), ylim=(-1.05, 1.05), ylabel="amplitude (1 = full scale)")
    axes.grid(alpha=0.3)


def _draw_envelope(axes, columns: np.ndarray, seconds: float, scale: str) -> None:
    times = np.linspace(0, seconds, columns.shape[1])
    peak, rms = np.maximum(-columns[0], columns[1]), columns[2]
    if scale == "log":
        peak, rms = (20 * np.log10(np.maximum(level, 10 ** (FLOOR_DB / 20))) for level in (peak, rms))
    axes.plot(times, peak, linewidth=0.7, label="peak")
    axes.plot(times, rms, linewidth=0.9, label="RMS")
    limits, label = ((FLOOR_DB, 3), "level (dBFS)") if scale == "log" else ((0, 1.05), "amplitude (1 = full scale)")
    axes.set(xlim=(0, seconds), ylim=limits, ylabel=label)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def _draw_spectrogram(figure, axes, pieces: list[np.ndarray], seconds: float, rate: int, scale: str) -> None:
    level = 10 * np.log10(np.maximum(np.concatenate(pieces, axis=1), 1e-12))
    edges = np.linspace(0, seconds, level.shape[1] + 1)
    frequencies = _frequencies(rate, scale)
    mesh = axes.pcolormesh(
        edges, _borders(frequencies, scale), level, vmin=level.max() + FLOOR_DB, vmax=level.max(), cmap="magma", rasterized=True
    )
    figure.colorbar(mesh, ax=axes, label="level (dBFS)", pad=0.01)
    axes.set_ylabel("frequency (Hz)")
    if scale == "log":
        axes.set_yscale("log")
        ticks = [tick for tick in (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000) if tick < rate / 2]
        axes.set_yticks(ticks, [f"{tick // 1000}k" if tick >= 1000 else str(tick) for tick in ticks])
        axes.minorticks_off()
