"""`noizestream devices`: what there is to play on and to play with."""

import click


@click.command()
def command() -> None:
    """List audio devices and MIDI ports; * marks the ones that play uses unless -d or -m says otherwise."""
    from noizestream.devices import portaudio, rtmidi
    from noizestream.errors import NoizestreamError

    click.echo("Audio devices (play -d NUMBER or part of the name)")
    try:
        found = portaudio.outputs()
    except NoizestreamError as error:
        click.echo(f"  {error}")
    else:
        for device in found:
            mark = "*" if device.is_default else " "
            latency = f"{1000 * device.low_latency_s:.0f}-{1000 * device.high_latency_s:.0f} ms"
            what = f"{device.host}, {device.channels} ch, {device.rate} Hz, {latency}"
            click.echo(f"{mark} {device.index:2d}  {device.name}  ({what})")
        if not found:
            click.echo("  none: connect one, or start an audio server; `noizestream render` needs none")
    click.echo("MIDI ports (play -m NUMBER or part of the name)")
    try:
        ports = rtmidi.ports()
    except NoizestreamError as error:
        click.echo(f"  {error}")
        return
    for port in ports:
        click.echo(f"{'*' if port.is_default else ' '} {port.index:2d}  {port.name}  ({port.api_name})")
    if not ports:
        click.echo("  none: play runs without")
