"""`noizestream studio`: write the built-in corpus."""

from pathlib import Path

import click


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--minutes", default=15.0, show_default=True, help="Minutes of music, all genres together.")
@click.option("--seed", default=0, show_default=True, help="Another seed, other music; the same seed, the same bytes.")
def command(directory: Path, minutes: float, seed: int) -> None:
    """Write our own synthesised music to DIR, a folder per genre, ready for `noizestream train DIR`."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from noizestream.music.studio import GENRES, write

    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("studio", total=None)
        paths = write(
            directory, minutes, seed, lambda done, total, name: bar.update(task, completed=done, total=total, description=name)
        )
    click.echo(f"{directory}: {len(paths)} tracks, {minutes:g} minutes, genres {', '.join(row.name for row in GENRES)}")
