"""Keeps libjack from starting a server and from printing; stderr as a whole: noizestream/system/stderr.py."""

import contextlib
import ctypes
import os
from pathlib import Path


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
