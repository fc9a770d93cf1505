"""The one error a person sees: a single line that names what is wrong and which knob to turn."""


class NoizestreamError(Exception):
    """Something the user can mend. The command line prints it as one line and exits with 1."""


class UsageError(NoizestreamError):
    """An option or argument is out of range or unknown. The command line exits with 2."""
