"""Keeps what C libraries (ALSA, JACK, PortAudio) print on stderr off the user's screen."""

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send file descriptor 2 to the null device inside the block; Python exceptions pass as usual. Not for while it plays."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):  # started without a stderr
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def no_server_start() -> None:
    """Forbid libjack to start a JACK server by itself: asking what is there must not change what is there."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
