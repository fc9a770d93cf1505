"""`noizestream play`: the command line of a performance, and everything that can be wrong before anything opens."""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from noizestream.commands.options import MusicOptions, music_options, need_chord, seed_option
from noizestream.errors import UsageError

if TYPE_CHECKING:
    from noizestream.control.chord_keys import ChordKeys
    from noizestream.modelfile.metadata import Metadata

LATENCIES = {"low": 0.030, "default": 0.058, "high": 0.120}
"""Seconds of sound kept ready by name, measured in docs/playing.md: the first thing to raise where there are underruns."""

LATENCY_RANGE = (0.005, 2.0)
INTERRUPTED = 130
RENDER_SECONDS = 20


@dataclass(frozen=True)
class PlayOptions(MusicOptions):
    """What `play` is asked for, as the command line has it."""

    device: str | None
    midi: str | None
    latency: str
    seconds: float | None
    headless: bool
    record: Path | None
    stats: Path | None
    or_render: Path | None

    def check(self) -> None:
        """Raise UsageError for a length that is none and for a file that cannot be written."""
        from noizestream.session.recorder import check_take
        from noizestream.system import soundfiles
        from noizestream.system.files import check_output

        if self.seconds is not None and not self.seconds > 0:
            raise UsageError(f"--seconds: {self.seconds:g} is too short, give more than 0")
        if self.stats is not None:
            check_output(self.stats, "--stats")
        if self.or_render is not None:
            soundfiles.check_output(self.or_render, "--or-render")
        if self.record is not None:
            check_take(self.record)

    def chord_keys(self, models: "list[Metadata]") -> "ChordKeys | None":
        """Return the keys that name chords; UsageError if none of `models` has a chord."""
        from noizestream.control.chord_keys import ChordKeys

        if self.chords is None:
            return None
        keys = ChordKeys.parse(self.chords)
        need_chord(*models)
        return keys


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("-d", "--device", help="Audio device: number or part of its name (`noizestream devices`).")
@click.option("-m", "--midi", help="MIDI port: number or part of its name.")
@music_options(
    genre=("TEXT", 'Genre to begin with, or a mix such as "Jazz:0.5,Folk:0.5".'),
    chords=("CHANNEL|LOW-HIGH", "Notes of this MIDI channel, or of this zone (C3-C5), name the chord."),
    primed="MODEL",
)
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
    from noizestream.control.state import LiveState
    from noizestream.modelfile import archive
    from noizestream.system.jsonfile import write_json

    asked = PlayOptions.of(options)
    paths = [archive.find_model(model) for model in models or (None,)]
    metadata = [archive.read_metadata(path) for path in paths]
    values = asked.values(metadata[0])
    chord_keys = asked.chord_keys(metadata)
    state = LiveState(metadata, metadata[0].genre_weights(asked.genre), values)
    kept_s = latency_seconds(asked.latency)
    asked.check()
    heard = asked.heard(metadata[0])

    from noizestream.devices.portaudio import NoAudioDevice
    from noizestream.session.interrupts import Interrupts
    from noizestream.session.session import Session
    from noizestream.ui.status import summary

    exact, relaxed = asked.latency not in LATENCIES, asked.latency == "high"
    performance = Session(
        paths, state, asked.device, asked.midi, kept_s, exact, relaxed, asked.seed, asked.record, heard, chord_keys
    )
    with Interrupts() as interrupts:
        try:
            interrupted = performance.play(interrupts, asked.seconds, status_line=not asked.headless)
        except NoAudioDevice as error:
            if asked.or_render is None:
                raise
            click.echo(f"noizestream: {error}", err=True)
            return render_instead(paths[0], asked.or_render, asked, values)
        finally:
            if asked.stats is not None and performance.sounded:
                write_json(asked.stats, performance.results, "--stats")
        if performance.screen.stuck:
            os._exit(INTERRUPTED if interrupted else 0)  # a terminal that takes nothing would keep us here for ever
        with contextlib.suppress(OSError):  # a terminal that has been closed
            click.echo("\n".join(summary(performance.results)))
    return INTERRUPTED if interrupted else 0


def latency_seconds(asked: str) -> float:
    """Return the seconds of sound to keep ready for `--latency asked`; UsageError for anything else."""
    if asked in LATENCIES:
        return LATENCIES[asked]
    low, high = LATENCY_RANGE
    try:
        seconds = float(asked)
    except ValueError:
        seconds = -1.0
    if not low <= seconds <= high:
        raise UsageError(f"--latency: {asked} is not possible, give low, high or {low:g} to {high:g} seconds")
    return seconds


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
