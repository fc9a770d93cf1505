"""`noizestream info`: what is in a model file. Needs no torch."""

import click


@click.command()
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print metadata.json as it is in the file.")
def command(model: str | None, as_json: bool) -> None:
    """Show what is in MODEL (a file, or a bundled model's name; default: the bundled model)."""
    from noizestream.modelfile import archive

    path = archive.find_model(model)
    metadata = archive.read_metadata(path)
    if as_json:
        click.echo(metadata.to_json())
        return

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    block_ms = 1000 * metadata.block_frames / metadata.sample_rate
    latency_ms = 1000 * metadata.latency_frames / metadata.sample_rate
    rows = [
        ("model", metadata.name),
        ("file", f"{path} ({_size(path.stat().st_size)}, format {metadata.format_version})"),
        ("audio", f"{metadata.sample_rate} Hz, {_channels(metadata.channels)}"),
        (
            "block",
            f"{metadata.block_frames} frames ({block_ms:.1f} ms), latency {metadata.latency_frames} frames ({latency_ms:.1f} ms)",
        ),
        ("genres", ", ".join(metadata.genres)),
        *(("control", _control(control)) for control in metadata.controls),
        ("noise", f"{metadata.noise_size} numbers a block"),
        *(row for key, value in metadata.extra.items() if key != "golden" for row in _rows(key, value)),
        ("golden check", "yes" if "golden" in metadata.extra else "none"),
    ]
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(str(value)))
    Console(soft_wrap=False).print(table)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} kB"


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")


def _control(control: dict) -> str:
    unit = f" {control['unit']}" if control["unit"] else ""
    return f"{control['name']}: {control['min']:g} to {control['max']:g}{unit}, default {control['default']:g}"


def _rows(key: str, value: object) -> list[tuple[str, str]]:
    """A row for a plain value or a short list, one for each entry of an object."""
    if isinstance(value, dict):
        return [row for inner, part in value.items() for row in _rows(f"{key}.{inner}" if key else inner, part)]
    if isinstance(value, list):
        if any(isinstance(part, list | dict) for part in value) or len(value) > 40:
            return [(key, f"{len(value)} entries (see --json)")]
        return [(key, ", ".join(_plain(part) for part in value))]
    return [(key, _plain(value))]


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
