"""`noizestream bench`: what a model costs here, and which latency is safe."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("model", required=False)
@click.option("--json", "json_file", type=Path, metavar="FILE", help="Write all figures to this file.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Music to step, and to play for a latency to be safe.")
def command(model: str | None, json_file: Path | None, seconds: float) -> None:
    """Measure MODEL (a file, or a bundled model's name; default: the bundled model) on this machine: about half a minute."""
    from noizestream.errors import UsageError
    from noizestream.modelfile import archive
    from noizestream.system.files import check_output

    if not 0 < seconds <= 3600:
        raise UsageError(f"--seconds: {seconds:g} is out of range, give more than 0 and at most 3600")
    path = archive.find_model(model)
    archive.read_metadata(path)
    if json_file is not None:
        check_output(json_file, "--json")

    from noizestream.realtime.bench import bench
    from noizestream.system.jsonfile import write_json
    from noizestream.ui.progress import LateBar

    with LateBar(f"measuring {path.stem}") as bar:
        found = bench(path, seconds, bar)
    show(found)
    if json_file is not None:
        write_json(json_file, found, "--json")


def show(found: dict[str, Any]) -> None:
    """Print `found`, the result of `realtime.bench.bench`: a table with a column for each precision, and the verdict."""
    forms, here = found["precisions"], found["machine"]

    def row(title: str, cells: list[str]) -> None:
        click.echo(f"{title:36}" + "".join(f"{cell:>12}" for cell in cells))

    row(f"{found['model']}, block {found['block_ms']:.1f} ms", list(forms))
    for title, cell in ROWS:
        row(title, [cell(form) for form in forms.values()])
    kernels = "" if found["int8_kernels"] is None else f", int8 kernels: {found['int8_kernels']}"
    click.echo(f"{here['processor']}, {here['cores']} cores, load {here['load_average']}, torch {here['torch']}{kernels}")
    click.echo(found["verdict"])


def _ms(key: str, part: str) -> Callable[[dict[str, Any]], str]:
    return lambda form: f"{form[key][part]:.2f} ms"


ROWS: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
    ("step back to back, median", _ms("step_ms", "p50")),
    ("    95 of 100 are under", _ms("step_ms", "p95")),
    ("    99 of 100 are under", _ms("step_ms", "p99")),
    ("    longest", _ms("step_ms", "max")),
    ("times real time", lambda form: f"{form['realtime_factor']:.1f}"),
    ("99 of 100, as a share of the block", lambda form: f"{100 * form['p99_share_of_block']:.0f} %"),
    ("step played live, median", _ms("live_step_ms", "p50")),
    ("    99 of 100 are under", _ms("live_step_ms", "p99")),
    ("    longest", _ms("live_step_ms", "max")),
    ("load of one core", lambda form: f"{100 * form['load']:.0f} %"),
    ("memory of the process that steps", lambda form: "?" if form["memory_mb"] is None else f"{form['memory_mb']:.0f} MB"),
    ("smallest safe latency", lambda form: "none" if form["latency_ms"] is None else f"{form['latency_ms']:.1f} ms"),
]
"""Title and what it shows of one precision's figures."""
