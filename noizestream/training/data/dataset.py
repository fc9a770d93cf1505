"""The prepared set: a folder of arrays and an index, all that the training loops read. Needs only numpy.

    index.json             genres, rate, block, tempos, pieces, credits, skipped files
    NNNN.bands.npy         float16 [T, bands]   log band magnitudes, then the stereo image (unused columns where `channels` is 1)
    NNNN.sound.npy         uint8 [T, size]      the audio as rows of the codec (nn/codec.py), always of two channels
    NNNN.struck.npy        uint8 [T, tones]     which share of every band is percussive (nn/layers.py, in_bytes)
    NNNN.beats.npy         float32 [T]          position in beats of every frame's middle
    NNNN.chroma.npy        float32 [C, 12]      chroma of the recording (analysis/chords.py)
    NNNN.samples.npy       float16 [T, block]   the audio itself, only for --arch raw

It can be copied to another machine as it is. Arrays are memory-mapped: memory does not grow with the library.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.system.jsonfile import write_json

INDEX = "index.json"
NO_PULSE, CLEAR_PULSE = 0.08, 0.2
"""Pulse clarity of music without a beat and of music whose beat is plain."""


@dataclass(frozen=True)
class Piece:
    """Frames `first` to `last` (excluded) of one entry.

    `pulse` is the pulse clarity of the recording, 0..1 (analysis/pulse.py).
    """

    entry: str
    genre: int
    split: str  # "training" or "validation"
    first: int
    last: int
    pulse: float = 1.0

    @property
    def frames(self) -> int:
        """How many frames (blocks of sound) it has."""
        return self.last - self.first

    @property
    def confidence(self) -> float:
        """How far the tracked beats can be believed, 0..1: below a pulse of `NO_PULSE` there is no beat to track."""
        return min(1.0, max(0.0, (self.pulse - NO_PULSE) / (CLEAR_PULSE - NO_PULSE)))


@dataclass(frozen=True)
class Prepared:
    """One per genre: `tempos` (BPM), `beaten` (confidence in the beats), `seconds`.

    `credits` name the works that a model learns from.
    """

    folder: Path
    genres: list[str]
    sample_rate: int
    block: int
    channels: int
    bands: int
    tempos: list[float]
    beaten: list[float]
    seconds: list[float]
    tracks: list[int]
    pieces: list[Piece]
    credits: list[dict[str, str]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)

    def of(self, split: str) -> list[Piece]:
        """Pieces of one split."""
        return [piece for piece in self.pieces if piece.split == split]

    def bands_of(self, piece: Piece) -> np.ndarray:
        """float16 [T, bands], memory-mapped."""
        return np.load(self.folder / f"{piece.entry}.bands.npy", mmap_mode="r")[piece.first : piece.last, : self.bands]

    def sound_of(self, piece: Piece) -> np.ndarray:
        """uint8 [T, size], memory-mapped."""
        return np.load(self.folder / f"{piece.entry}.sound.npy", mmap_mode="r")[piece.first : piece.last]

    def struck_of(self, piece: Piece) -> np.ndarray:
        """uint8 [T, tones], memory-mapped."""
        return np.load(self.folder / f"{piece.entry}.struck.npy", mmap_mode="r")[piece.first : piece.last]

    def beats_of(self, piece: Piece) -> np.ndarray:
        """float32 [T]."""
        return np.load(self.folder / f"{piece.entry}.beats.npy", mmap_mode="r")[piece.first : piece.last]

    def chroma_of(self, piece: Piece) -> np.ndarray:
        """float32 [C, 12], of the whole entry."""
        return np.load(self.folder / f"{piece.entry}.chroma.npy", mmap_mode="r")

    def samples_of(self, piece: Piece) -> np.ndarray:
        """float16 [T, block], memory-mapped; only where prepared for --arch raw."""
        return np.load(self.folder / f"{piece.entry}.samples.npy", mmap_mode="r")[piece.first : piece.last]

    def save(self) -> None:
        """Write the index into the folder, where the arrays are already; NoizestreamError if it cannot be written."""
        values: dict[str, Any] = asdict(self)
        del values["folder"]
        write_json(self.folder / INDEX, values)

    @classmethod
    def open(cls, folder: str | Path) -> "Prepared":
        """Read the index; NoizestreamError if `folder` is no complete prepared set."""
        folder = Path(folder)
        try:
            values = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            values["pieces"] = [Piece(**piece) for piece in values["pieces"]]
            return cls(folder=folder, **values)
        except (OSError, ValueError, KeyError, TypeError):
            raise NoizestreamError(f"{folder}: holds no prepared music (no complete {INDEX}), start the training anew") from None
