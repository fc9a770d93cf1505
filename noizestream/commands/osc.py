"""`noizestream osc`: the OSC addresses of a model. Needs no torch, no device and no OSC library."""

import click


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON in the form of OSCQuery, as /noizestream/tree answers.")
def command(models: tuple[str, ...], as_json: bool) -> None:
    """Show the OSC addresses of `play --osc` with MODEL (or the bundled one): types, range, what each does."""
    from noizestream.control.osc_addresses import addresses, lines, tree
    from noizestream.modelfile import archive

    found = addresses([archive.read_metadata(archive.find_model(model)) for model in models or (None,)])
    click.echo(tree(found) if as_json else "\n".join(lines(found)))
