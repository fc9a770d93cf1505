"""`noizestream play`: the command line of a session, wired to the terminal."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import click

from noizestream.control.parameters import TEMPERATURE, TEMPO

INTERRUPTED = 130
RENDER_SECONDS = 20


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("-d", "--device", help="Audio device: number or part of its name (`noizestream devices`).")
@click.option("-m", "--midi", help="MIDI port: number or part of its name.")
@click.option("-g", "--genre", help='Genre to begin with, or a mix such as "Jazz:0.5,Folk:0.5".')
@click.option("-t", "--temperature", type=float, help=TEMPERATURE.help + ".")
@click.option("--tempo", type=float, metavar="BPM", help=TEMPO.help + ".")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a control that the model declares; repeatable.")
@click.option("--chords", metavar="CHANNEL|LOW-HIGH", help="Notes of this MIDI channel, or of this zone (C3-C5), name the chord.")
@click.option("--prime", metavar="AUDIO", help="Begin where this recording ends: MODEL hears it first.")
@click.option("--latency", default="default", metavar="low|high|SECONDS", help="How much sound is kept ready.")
@click.option("--seconds", type=float, help="Stop after so many seconds; else Ctrl-C stops.")
@click.option("--headless", is_flag=True, help="No status line.")
@click.option("--record", type=Path, metavar="WAV", help="Record what is played: 24 bit, of any length.")
@click.option("--stats", type=Path, metavar="JSON", help="Write the final statistics to this file.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Same seed, same controls: same music.")
@click.option(
    "--or-render",
    type=Path,
    metavar="WAV",
    envvar="NOIZESTREAM_WITHOUT_DEVICE",
    help=f"Without an audio device: render {RENDER_SECONDS} s to this file.",
)
def command(
    models: tuple[str, ...],
    device: str | None,
    midi: str | None,
    genre: str | None,
    temperature: float | None,
    tempo: float | None,
    settings: tuple[str, ...],
    chords: str | None,
    prime: str | None,
    latency: str,
    seconds: float | None,
    headless: bool,
    record: Path | None,
    stats: Path | None,
    seed: int,
    or_render: Path | None,
) -> int:
    """Play MODEL (or the bundled one) live: pads and program changes switch genre, the mod wheel is temperature.

    Of several models the first plays; bank select (CC 0) changes to another.
    """
    from noizestream.control.settings import parse_settings
    from noizestream.devices.portaudio import NoAudioDevice
    from noizestream.modelfile import archive
    from noizestream.session.interrupts import Interrupts
    from noizestream.session.request import SessionRequest
    from noizestream.session.session import Session
    from noizestream.system import files, jsonfile, soundfiles
    from noizestream.ui.screen import Screen
    from noizestream.ui.status import summary

    paths = [archive.find_model(model) for model in models or (None,)]
    values = parse_settings(archive.read_metadata(paths[0]), settings, {TEMPERATURE.name: temperature, TEMPO.name: tempo})
    session = Session(SessionRequest(paths, genre, values, device, midi, chords, latency, seed, prime, record))
    if stats is not None:
        files.check_output(stats, "--stats")
    if or_render is not None:
        soundfiles.check_output(or_render, "--or-render")
    screen = Screen(status_line=not headless)
    screen.follow(session)
    with Interrupts() as interrupts:
        try:
            with screen:
                interrupted = session.play(seconds, interrupts)
        except NoAudioDevice as error:
            if or_render is None:
                raise
            click.echo(f"noizestream: {error}", err=True)
            return render_instead(paths[0], or_render, genre, values, seed, prime)
        finally:
            if stats is not None and session.sounded:
                jsonfile.write_json(stats, session.results, "--stats")
        if screen.stuck:
            os._exit(INTERRUPTED if interrupted else 0)  # a terminal that takes nothing would keep us here for ever
        if session.results:
            with contextlib.suppress(OSError):  # a terminal that has been closed
                click.echo("\n".join(summary(session.results)))
    return INTERRUPTED if interrupted else 0


def render_instead(path: Path, wav: Path, genre: str | None, values: dict[str, float], seed: int, prime: str | None = None) -> int:
    """Render a WAV in a process of its own (this one stays free of torch); return its exit code."""
    arguments = [str(path), "-o", str(wav), "--seconds", str(RENDER_SECONDS), "--seed", str(seed)]
    if genre is not None:
        arguments += ["-g", genre]
    for name, value in values.items():
        arguments += ["--set", f"{name}={value}"]
    if prime is not None:
        arguments += ["--prime", prime]
    click.echo(f"rendering {RENDER_SECONDS} s of {path.stem} to {wav} instead")
    return subprocess.run([sys.executable, "-m", "noizestream.cli", "render", *arguments], check=False).returncode
