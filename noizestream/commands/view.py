"""`noizestream view`: audio as a picture."""

import click


@click.command()
@click.argument("audio")
@click.option("-o", "--output", required=True, metavar="PNG", help="Where to write the picture.")
@click.option(
    "--kind",
    type=click.Choice(["samples", "envelope", "spectrogram"]),
    default="spectrogram",
    show_default=True,
    help="What to draw.",
)
@click.option(
    "--scale",
    type=click.Choice(["log", "linear"]),
    help="Frequency axis of a spectrogram (default: log), or amplitude of an envelope (default: linear; log is dBFS).",
)
def command(audio: str, output: str, kind: str, scale: str | None) -> None:
    """Draw AUDIO as samples, envelope or spectrogram."""
    from noizestream.analysis.views import view_file

    view_file(audio, output, kind, scale)
    click.echo(f"{output}: {kind} of {audio}")
