"""`noizestream play`: the command line of a session, wired to the terminal."""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from noizestream.commands.options import CHANNEL_OPTION, CHORD_KEYS, MAP_OPTION, MusicOptions, music_options, seed_option

INTERRUPTED = 130
RENDER_SECONDS = 20


@dataclass(frozen=True)
class PlayOptions(MusicOptions):
    """What `play` is asked for, as the command line has it."""

    device: str | None
    midi: str | None
    virtual: bool
    channel: str
    latency: str
    seconds: float | None
    headless: bool
    record: Path | None
    stats: Path | None
    or_render: Path | None
    osc: str | None
    map: str | None

    def check(self) -> None:
        """Raise UsageError for a file that cannot be written."""
        from noizestream.system import files, soundfiles

        if self.stats is not None:
            files.check_output(self.stats, "--stats")
        if self.or_render is not None:
            soundfiles.check_output(self.or_render, "--or-render")


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("-d", "--device", help="Audio device: number or part of its name (`noizestream devices`).")
@click.option("-m", "--midi", help="MIDI port: number or part of its name.")
@click.option("--virtual", is_flag=True, help="Make a MIDI port, which others connect to, in place of -m.")
@CHANNEL_OPTION
@MAP_OPTION
@music_options(
    genre=("TEXT", 'Genre to begin with, or a mix such as "Jazz:0.5,Folk:0.5".'),
    chords=CHORD_KEYS,
    primed="MODEL",
)
@click.option("--osc", metavar="[HOST:]PORT", help="Listen to OSC there (`noizestream osc`); without HOST from this machine only.")
@click.option("--latency", default="default", metavar="low|high|SECONDS", help="How much sound is kept ready.")
@click.option("--seconds", type=float, help="Stop after so many seconds; else Ctrl-C stops.")
@click.option("--headless", is_flag=True, help="No status line.")
@click.option("--record", type=Path, metavar="WAV", help="Record what is played: 24 bit, of any length.")
@click.option("--stats", type=Path, metavar="JSON", help="Write the final statistics to this file.")
@seed_option("Same seed, same controls: same music.")
@click.option(
    "--or-render",
    type=Path,
    metavar="WAV",
    envvar="NOIZESTREAM_WITHOUT_DEVICE",
    help=f"Without an audio device: render {RENDER_SECONDS} s to this file.",
)
def command(models: tuple[str, ...], **options: Any) -> int:
    """Play MODEL (or the bundled one) live: pads and program changes switch genre, the mod wheel is temperature.

    Of several models the first plays; bank select (CC 0) changes to another.
    """
    from noizestream.devices.portaudio import NoAudioDevice
    from noizestream.modelfile import archive
    from noizestream.session.interrupts import Interrupts
    from noizestream.session.request import SessionRequest
    from noizestream.session.session import Session
    from noizestream.system import jsonfile
    from noizestream.ui.screen import Screen
    from noizestream.ui.status import summary

    asked = PlayOptions.of(options)
    paths = [archive.find_model(model) for model in models or (None,)]
    values = asked.values(archive.read_metadata(paths[0]))
    session = Session(
        SessionRequest(
            models=paths,
            genre=asked.genre,
            controls=values,
            device=asked.device,
            midi=asked.midi,
            virtual=asked.virtual,
            channel=asked.channel,
            chords=asked.chords,
            latency=asked.latency,
            seed=asked.seed,
            prime=asked.prime,
            record=asked.record,
            osc=asked.osc,
            map=asked.map,
        )
    )
    asked.check()
    screen = Screen(status_line=not asked.headless)
    screen.follow(session)
    with Interrupts() as interrupts:
        try:
            with screen:
                interrupted = session.play(asked.seconds, interrupts)
        except NoAudioDevice as error:
            if asked.or_render is None:
                raise
            click.echo(f"noizestream: {error}", err=True)
            return render_instead(paths[0], asked.or_render, asked, values)
        finally:
            if asked.stats is not None and session.sounded:
                jsonfile.write_json(asked.stats, session.results, "--stats")
        if screen.stuck:
            os._exit(INTERRUPTED if interrupted else 0)  # a terminal that takes nothing would keep us here for ever
        if session.results:
            with contextlib.suppress(OSError):  # a terminal that has been closed
                click.echo("\n".join(summary(session.results)))
    return INTERRUPTED if interrupted else 0


def render_instead(path: Path, wav: Path, asked: MusicOptions, values: dict[str, float]) -> int:
    """Render a WAV in a process of its own (this one stays free of torch); return its exit code."""
    arguments = [str(path), "-o", str(wav), "--seconds", str(RENDER_SECONDS), "--seed", str(asked.seed)]
    if asked.genre is not None:
        arguments += ["-g", asked.genre]
    for name, value in values.items():
        arguments += ["--set", f"{name}={value}"]
    if asked.prime is not None:
        arguments += ["--prime", asked.prime]
    click.echo(f"rendering {RENDER_SECONDS} s of {path.stem} to {wav} instead")
    return subprocess.run([sys.executable, "-m", "noizestream.cli", "render", *arguments], check=False).returncode
