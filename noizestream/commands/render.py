"""`noizestream render`: a model to a WAV or FLAC file."""

from typing import TYPE_CHECKING

import click

from noizestream.control.parameters import CHORD, TEMPERATURE, TEMPO

if TYPE_CHECKING:
    from noizestream.control.chords import Schedule
    from noizestream.modelfile.metadata import Metadata


@click.command()
@click.argument("model", required=False)
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .wav or .flac, 24 bit.")
@click.option("--seconds", type=float, default=30.0, show_default=True, help="Length of the recording.")
@click.option("-g", "--genre", metavar="NAME", help='Genre, or a mix such as "Jazz:0.5,Folk:0.5" (default: the model\'s first).')
@click.option("-t", "--temperature", type=float, help=TEMPERATURE.help + ".")
@click.option("--tempo", type=float, metavar="BPM", help=TEMPO.help + ".")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a control that the model declares; repeatable.")
@click.option("--chords", metavar='"Am:4 F:4"|FILE.mid', help="Chords with their beats, over and over, or those of a MIDI file.")
@click.option("--prime", metavar="AUDIO", help="Begin where this recording ends: the model hears it first.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed gives the same bytes.")
def command(
    model: str | None,
    output: str,
    seconds: float,
    genre: str | None,
    temperature: float | None,
    tempo: float | None,
    settings: tuple[str, ...],
    chords: str | None,
    prime: str | None,
    seed: int,
) -> None:
    """Render MODEL (a file, or a bundled model's name; default: the bundled model) to a file, faster than real time."""
    from noizestream.control.settings import parse_settings
    from noizestream.errors import UsageError
    from noizestream.modelfile import archive
    from noizestream.music.prime import read_prime
    from noizestream.system.soundfiles import check_output

    # Everything that can be wrong is found before torch is imported.
    if not 0 < seconds < float("inf"):
        raise UsageError(f"--seconds: {seconds:g} is out of range, give more than 0")
    path = archive.find_model(model)
    metadata = archive.read_metadata(path)
    weights = metadata.genre_weights(genre)
    controls = parse_settings(metadata, settings, {TEMPERATURE.name: temperature, TEMPO.name: tempo})
    schedule = None if chords is None else read_schedule(metadata, chords)
    bpm = controls.get(TEMPO.name) or metadata.own_tempo(weights)
    if schedule is not None and bpm is None:
        raise UsageError(f"--chords: {metadata.name} does not say its own tempo, give --tempo BPM")
    if schedule is not None and bpm is not None and TEMPO.name in [control["name"] for control in metadata.controls]:
        controls[TEMPO.name] = bpm  # else a model may follow the tempo of what it plays, and leave the chords behind
    check_output(output, "-o")
    heard = None if prime is None else read_prime(prime, metadata.sample_rate, lambda line: click.echo(line, err=True))

    from noizestream.engine.conductor import Conductor
    from noizestream.engine.generator import load, prepare_torch
    from noizestream.engine.render import render
    from noizestream.ui.progress import LateBar

    prepare_torch()
    generator = load(path, seed)
    generator.set_genre(weights)
    for name, value in controls.items():
        generator.set_control(name, value)
    if heard is not None:
        generator.prime(heard)
    conductor = None if schedule is None or bpm is None else Conductor(generator, schedule, bpm)
    with LateBar(f"rendering {metadata.name}") as bar:
        factor = render(generator, output, seconds, bar, conductor)
    click.echo(f"{output}: {seconds:g} s of {metadata.name} at {metadata.sample_rate} Hz, {factor:.1f}x real time")


def read_schedule(metadata: "Metadata", asked: str) -> "Schedule":
    """Return what `--chords asked` means; UsageError if the model has no chord to set, NoizestreamError for a file without any."""
    from noizestream.control.chord_file import is_file, read_chords
    from noizestream.control.chords import parse_schedule
    from noizestream.errors import UsageError

    if CHORD.name not in [control["name"] for control in metadata.controls]:
        raise UsageError(f"--chords: {metadata.name} has no control chord, leave --chords out")
    return read_chords(asked) if is_file(asked) else parse_schedule(asked)
