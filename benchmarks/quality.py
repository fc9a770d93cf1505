"""How close a model's music is to what it learned from: one table, a JSON file and spectrograms.

    python benchmarks/quality.py MODEL DATA [--seconds 22 --seeds 5 --json FILE --pictures DIR]
    python benchmarks/quality.py --audio DIR DATA      # DIR: a folder per genre of audio to judge in the model's place

Per genre: the share of 2-second windows recognised as the genre asked for, beside the share of held-out real windows and of the
control (real frames shuffled in time with random phases: it shows that the share speaks of timbre only); and, rendered beside real,
silence, repeats, peakiness, flux, pulse clarity and tempo.
"""

import json
import math
import time
from pathlib import Path

import click
import numpy as np

from noizestream.analysis.classifier import GenreClassifier, window_features
from noizestream.analysis.corpus import Real, describe, mean_measures
from noizestream.analysis.measures import Measures, measure, tempo_error
from noizestream.errors import NoizestreamError, UsageError
from noizestream.music.decode import RATE, decode_all
from noizestream.music.library import read_library
from noizestream.music.skipped import skipped_table
from noizestream.ui.progress import LateBar


class Judged:
    """Rendered audio of one genre as it comes in: window features and measures per stretch."""

    def __init__(self) -> None:
        self.features: list[np.ndarray] = []
        self.rows: list[list[float]] = []

    def add(self, audio: np.ndarray, rate: int) -> None:
        """`audio` [channels, n]"""
        mono = audio.mean(axis=0)
        self.features.append(window_features(mono, rate))
        self.rows.append(list(measure(mono, rate).as_dict().values()))

    @property
    def measures(self) -> Measures:
        return mean_measures(np.array(self.rows))


def render(
    model: str, genres: tuple[str, ...], seconds: float, seeds: int, temperature: float, pictures: Path | None
) -> dict[str, Judged]:
    import noizestream

    judged = {}
    generator = noizestream.load(model)
    rate = generator.metadata.sample_rate
    names = {genre.casefold(): genre for genre in generator.metadata.genres}
    for genre in genres:
        if genre.casefold() not in names:
            continue
        judged[genre] = Judged()
        for seed in range(1, seeds + 1):
            generator.reset(seed)
            generator.set_genre(names[genre.casefold()])
            if any(control["name"] == "temperature" for control in generator.metadata.controls):
                generator.set_control("temperature", temperature)
            audio = generator.pull(round(seconds * rate))
            judged[genre].add(audio, rate)
            if pictures and seed == 1:
                draw(audio, rate, pictures / f"{genre}-rendered.png", f"{genre}, rendered")
    return judged


def draw(audio: np.ndarray, rate: int, file: Path, title: str) -> None:
    from noizestream.analysis.views import view

    file.parent.mkdir(parents=True, exist_ok=True)
    view(audio, rate, file, "spectrogram", "log", title)


def judge_folder(folder: str) -> dict[str, Judged]:
    library, judged = read_library(folder), {}
    skipped = list(library.skipped)
    for decoded in decode_all(library.tracks, skipped):
        judged.setdefault(decoded.track.genre, Judged()).add(decoded.audio, RATE)
    skipped_table(skipped)
    return judged


def compare(real: dict[str, Real], judged: dict[str, Judged]) -> dict[str, dict]:
    """Genre -> its figures, and "all": shares over all windows."""
    classifier = GenreClassifier({genre: entry.train for genre, entry in real.items()})
    result: dict[str, dict] = {}
    for genre, entry in real.items():
        if genre not in judged:
            continue
        features = np.concatenate(judged[genre].features)
        ours, theirs = judged[genre].measures, entry.measures
        result[genre] = {
            "windows": len(features),
            "recognised": classifier.share(genre, features),
            "taken_for": classifier.confusion(features),
            "held_out": classifier.share(genre, entry.held_out),
            "held_out_windows": len(entry.held_out),
            "control": classifier.share(genre, entry.control),
            "rendered": ours.as_dict(),
            "real": theirs.as_dict(),
            "shuffled": entry.control_measures.as_dict(),
            "ratio": {name: getattr(ours, name) / getattr(theirs, name) if getattr(theirs, name) else None for name in RATIOS},
            "tempo_error": tempo_error(ours.tempo, theirs.tempo),
        }
    counts = {genre: figures["windows"] for genre, figures in result.items()}
    held = {genre: figures["held_out_windows"] for genre, figures in result.items()}
    result["all"] = {
        "windows": sum(counts.values()),
        "recognised": _weighted(result, "recognised", counts),
        "held_out": _weighted(result, "held_out", held),
        "control": float(np.mean([result[genre]["control"] for genre in counts])),
    }
    return result


