"""How tracks are cut into the pieces that are decoded: by what their headers say, where that can be believed."""

import math
from dataclasses import dataclass
from pathlib import Path

from noizestream.music.decode import MIN_S, header_seconds
from noizestream.music.headers import mp3_bytes_s
from noizestream.music.tracks import Track
from noizestream.system.files import not_a_file

PIECE_S = 300.0
"""Tracks longer than this are decoded in equal pieces of at most this length plus `MIN_S`."""
BYTES_S = {".wav": 88_200.0, ".aif": 88_200.0, ".aiff": 88_200.0, ".flac": 50_000.0}
"""Bytes of a second, about, by which a file's length is guessed that does not say it."""
FEW_BYTES_S = 8000.0
"""The same of all others: 64 kbit/s."""


@dataclass(frozen=True)
class Cut:
    """`seconds` of `track` from `start_s` on (None: all of it, however long), about `expected_s` long.

    `known` is whether a header tells that the track is as long as that.
    """

    track: Track
    start_s: float
    seconds: float | None
    expected_s: float
    known: bool = True

    def middle(self, seconds: float) -> "Cut":
        """Return so many `seconds` of the cut's middle, if it is longer; of its beginning where nobody knows its length."""
        if self.expected_s <= seconds:
            return self
        start_s = self.start_s + (self.expected_s - seconds) / 2 if self.known else self.start_s
        return Cut(self.track, start_s, seconds, seconds, self.known)


def cuts_of(track: Track) -> list[Cut]:
    """Return all of `track` in equal pieces of at most `PIECE_S` (and a little); in one where its length is unknown."""
    seconds = header_seconds(track.path)
    if not seconds:
        return [Cut(track, 0.0, None, _guessed(track.path), False)]
    count = max(1, math.ceil((seconds - MIN_S) / PIECE_S))
    if count == 1:
        return [Cut(track, 0.0, None, seconds)]
    return [Cut(track, n * seconds / count, seconds / count, seconds / count) for n in range(count)]


def _guessed(path: Path) -> float:
    """How many seconds a file may last that does not say it."""
    try:
        ending = path.suffix.lower()
        told = mp3_bytes_s(path) if ending == ".mp3" and not not_a_file(path) else None
        return path.stat().st_size / (told or BYTES_S.get(ending, FEW_BYTES_S))
    except OSError:  # decoding will say why
        return 0.0
