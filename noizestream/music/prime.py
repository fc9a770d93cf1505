"""The recording that a model goes on from: `--prime` of `render` and `play`."""

import contextlib
from pathlib import Path

import numpy as np

from noizestream.errors import NoizestreamError, option
from noizestream.music.decode import decode, header_seconds
from noizestream.music.skipped import Skip

LONGEST_S = 60.0
"""How much of a recording is heard before going on: an LSTM remembers no more."""
SHORTEST_S = 0.5


def read_prime(path: str | Path, sample_rate: int) -> np.ndarray:
    """The last `LONGEST_S` seconds of the recording at `path`, whatever its rate: float32 [channels, n] at `sample_rate` Hz.

    NoizestreamError in one line if it cannot be read, lasts less than `SHORTEST_S` or has samples that are no numbers.
    """
    try:
        audio = _end_of(Path(path), sample_rate)[:, -round(LONGEST_S * sample_rate) :]
    except Skip as error:
        raise NoizestreamError(f"{option('prime')} {path}: {error}") from None
    seconds = audio.shape[1] / sample_rate
    if seconds < SHORTEST_S:
        raise NoizestreamError(f"{option('prime')} {path}: too short: {seconds:.2f} s, give at least {SHORTEST_S:g} s")
    if not np.isfinite(audio).all():
        raise NoizestreamError(f"{option('prime')} {path}: has NaN or infinite samples")
    return audio


def _end_of(path: Path, sample_rate: int) -> np.ndarray:
    """The whole of a short recording, of a long one not much more than what is wanted."""
    start_s = header_seconds(path) - LONGEST_S - 1
    if start_s > 0:
        with contextlib.suppress(Skip):  # shorter than its header says
            audio = decode(path, sample_rate, start_s)
            if audio.shape[1] >= LONGEST_S * sample_rate:
                return audio
    return decode(path, sample_rate)