RATIOS = ("peakiness", "flux", "pulse", "chroma_change")


def _weighted(result: dict[str, dict], name: str, counts: dict[str, int]) -> float:
    total = sum(counts.values())
    parts = [result[genre][name] * count for genre, count in counts.items() if count]
    return float(sum(parts) / total) if total else float("nan")


def table(result: dict[str, dict]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    genres = [genre for genre in result if genre != "all"]
    first = Table(
        "genre", "windows", "recognised", "real, held out", "control", "tempo", "real", "error", title="2-second windows recognised"
    )
    for genre in [*genres, "all"]:
        figures = result[genre]
        tempos = (
            [f"{figures['rendered']['tempo']:.1f}", f"{figures['real']['tempo']:.1f}", f"{figures['tempo_error']:.1%}"]
            if "rendered" in figures
            else ["", "", ""]
        )
        shares = [_percent(figures[name]) for name in ("recognised", "held_out", "control")]
        first.add_row(genre, str(figures["windows"]), *shares, *tempos)
    console.print(first)
    second = Table("genre", *RATIOS, "silence", "repeats", title="rendered / real (ratio)   [shuffled control]")
    for genre in genres:
        ours, theirs, control = (result[genre][name] for name in ("rendered", "real", "shuffled"))
        cells = [
            f"{ours[name]:.3g} / {theirs[name]:.3g} ({result[genre]['ratio'][name] or math.nan:.2f})  \\[{control[name]:.3g}]"
            for name in RATIOS
        ]
        cells += [f"{ours[name]:.1%} / {theirs[name]:.1%}" for name in ("silence", "repeats")]
        second.add_row(genre, *cells)
    console.print(second)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model_and_data", nargs=-1, required=True, metavar="[MODEL] DATA")
@click.option("--audio", help="Judge this folder (a folder per genre) instead of a model.")
@click.option("--seconds", default=22.0, show_default=True, help="Length of each rendering; 22 s give 21 windows.")
@click.option("--seeds", default=5, show_default=True, help="Renderings per genre.")
@click.option("-t", "--temperature", default=1.0, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every figure here.")
@click.option("--pictures", type=click.Path(path_type=Path), help="Write a spectrogram per genre into this folder.")
def main(model_and_data, audio, seconds, seeds, temperature, json_file, pictures) -> None:
    """Compare what MODEL renders with the real music in DATA."""
    if len(model_and_data) != (1 if audio else 2):
        raise UsageError("give MODEL DATA, or --audio DIR DATA")
    *model, data = model_and_data
    began = time.perf_counter()
    library = read_library(data)
    skipped = list(library.skipped)
    with LateBar("analysing real music") as bar:
        real = describe(library, skipped, progress=bar)
    skipped_table(skipped)
    if pictures:
        for genre in real:
            decoded = next(decode_all([track for track in library.tracks if track.genre == genre], [], workers=0))
            draw(decoded.audio[:, : round(seconds * RATE)], RATE, pictures / f"{genre}-real.png", f"{genre}, real")
    judged = judge_folder(audio) if audio else render(model[0], tuple(real), seconds, seeds, temperature, pictures)
    result = compare(real, judged)
    table(result)
    print(f"{time.perf_counter() - began:.0f} s")
    if json_file:
        partial = json_file.with_name(f".{json_file.name}.part")
        partial.write_text(json.dumps(result, indent=1))
        partial.replace(json_file)


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except (NoizestreamError, click.ClickException) as error:
        raise SystemExit(f"quality: {error.format_message() if isinstance(error, click.ClickException) else error}") from None
