"""The `noizestream` command: a group that imports a command's module only when that command runs."""

import contextlib
import importlib
import os
import sys

import click

from noizestream.errors import NoizestreamError, UsageError, on_command_line
from noizestream.system.files import home, reason
from noizestream.system.names import shortened
from noizestream.system.streams import close_output, open_standard_streams

COMMANDS = {
    "train": "Learn a model from your own music, sorted by genre.",
    "play": "Play a model live, with MIDI.",
    "render": "Render a model to a WAV file, faster than real time.",
    "devices": "List audio devices and MIDI ports.",
    "midi": "Show what a controller sends, and learn a map from it.",
    "osc": "Show the OSC addresses that `play --osc` answers to.",
    "info": "Show what is in a model file.",
    "bench": "Measure what a model costs here, and which latency is safe.",
    "doctor": "Show what works on this machine; a bug report pastes it.",
    "view": "Draw audio as samples, envelope or spectrogram.",
    "evaluate": "Measure how good a model is, against real music.",
    "studio": "Write the built-in corpus: synthesised genres, a folder each.",
}
"""Command name -> the line that `--help` shows; the command itself is `noizestream.commands.NAME:command`."""


class LazyGroup(click.Group):
    """A group whose `--help` imports none of its commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the table `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of the command `name` and return the command; None if there is none of that name."""
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"noizestream.commands.{name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands for `--help` from the table `COMMANDS`, so that no command need be imported."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="noizestream")
def group() -> None:
    """Neural music you play live: learn an LSTM from your own music, then play it with a MIDI controller."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed with one line, 2 wrong usage, 130 interrupted."""
    # The int8 kernels of torch print a C++ warning at load; it must be silenced before torch is first imported.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    on_command_line()
    open_standard_streams()
    with contextlib.suppress(NoizestreamError):  # who needs a home will say so
        home()
    try:
        _check_folder()
        code = group.main(prog_name="noizestream", standalone_mode=False) or 0
        if code == 0:
            close_output()
        sys.exit(code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except NoizestreamError as error:
        click.echo(f"noizestream: {shortened(str(error))}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except OSError as error:  # of a disk, a device or a pipe, where nothing better is known to say
        what = f"{error.filename}: " if error.filename else ""
        click.echo(shortened(f"noizestream: {what}{reason(error)}"), err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo("noizestream: interrupted", err=True)
        sys.exit(130)


def _check_folder() -> None:
    """NoizestreamError where the working directory has been deleted: torch's libraries end the process without a word to trust."""
    try:
        os.getcwd()
    except OSError:
        raise NoizestreamError("the working directory is gone, go to another (cd) and start again") from None


if __name__ == "__main__":
    main()
