"""The work on one file, in a process of its own: its reasons to be skipped and its limits are its own too."""

import faulthandler
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.music import cuts
from noizestream.music.decode import MIN_S, decode, header_seconds, pieces
from noizestream.music.examine import examine
from noizestream.music.skipped import Skip, Skipped
from noizestream.music.tracks import Track


@dataclass(frozen=True)
class Decoded:
    """A piece of `track` that begins `start_s` seconds into it. `audio` is float32 [channels, n], or what `then` made of it."""

    track: Track
    start_s: float
    audio: Any


@dataclass(frozen=True)
class Task:
    """What a process does with a cut: `then(track, audio)` of it, or the audio at `rate` Hz, in at most `limit_s` seconds."""

    cut: cuts.Cut
    rate: int
    then: Callable[[Track, np.ndarray], Any] | None
    limit_s: float

    def run(self) -> list["Decoded | Skipped"]:
        """Return the results, and what went wrong as a `Skipped` each: an exception would lose its type on the way out."""
        found: list[Decoded | Skipped] = []
        try:
            for start_s, audio in self._pieces():
                found += self._one(start_s, audio)
            if self.cut.seconds is None:
                found += self._missing(start_s + audio.shape[1] / self.rate)
        except Skip as error:
            found.append(Skipped(str(self.cut.track.path), str(error)))
        except NoizestreamError:
            raise
        except Exception as error:  # whatever it is that one file makes fail, the others go on
            found.append(Skipped(str(self.cut.track.path), f"cannot be analysed ({type(error).__name__}: {error})"))
        return found

    def run_limited(self) -> list["Decoded | Skipped"]:
        """Return what `run` does, in a process that ends, whatever holds it, when `limit_s` is over."""
        with open(os.devnull, "w") as nowhere:
            faulthandler.dump_traceback_later(self.limit_s, exit=True, file=nowhere)
            try:
                return self.run()
            finally:
                faulthandler.cancel_dump_traceback_later()

    def _pieces(self) -> Iterator[tuple[float, np.ndarray]]:
        if self.cut.seconds is None:
            return pieces(self.cut.track.path, self.rate, cuts.PIECE_S, MIN_S)
        return iter([(self.cut.start_s, decode(self.cut.track.path, self.rate, self.cut.start_s, self.cut.seconds))])

    def _one(self, start_s: float, audio: np.ndarray) -> list["Decoded | Skipped"]:
        path = str(self.cut.track.path)
        try:
            audio, note = examine(audio, self.rate)
            decoded = Decoded(self.cut.track, start_s, audio if self.then is None else self.then(self.cut.track, audio))
        except Skip as error:
            return [Skipped(path, f"{error} (from {start_s:.0f} s)" if start_s else str(error))]
        return [decoded, Skipped(path, note, used=True)] if note else [decoded]

    def _missing(self, seconds: float) -> list[Skipped]:
        """What to say of a track of which `seconds` were read, if its header told of more."""
        told = header_seconds(self.cut.track.path)
        if told <= 1.05 * seconds + 0.5:
            return []
        note = f"cut off or damaged: {seconds:.1f} s can be read, its header says {told:.1f}"
        return [Skipped(str(self.cut.track.path), note, used=True)]
