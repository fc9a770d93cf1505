"""The recording that a model goes on from: `--prime` of `render` and `play`."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from noizestream.errors import NoizestreamError, option
from noizestream.music.decode import decode, header_seconds, pieces
from noizestream.music.examine import mend
from noizestream.music.skipped import Skip

LONGEST_S = 60.0
"""How much of a recording is heard before going on: an LSTM remembers no more."""
SHORTEST_S = 0.5


def read_prime(path: str | Path, sample_rate: int, say: Callable[[str], None] = lambda line: None) -> np.ndarray:
    """The last `LONGEST_S` seconds of the recording at `path`, whatever its rate: float32 [channels, n] at `sample_rate` Hz.

    What of it hides the music is mended, as in training, and a line given to `say`. NoizestreamError in one line if it cannot be
    read, lasts less than `SHORTEST_S` or has samples that are no numbers.
    """
    try:
        audio, note = mend(_end_of(Path(path), sample_rate), sample_rate)
    except Skip as error:
        raise NoizestreamError(f"{option('prime')} {path}: {error}") from None
    seconds = audio.shape[1] / sample_rate
    if seconds < SHORTEST_S:
        raise NoizestreamError(f"{option('prime')} {path}: too short: {seconds:.2f} s, give at least {SHORTEST_S:g} s")
    if note:
        say(f"{option('prime')} {path}: {note}")
    return audio


def _end_of(path: Path, sample_rate: int) -> np.ndarray:
    """The last `LONGEST_S` seconds at most, in not much more memory than these take."""
    wanted = round(LONGEST_S * sample_rate)
    start_s = header_seconds(path) - LONGEST_S - 1
    if start_s > 0:
        with contextlib.suppress(Skip):  # shorter than its header says
            audio = decode(path, sample_rate, start_s)
            if audio.shape[1] >= wanted:
                return audio[:, -wanted:]
    end = np.zeros((0, 0), np.float32)
    for _, piece in pieces(path, sample_rate, LONGEST_S):
        end = np.concatenate([end, piece], axis=1)[:, -wanted:] if len(end) else piece
    return end
