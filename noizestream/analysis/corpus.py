"""The real side of a comparison: every genre of a library, described and kept in the feature cache.

The library's own split is honoured: test clips are held out, or validation clips where there are none. Where a genre has neither,
the whole tracks are that `train` never learns from either, if there are many; else the last `HELD_OUT` of every clip. Of that,
`train` never learns from the last half (`UNSEEN`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from noizestream.analysis.description import MELS_PER_S, describe_real, mean_image, mean_measures
from noizestream.analysis.measures import Measures
from noizestream.analysis.notes import NoteFigures, mean_figures
from noizestream.errors import NoizestreamError
from noizestream.music.cache import Entry, FeatureCache, PieceCache
from noizestream.music.cuts import PIECE_S
from noizestream.music.decode import RATE
from noizestream.music.parallel import decode_all
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track, set_aside

SETTINGS = {"what": "analysis", "version": 10, "rate": RATE, "piece": PIECE_S}
HELD_OUT = 0.2
UNSEEN = 0.1


@dataclass(frozen=True)
class Piece:
    """A piece of `track` that begins `start_s` into it. Up to `known_s` it may be learned from; from `unseen_s` nobody did."""

    track: Track
    start_s: float
    seconds: float
    known_s: float
    unseen_s: float
    arrays: Mapping[str, np.ndarray]

    @property
    def known_mels(self) -> np.ndarray:
        """Log-mels [T, 80] of what may be learned from."""
        return self.arrays["mels"][: int(self.known_s * MELS_PER_S)]

    @property
    def held_out_mels(self) -> np.ndarray:
        """Log-mels [T, 80] of what is held out; where the piece is cut, they begin a second after the known part."""
        first = int((self.known_s + 1) * MELS_PER_S) if self.known_s else 0
        return self.arrays["mels"][first:]


@dataclass(frozen=True)
class Real:
    """One genre of the library: its pieces, and the figures of all of them together."""

    pieces: tuple[Piece, ...]

    @property
    def seconds(self) -> float:
        """How long all pieces last together."""
        return sum(piece.seconds for piece in self.pieces)

    @property
    def train(self) -> np.ndarray:
        """Window features [n, F] of what is known."""
        return np.concatenate([piece.arrays["features"][: _cut(piece)] for piece in self.pieces])

    @property
    def held_out(self) -> np.ndarray:
        """Window features [n, F] of what is held out; the window between overlaps both and is left out."""
        return np.concatenate([piece.arrays["features"][_cut(piece) + (_cut(piece) > 0) :] for piece in self.pieces])

    @property
    def control(self) -> np.ndarray:
        """Window features [n, F] of the shuffled control: the same frames in another order."""
        return self._rows("control_features")

    @property
    def measures(self) -> Measures:
        """How alive the music is, as the mean over the stretches of its pieces."""
        return mean_measures(self._rows("measures"))

    @property
    def image(self) -> np.ndarray:
        """Width, size of the pan and motion [3], longer pieces counting more."""
        return mean_image([piece.arrays for piece in self.pieces])

    @property
    def control_measures(self) -> Measures:
        """How alive the shuffled control is: what the measures are worth without any order in time."""
        return mean_measures(self._rows("control_measures"))

    @property
    def notes(self) -> NoteFigures:
        """What notes and chords there are in the music, as the mean over the stretches that have any."""
        return mean_figures(self._rows("notes"))

    @property
    def control_notes(self) -> NoteFigures:
        """What is taken for notes and chords in the shuffled control."""
        return mean_figures(self._rows("control_notes"))

    def mels(self, control: bool = False) -> list[np.ndarray]:
        """Log-mels [T, 80] of every piece, or of its shuffled control."""
        return [piece.arrays["control_mels" if control else "mels"] for piece in self.pieces]

    def _rows(self, name: str) -> np.ndarray:
        return np.concatenate([piece.arrays[name] for piece in self.pieces])


def describe(
    library: Library, skipped: list[Skipped], workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Real]:
    """Return genre -> `Real`, from the cache where it can; bad files are added to `skipped`.

    NoizestreamError when nothing is left.
    """
    store = PieceCache(FeatureCache(SETTINGS))
    found = {track: store.get(track) for track in library.tracks}
    missing = [track for track in library.tracks if not found[track]]
    for decoded in decode_all(missing, skipped, workers=workers, then=describe_real, progress=progress):
        found[decoded.track].append((decoded.start_s, store.put(decoded.track, decoded.start_s, decoded.audio)))
    for track in missing:
        store.close(track)
    genres = sorted({track.genre for track in library.tracks if found[track]})
    if not genres:
        raise NoizestreamError(f"{library.name}: nothing to compare with, every file was skipped")
    return {genre: _genre([track for track in library.tracks if track.genre == genre], found) for genre in genres}


def _genre(tracks: list[Track], found: dict[Track, list[tuple[float, Entry]]]) -> Real:
    splits = {track.split for track in tracks if found[track]}
    split = next((split for split in ("test", "validation") if split in splits and len(splits) > 1), None)
    read = {track for track in tracks if found[track]}
    # Of the list as it is, whatever could be read of it: so does training.
    aside = read & (set_aside(tracks, UNSEEN) if split is None else {track for track in tracks if track.split == split})
    if aside == read:
        aside = set()
    pieces = []
    for track in tracks:
        for start_s, arrays in found[track]:
            seconds = float(arrays["seconds"][0])
            known, unseen = (0.0, 0.0) if track in aside else (seconds, seconds)
            if not aside:
                known, unseen = seconds * (1 - HELD_OUT), seconds * (1 - UNSEEN)
            pieces.append(Piece(track, start_s, seconds, known, unseen, arrays))
    return Real(tuple(pieces))


def _cut(piece: Piece) -> int:
    """How many of the piece's windows are known."""
    count = len(piece.arrays["features"])
    return max(1, round(count * piece.known_s / piece.seconds)) if piece.known_s else 0
