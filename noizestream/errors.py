"""The one error a person sees: a single line that names what is wrong and which knob to turn."""


class NoizestreamError(Exception):
    """Something the user can mend. The command line prints it as one line and exits with 1."""


class UsageError(NoizestreamError):
    """An option or argument is out of range or unknown. The command line exits with 2."""


_SPELT = {"output": "-o", "memory_mb": "--memory"}
"""Options that are not spelt as the argument is."""

_on_command_line = False


def on_command_line() -> None:
    """From now on messages name options, not arguments: this process is the command line."""
    global _on_command_line
    _on_command_line = True


def option(name: str) -> str:
    """How a message names the argument `name` to the person who gave it: `minutes` in Python, `--minutes` on the command line."""
    return _SPELT.get(name, f"--{name.replace('_', '-')}") if _on_command_line else name
