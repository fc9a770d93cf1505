"""`noizestream render`: a model to a WAV or FLAC file."""

import click


@click.command()
@click.argument("model", required=False)
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .wav or .flac, 24 bit.")
@click.option("--seconds", type=float, default=30.0, show_default=True, help="Length of the recording.")
@click.option("-g", "--genre", metavar="NAME", help='Genre, or a mix such as "Jazz:0.5,Folk:0.5" (default: the model\'s first).')
@click.option("-t", "--temperature", type=float, help="Spread of the sampling: 0 most likely, 1 as learned, 2 wild.")
@click.option("--tempo", type=float, metavar="BPM", help="Pulse of the model's clock; 0 is the genre's own.")
@click.option("--prime", metavar="AUDIO", help="Begin where this recording ends: the model hears it first.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed gives the same bytes.")
def command(
    model: str | None,
    output: str,
    seconds: float,
    genre: str | None,
    temperature: float | None,
    tempo: float | None,
    prime: str | None,
    seed: int,
) -> None:
    """Render MODEL (a file, or a bundled model's name; default: the bundled model) to a file, faster than real time."""
    from noizestream import artifact
    from noizestream.errors import UsageError
    from noizestream.music.prime import read_prime
    from noizestream.soundfiles import check_output

    # Everything that can be wrong is found before torch is imported.
    if not 0 < seconds < float("inf"):
        raise UsageError(f"--seconds: {seconds:g} is out of range, give more than 0")
    path = artifact.find_model(model)
    metadata = artifact.read_metadata(path)
    weights = metadata.genre_weights(genre)
    asked = {"temperature": temperature, "tempo": tempo}
    controls = {name: metadata.check_control(name, value) for name, value in asked.items() if value is not None}
    check_output(output)
    heard = None if prime is None else read_prime(prime, metadata.sample_rate)

    from noizestream.engine.generator import load
    from noizestream.engine.render import render
    from noizestream.ui.progress import LateBar

    generator = load(path, seed)
    generator.set_genre(weights)
    for name, value in controls.items():
        generator.set_control(name, value)
    if heard is not None:
        generator.prime(heard)
    with LateBar(f"rendering {metadata.name}") as bar:
        factor = render(generator, output, seconds, bar)
    click.echo(f"{output}: {seconds:g} s of {metadata.name} at {metadata.sample_rate} Hz, {factor:.1f}x real time")
