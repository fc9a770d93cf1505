"""The options that `play` and `render` share, one for each control that has a flag among them, and what they ask for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import click

from noizestream.control.parameters import PARAMETERS

if TYPE_CHECKING:
    import numpy as np

    from noizestream.modelfile.metadata import Metadata

Decorator = Callable[[Any], Any]

FLAGGED = tuple(row for row in PARAMETERS if row.flag)


def control_options() -> list[Decorator]:
    """Return a click option for every row of the table that has a flag, and `--set` for the others that act in the model."""
    flags = [click.option(*row.flag, row.name, type=float, metavar=row.unit or None, help=f"{row.help}.") for row in FLAGGED]
    text = "Set a control that the model declares; repeatable."
    return [*flags, click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=text)]


def music_options(genre: tuple[str, str], chords: tuple[str, str], primed: str) -> Decorator:
    """Return a decorator that gives a command the options of `MusicOptions` but `--seed`.

    `genre` and `chords` are the placeholder and the help of these two, `primed` is what the help calls the model.
    """
    options = [
        click.option("-g", "--genre", metavar=genre[0], help=genre[1]),
        *control_options(),
        click.option("--chords", metavar=chords[0], help=chords[1]),
        click.option("--prime", metavar="AUDIO", help=f"Begin where this recording ends: {primed} hears it first."),
    ]

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


CHANNEL_OPTION = click.option("--channel", default="all", metavar="1..16|all", help="MIDI channel that is listened to.")
MAP_OPTION = click.option(
    "--map", metavar="NAME|FILE", help="What the controls of the controller do: a map by its name, or a TOML file."
)
CHORD_KEYS = ("CHANNEL|LOW-HIGH", "Notes of this MIDI channel, or of this zone (C3-C5), name the chord.")
"""Placeholder and help of `--chords` where it names keys."""


def seed_option(text: str) -> Decorator:
    """Return the decorator that gives a command `--seed`, with `text` as its help."""
    return click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help=text)


@dataclass(frozen=True)
class MusicOptions:
    """What a person asks the music to be: `flags` are the values of the rows that have an option of their own (None: not given)."""

    genre: str | None
    flags: Mapping[str, float | None]
    settings: tuple[str, ...]
    chords: str | None
    prime: str | None
    seed: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return them from what click hands over, by name."""
        flags = {row.name: options[row.name] for row in FLAGGED}
        return cls(flags=flags, **{name: value for name, value in options.items() if name not in flags})

    def values(self, metadata: "Metadata") -> dict[str, float]:
        """Return the values of the model's controls that are asked for, by name; UsageError for what it does not take."""
        from noizestream.control.settings import parse_settings

        return parse_settings(metadata, self.settings, self.flags)

    def prime_audio(self, metadata: "Metadata") -> "np.ndarray | None":
        """Return what the model is to hear first, float32 [channels, n] at its rate, None for nothing; says what it makes of it."""
        from noizestream.music.prime import read_prime

        return None if self.prime is None else read_prime(self.prime, metadata.sample_rate, lambda line: click.echo(line, err=True))
