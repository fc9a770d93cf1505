"""`noizestream render`: a model to a WAV or FLAC file."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from noizestream.commands.options import MusicOptions, music_options, seed_option
from noizestream.control.parameters import TEMPO
from noizestream.errors import UsageError

if TYPE_CHECKING:
    from noizestream.control.chords import Schedule
    from noizestream.modelfile.metadata import Metadata


@dataclass(frozen=True)
class RenderOptions(MusicOptions):
    """What `render` is asked for: `seconds` of music in the file `output`."""

    output: str
    seconds: float

    def check(self) -> None:
        """Raise UsageError for a length that is none."""
        if not 0 < self.seconds < float("inf"):
            raise UsageError(f"--seconds: {self.seconds:g} is out of range, give more than 0")

    def schedule(self, metadata: "Metadata") -> "Schedule | None":
        """Return what `--chords` means; UsageError if the model has no chord to set, NoizestreamError for a file without any."""
        from noizestream.control.chord_file import is_file, read_chords
        from noizestream.control.chords import parse_schedule
        from noizestream.control.settings import need_chord

        if self.chords is None:
            return None
        need_chord(metadata)
        return read_chords(self.chords) if is_file(self.chords) else parse_schedule(self.chords)


@click.command()
@click.argument("model", required=False)
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .wav or .flac, 24 bit.")
@click.option("--seconds", type=float, default=30.0, show_default=True, help="Length of the recording.")
@music_options(
    genre=("NAME", 'Genre, or a mix such as "Jazz:0.5,Folk:0.5" (default: the model\'s first).'),
    chords=('"Am:4 F:4"|FILE.mid', "Chords with their beats, over and over, or those of a MIDI file."),
    primed="the model",
)
@seed_option("The same seed gives the same bytes.")
def command(model: str | None, **options: Any) -> None:
    """Render MODEL (a file, or a bundled model's name; default: the bundled model) to a file, faster than real time."""
    from noizestream.modelfile import archive
    from noizestream.system.soundfiles import check_output

    # Everything that can be wrong is found before torch is imported.
    asked = RenderOptions.of(options)
    asked.check()
    path = archive.find_model(model)
    metadata = archive.read_metadata(path)
    weights = metadata.genre_weights(asked.genre)
    controls = asked.values(metadata)
    schedule = asked.schedule(metadata)
    bpm = controls.get(TEMPO.name) or metadata.own_tempo(weights)
    if schedule is not None and bpm is None:
        raise UsageError(f"--chords: {metadata.name} does not say its own tempo, give --tempo BPM")
    if schedule is not None and bpm is not None and TEMPO.name in [control["name"] for control in metadata.controls]:
        controls[TEMPO.name] = bpm  # else a model may follow the tempo of what it plays, and leave the chords behind
    check_output(asked.output, "-o")
    prime_audio = asked.prime_audio(metadata)

    from noizestream.control.conductor import Conductor
    from noizestream.engine.generator import load, prepare_torch
    from noizestream.engine.render import render
    from noizestream.ui.progress import LateBar

    prepare_torch()
    generator = load(path, asked.seed)
    generator.set_genre(weights)
    for name, value in controls.items():
        generator.set_control(name, value)
    if prime_audio is not None:
        generator.prime(prime_audio)
    conduct = None if schedule is None or bpm is None else Conductor(generator, schedule, bpm).conduct
    with LateBar(f"rendering {metadata.name}") as bar:
        factor = render(generator, asked.output, asked.seconds, bar, conduct)
    click.echo(f"{asked.output}: {asked.seconds:g} s of {metadata.name} at {metadata.sample_rate} Hz, {factor:.1f}x real time")
