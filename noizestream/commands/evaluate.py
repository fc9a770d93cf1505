"""`noizestream evaluate`: how good a model is."""

from pathlib import Path

import click


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
def command(
    model_and_data: tuple[str, ...],
    audio: str | None,
    json_file: str | None,
    pictures: str | None,
    seconds: float,
    seeds: int,
    temperature: float,
    seed: int,
    genres: str | None,
    workers: int | None,
) -> None:
    """Measure MODEL (a file, or a bundled model's name) against DATA (a folder per genre, an FMA tree, or a CSV).

    Prints tables; docs/evaluation.md explains every figure. The same command gives the same figures.
    """
    import os

    from noizestream.errors import NoizestreamError, UsageError
    from noizestream.modelfile import archive
    from noizestream.modelfile.genres import file_names, find, key
    from noizestream.music.library import read_library
    from noizestream.system.files import check_output

    # Everything that can be wrong is found before anything heavy is imported.
    if len(model_and_data) != (1 if audio else 2):
        raise UsageError("give MODEL DATA, or --audio DIR DATA")
    *model, data = model_and_data
    if not 4 <= seconds < float("inf"):
        raise UsageError(f"--seconds: {seconds:g} is out of range, give at least 4")
    path = archive.find_model(model[0]) if model else Path(audio or "")
    metadata = None if audio else archive.read_metadata(path)
    if metadata is not None:
        metadata.check_control("temperature", temperature)
    if json_file:
        check_output(json_file, "--json")
    library = read_library(data, None if genres is None else [genres])
    judged = read_library(audio) if audio else None
    offered = metadata.genres if metadata is not None else judged.genres if judged is not None else ()
    if all(find(genre, library.genres) is None for genre in offered):
        raise NoizestreamError(f"{path}: none of its genres ({', '.join(offered)}) is in {data} ({', '.join(library.genres)})")

    from noizestream.analysis import generated as side
    from noizestream.analysis.compare import compare
    from noizestream.analysis.corpus import describe
    from noizestream.analysis.pictures import check_folder, draw_audio, draw_confusion, draw_notes, first_seconds
    from noizestream.analysis.report import print_report
    from noizestream.music.skipped import skipped_table
    from noizestream.system.jsonfile import write_json
    from noizestream.ui.progress import LateBar

    folder = check_folder(Path(pictures)) if pictures else None
    settings = side.Settings(seconds, seeds, seed, temperature)
    skipped = [*library.skipped, *(judged.skipped if judged else ())]
    for note in dict.fromkeys((*library.notes, *(judged.notes if judged else ()))):
        click.echo(note, err=True)
    with LateBar("analysing real music") as bar:
        real = describe(library, skipped, workers, bar)
    probed: dict = {}
    if judged is not None:
        with LateBar("analysing audio") as bar:
            made = side.describe_folder(judged, real, skipped, workers, bar)
    else:
        assert metadata is not None
        with LateBar(f"rendering {metadata.name}") as bar:
            made, probed = side.render_and_probe(path, metadata, real, settings, workers, folder is not None, bar)
    skipped_table(list(dict.fromkeys(skipped)))  # DATA and the audio may be the same
    figures = compare(real, made, probed)
    print_report(figures)
    if folder:
        draw_confusion(figures, folder)
        names = file_names(made)
        for genre, pieces in made.items():
            sides = {"real": first_seconds(real[genre].pieces[0].track.path, seconds)}
            if judged is None:
                sides["made"] = pieces[0]["audio"]
            else:
                first = next(track for track in judged.tracks if key(track.genre) == key(genre))
                sides["made"] = first_seconds(first.path, seconds)
            read = {what: audio for what, audio in sides.items() if audio is not None}
            for what, samples in read.items():
                draw_audio(genre, names[genre], what, samples, folder)
            if read:
                draw_notes(genre, names[genre], read, folder)
    if json_file:
        asked = {"audio": os.path.basename(os.path.normpath(path))} if audio else {"model": path.name} | vars(settings)
        write_json(json_file, asked | {"data": library.name} | figures, "--json")
