"""`noizestream train`: from a person's music to a model file."""

import time
from typing import Any

import click


@click.command()
@click.argument("data", required=False)
@click.option("-o", "--output", metavar="MODEL.ts", help="The model file to write (default: model.ts).")
@click.option(
    "--preset",
    default="base",
    show_default=True,
    help="small, base or large (more music in the file), or agile (half the latency).",
)
@click.option("--arch", type=click.Choice(["units", "raw"]), help="units (default), or raw: the seed paper's own, a baseline.")
@click.option("--loss", type=click.Choice(["mse", "mae"]), help="With --arch raw: squared or absolute error (default: mse).")
@click.option("--optimiser", type=click.Choice(["adam", "sgd"]), help="With --arch raw: sgd is with momentum (default: adam).")
@click.option("--minutes", type=float, help="Wall time from Enter to the finished file (default: 15).")
@click.option("--steps", type=int, help="Train for so many steps instead: repeatable, however long it takes.")
@click.option("--run", metavar="DIR", help="Folder for checkpoints and previews (default: NAME-run beside the model).")
@click.option("--resume", metavar="DIR", help="Go on with an interrupted training.")
@click.option("--genres", metavar="A,B", help="Learn only these genres.")
@click.option("--rate", type=int, metavar="HZ", help="Sample rate of the model (default: 48000).")
@click.option("--precision", type=click.Choice(["float32", "int8"]), help="Of the model (default: int8, where it has kernels).")
@click.option("--memory", "memory_mb", type=float, metavar="MB", help="Music that the model file keeps, at most (default: 25).")
@click.option("--base", metavar="MODEL", help="Go on from this model's weights: faster and better on little music.")
@click.option("--device", type=click.Choice(["cpu", "cuda", "mps"]), default="cpu", show_default=True, help="Where to train.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all that is random.")
def command(genres: str | None, **asked: Any) -> None:
    """Learn from DATA (a folder per genre, a Free Music Archive tree, or a CSV of path,genre) and write a model file.

    Ctrl-C ends the training early and still writes the model as far as it got.
    """
    started = time.monotonic()
    from noizestream.training.run import train
    from noizestream.ui.training import TrainingScreen

    with TrainingScreen() as screen:
        path = train(genres=None if genres is None else [genres], reporter=screen, started=started, **asked)
    from noizestream.modelfile.archive import read_metadata
    from noizestream.ui.training import verdict

    click.echo(verdict(read_metadata(path)))
    click.echo(f"{path}: written in {(time.monotonic() - started) / 60:.1f} min. Hear it: noizestream play {path}")
