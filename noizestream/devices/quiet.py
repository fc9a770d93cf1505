"""Keeps what C libraries (ALSA, JACK, PortAudio) print on stderr off the user's screen."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path


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


def no_stderr() -> None:
    """The same for a whole process, whose own errors go another way."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def no_server_start() -> None:
    """Forbid libjack to start a JACK server by itself: asking what is there must not change what is there."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")


def quiet_jack() -> None:
    """Keep every libjack in this process (wheels bring their own) from printing, now and later: it does when its server dies."""
    with contextlib.suppress(OSError, AttributeError):  # no Linux, or no such library: nothing to keep quiet
        loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libjack" in line}
        nothing = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p)  # takes a text, does no harm, needs no Python to be called
        for path in loaded:
            library = ctypes.CDLL(path)
            for setter in (library.jack_set_error_function, library.jack_set_info_function):
                setter.argtypes, setter.restype = [ctypes.c_void_p], None
                setter(nothing)
