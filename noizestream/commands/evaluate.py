"""`noizestream evaluate`: how good a model is."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from noizestream.errors import NoizestreamError, UsageError

if TYPE_CHECKING:
    from noizestream.analysis.corpus import Real
    from noizestream.analysis.generated import Described
    from noizestream.modelfile.metadata import Metadata
    from noizestream.music.skipped import Skipped
    from noizestream.music.tracks import Library


@dataclass(frozen=True)
class Request:
    """What was asked for: an argument or option of `command` each."""

    model_and_data: tuple[str, ...]
    audio: str | None
    json_file: str | None
    pictures: str | None
    seconds: float
    seeds: int
    temperature: float
    seed: int
    genres: str | None
    workers: int | None

    @property
    def settings(self) -> dict[str, Any]:
        """How a model is rendered: the fields of `analysis.generated.Settings` by name."""
        return {name: getattr(self, name) for name in ("seconds", "seeds", "seed", "temperature")}


@dataclass(frozen=True)
class Comparison:
    """What is set beside what: the model file `path`, or the audio in that folder, and the library of real music."""

    path: Path
    metadata: "Metadata | None"
    """Of the model; None where audio is judged in its place."""
    audio: "Library | None"
    library: "Library"

    @property
    def skipped(self) -> "list[Skipped]":
        """What the libraries say that they leave out, in a new list."""
        return [*self.library.skipped, *(self.audio.skipped if self.audio else ())]

    @property
    def notes(self) -> Sequence[str]:
        """What the libraries have to say besides, each line once."""
        return tuple(dict.fromkeys((*self.library.notes, *(self.audio.notes if self.audio else ()))))


@click.command()
@click.argument("model_and_data", nargs=-1, required=True, metavar="[MODEL] DATA")
@click.option("--audio", metavar="DIR", help="Judge this audio (a folder per genre) in the place of a model.")
@click.option("--json", "json_file", metavar="FILE", help="Write every figure here.")
@click.option("--pictures", metavar="DIR", help="Write the confusion matrix, spectrograms and notes into this folder.")
@click.option("--seconds", type=float, default=22.0, show_default=True, help="Length of a rendering; 22 s give 21 windows.")
@click.option("--seeds", type=click.IntRange(min=1), default=12, show_default=True, help="Renderings per genre.")
@click.option("-t", "--temperature", type=float, default=1.0, show_default=True, help="Spread of the sampling.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the first rendering.")
@click.option("--genres", metavar="A,B", help="Compare only these genres of DATA.")
@click.option("--workers", type=click.IntRange(min=0), help="Processes (default: one per core).")
def command(**options: Any) -> None:
    """Measure MODEL (a file, or a bundled model's name) against DATA (a folder per genre, an FMA tree, or a CSV).

    Prints tables; docs/evaluation.md explains every figure. The same command gives the same figures.
    """
    asked = Request(**options)
    sides = check(asked)  # everything that can be wrong is found before anything heavy is imported

    from noizestream.analysis.compare import compare
    from noizestream.analysis.pictures import check_folder
    from noizestream.analysis.report import print_report
    from noizestream.system.jsonfile import write_json

    folder = check_folder(Path(asked.pictures)) if asked.pictures else None
    for note in sides.notes:
        click.echo(note, err=True)
    real, generated, probed = describe_both(asked, sides)
    figures = compare(real, generated, probed)
    print_report(figures)
    if folder:
        draw(asked, sides, real, generated, figures, folder)
    if asked.json_file:
        model = {"model": sides.path.name} | asked.settings
        subject = {"audio": os.path.basename(os.path.normpath(sides.path))} if sides.audio else model
        write_json(asked.json_file, subject | {"data": sides.library.name} | figures, "--json")


def check(asked: Request) -> Comparison:
    """Return what is to be compared; UsageError or NoizestreamError for all that can be told to be wrong without measuring."""
    from noizestream.modelfile import archive
    from noizestream.modelfile.genres import find
    from noizestream.music.library import read_library
    from noizestream.system.files import check_output

    if len(asked.model_and_data) != (1 if asked.audio else 2):
        raise UsageError("give MODEL DATA, or --audio DIR DATA")
    *model, data = asked.model_and_data
    if not 4 <= asked.seconds < float("inf"):
        raise UsageError(f"--seconds: {asked.seconds:g} is out of range, give at least 4")
    path = archive.find_model(model[0]) if model else Path(asked.audio or "")
    metadata = None if asked.audio else archive.read_metadata(path)
    if metadata is not None:
        metadata.check_control("temperature", asked.temperature)
    if asked.json_file:
        check_output(asked.json_file, "--json")
    library = read_library(data, None if asked.genres is None else [asked.genres])
    audio = read_library(asked.audio) if asked.audio else None
    offered = metadata.genres if metadata is not None else audio.genres if audio is not None else ()
    if all(find(genre, library.genres) is None for genre in offered):
        raise NoizestreamError(f"{path}: none of its genres ({', '.join(offered)}) is in {data} ({', '.join(library.genres)})")
    return Comparison(path, metadata, audio, library)


def describe_both(asked: Request, sides: Comparison) -> "tuple[dict[str, Real], dict[str, list[Described]], dict[str, Described]]":
    """Return, by genre, the real music, what is judged beside it, and what the model says of real music.

    Prints the table of what was skipped.
    """
    from noizestream.analysis.corpus import describe
    from noizestream.analysis.generated import Settings, describe_folder, render_and_probe
    from noizestream.music.skipped import skipped_table
    from noizestream.ui.progress import LateBar

    skipped = sides.skipped
    probed: dict[str, Described] = {}
    with LateBar("analysing real music") as bar:
        real = describe(sides.library, skipped, asked.workers, bar)
    if sides.audio is not None:
        with LateBar("analysing audio") as bar:
            generated = describe_folder(sides.audio, real, skipped, asked.workers, bar)
    else:
        assert sides.metadata is not None
        settings, keep = Settings(**asked.settings), bool(asked.pictures)
        with LateBar(f"rendering {sides.metadata.name}") as bar:
            generated, probed = render_and_probe(sides.path, sides.metadata, real, settings, asked.workers, keep, bar)
    skipped_table(list(dict.fromkeys(skipped)))  # DATA and the audio may be the same
    return real, generated, probed


def draw(
    asked: Request,
    sides: Comparison,
    real: "Mapping[str, Real]",
    generated: "Mapping[str, Sequence[Described]]",
    figures: Mapping[str, Any],
    folder: Path,
) -> None:
    """Write all pictures of `--pictures` into `folder`: of the figures, and of the beginning of each genre on both sides."""
    from noizestream.analysis.pictures import draw_confusion, draw_genre, first_seconds
    from noizestream.modelfile.genres import file_names, key

    draw_confusion(figures, folder)
    names = file_names(generated)
    for genre, pieces in generated.items():
        audio = {"real": first_seconds(real[genre].pieces[0].track.path, asked.seconds)}
        if sides.audio is None:
            audio["made"] = pieces[0]["audio"]
        else:
            first = next(track for track in sides.audio.tracks if key(track.genre) == key(genre))
            audio["made"] = first_seconds(first.path, asked.seconds)
        draw_genre(genre, names[genre], {side: samples for side, samples in audio.items() if samples is not None}, folder)
