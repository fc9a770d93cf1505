"""`noizestream doctor`: what works on this machine, as plain text that a bug report pastes."""

import itertools

import click


@click.command()
def command() -> None:
    """Show what works on this machine, and the knob to turn where something does not. Exit code 1 if playing cannot work."""
    from importlib.metadata import version

    from noizestream.doctor import checks
    from noizestream.doctor.checks import BROKEN, OK
    from noizestream.doctor.devices import audio, midi
    from noizestream.errors import NoizestreamError

    click.echo(f"noizestream {version('noizestream')}")
    broken = []
    parts = (checks.software, checks.torch_works, checks.models, audio, midi, checks.processor, checks.linux_limits)
    for finding in itertools.chain.from_iterable(part() for part in parts):
        mark = "" if finding.level == OK else f"  [{finding.level}]"
        click.echo(f"{finding.name:14} {finding.found}{mark}")
        if finding.knob:
            click.echo(f"{'':14} -> {finding.knob}")
        if finding.level == BROKEN:
            broken.append(finding.name)
    if broken:
        raise NoizestreamError(f"{', '.join(broken)}: broken, and needed to play; the lines marked above say what to do")
