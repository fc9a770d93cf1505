"""The built-in corpus on disk: a folder per genre with WAV files, a table of what is in them, and the licence."""

import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import soundfile

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.music.studio.compose import draw, perform_song
from noizestream.music.studio.genres import GENRES, Genre
from noizestream.music.studio.oscillators import SAMPLE_RATE
from noizestream.system.files import whole

TRACK_SECONDS = 60.0
SHORTEST_SECONDS = 2.0

LICENCE = """Made by noizestream's studio: composed and synthesised by the program from the seeds in corpus.csv, with no
recording or sample of anybody else. Dedicated to the public domain under CC0 1.0, https://creativecommons.org/publicdomain/zero/1.0/
"""

_PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True)
class Track:
    """One file of the corpus: number `index` of its genre, from 1."""

    genre: Genre
    index: int
    seconds: float

    @property
    def path(self) -> Path:
        """Path inside the corpus."""
        return Path(self.genre.name, f"{self.genre.name}-{self.index:02d}.wav")


def plan(minutes: float) -> list[Track]:
    """Split `minutes` evenly over the genres, into tracks of about a minute: two at least where both can last 20 s.

    Raises UsageError when that leaves less than 2 s for a genre.
    """
    each = minutes * 60 / len(GENRES)
    if not SHORTEST_SECONDS <= each < 1e6:
        raise UsageError(f"{option('minutes')}: {minutes:g} is out of range, give {SHORTEST_SECONDS * len(GENRES) / 60:g} or more")
    count = max(round(each / TRACK_SECONDS), 2 if each >= 40 else 1)
    return [Track(genre, index, each / count) for genre in GENRES for index in range(1, count + 1)]


def write(directory: str | Path, minutes: float, seed: int, progress: Callable[[int, int, str], None] | None = None) -> list[Path]:
    """Write the corpus and return its WAV files: 48 kHz, stereo, 16 bit, `DIR/GENRE/GENRE-NN.wav`, beside `corpus.csv`.

    `progress(done, total, name)` is called before every track and once at the end. A file appears only when it is whole; files of
    these names are replaced, others stay. Raises UsageError for `minutes` or `seed` out of range, NoizestreamError where
    `directory` cannot be made or written; its parent must exist.
    """
    if seed < 0:
        raise UsageError(f"{option('seed')}: {seed} is out of range, give 0 or more")
    tracks = plan(minutes)
    root = Path(directory)
    if not os.path.isdir(root.absolute().parent):
        raise NoizestreamError(f"{root.absolute().parent}: no such folder, make it first or choose another for the corpus")
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["path", "genre", "bpm", "metre", "key", "seconds", "seed"])
    paths = []
    try:
        for done, track in enumerate(tracks):
            if progress:
                progress(done, len(tracks), track.path.name)
            path = root / track.path
            path.parent.mkdir(parents=True, exist_ok=True)
            song = draw(track.genre, (seed, track.index), track.seconds)
            audio = perform_song(track.genre, song)
            buffer = io.BytesIO()
            soundfile.write(buffer, audio.T, SAMPLE_RATE, subtype="PCM_16", format="WAV")
            _replace(path, buffer.getbuffer())
            beat = (f"{song.bpm:.2f}", song.metre) if track.genre.pulsed else ("", "")
            key = _PITCHES[song.root % 12]
            rows.writerow([track.path.as_posix(), track.genre.name, *beat, key, f"{track.seconds:.3f}", f"{seed} {track.index}"])
            paths.append(path)
        _replace(root / "corpus.csv", table.getvalue().encode())
        _replace(root / "LICENSE.txt", LICENCE.encode())
    except OSError as error:
        raise NoizestreamError(f"{error.filename or root}: cannot write the corpus, {error.strerror or error}") from error
    if progress:
        progress(len(tracks), len(tracks), "")
    return paths


def _replace(path: Path, content: bytes | memoryview) -> None:
    with whole(path) as partial:
        partial.write_bytes(content)
