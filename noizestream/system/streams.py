"""Standard output and standard error as the command line finds them: closed, full, or gone with their terminal."""

import io
import os
import sys
from typing import TextIO

from noizestream.system.names import REPLACING


class OutputError(OSError):
    """Standard output takes no more. It has no errno: click and rich would take a closed pipe for the end, and say nothing."""


class _Output(io.TextIOWrapper):
    """Raises OutputError when it cannot be written; what comes after that is lost."""

    failure: OutputError | None = None

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise self._failed(error) from None

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> OutputError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())  # for what lies in the buffers still
        os.close(null)
        self.failure = self.failure or OutputError(f"standard output: cannot be written ({error.strerror})")
        return self.failure


class _Messages(io.TextIOWrapper):
    """What cannot be written is lost: no progress bar is worth the work that it shows."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            return


def open_standard_streams() -> None:
    """Make what follows safe to print, whatever this process was started with.

    A descriptor that was closed leads nowhere: the next file that is opened, a recording, would take its number, and what C
    libraries print. No character stops the output: what it cannot show it replaces.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest number that is free: this one
    sys.stdout = _wrapped(_Output, sys.stdout)
    sys.stderr = _wrapped(_Messages, sys.stderr)


def close_output() -> None:
    """Write what is left to standard output; OutputError if any of it, now or before, could not be written."""
    sys.stdout.flush()
    if isinstance(sys.stdout, _Output) and sys.stdout.failure is not None:
        raise sys.stdout.failure


def _wrapped(kind: type[io.TextIOWrapper], stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):  # another program's own
        return stream
    return kind(stream.buffer, stream.encoding, REPLACING, line_buffering=stream.line_buffering)
