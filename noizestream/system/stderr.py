"""Keeps what C libraries (ALSA, JACK, PortAudio, mpg123) print on stderr, past Python, off the user's screen."""

import contextlib
import os
import sys
from collections.abc import Iterator


def silence_stderr() -> None:
    """Send file descriptor 2 of this process to nowhere, for good."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere inside the `with` block; Python exceptions pass as usual. Not for while it plays."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):  # started without a stderr
        yield
        return
    try:
        silence_stderr()
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
