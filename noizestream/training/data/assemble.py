"""The end of preparing: the features of all tracks become the prepared set. Genres, what is held out, the genres' own figures."""

import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.analysis.beats import fold
from noizestream.errors import option
from noizestream.music.cache import Entry
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track, set_aside
from noizestream.nn.spectral import SpectralFront
from noizestream.system.files import writing
from noizestream.training.config import Config
from noizestream.training.data.dataset import Piece, Prepared

MIN_HOLDOUT_FRAMES = 128
STEREO_SHARE = 0.1
"""Music is learned in stereo where at least this share of it is. Less would be a model that is mono most of the time."""
STEREO_WIDTH = 0.02
"""A track is stereo when its side has at least this share of its middle's amplitude: less is what a converter adds."""


def assemble(
    known: list[tuple[Track, Entry]],
    library: Library,
    config: Config,
    folder: Path,
    skipped: list[Skipped],
    front: SpectralFront,
) -> Prepared:
    """Write the prepared set into `folder` and return it. `known` are the arrays of every piece, as `extract` made them by `front`.

    They are in the order of the library. Arrays become links into the feature cache. A genre without a training track is left out,
    and said so in `skipped`.
    """
    genres = sorted({track.genre for track, _ in known if track.split != "validation"})
    skipped += [Skipped(str(t.path), f"its genre {t.genre} has no training track") for t, _ in known if t.genre not in genres]
    known = [(track, arrays) for track, arrays in known if track.genre in genres]
    aside = _held_out(known, genres, set_apart(library, config.holdout))
    learned = [(t, arrays) for t, arrays in known if t.split != "validation" and t not in aside]
    of_genre = {genre: [arrays for t, arrays in learned if t.genre == genre] for genre in genres}
    tempos = [_tempo(of_genre[genre]) for genre in genres]
    channels = config.channels or _channels([arrays for t, arrays in known if t.split != "validation"])
    validated = {track.genre for track, _ in known if track.split == "validation" or track in aside}
    pieces: list[Piece] = []
    for number, (track, arrays) in enumerate(known):
        label = genres.index(track.genre)
        _write(arrays, folder, f"{number:05d}", fold(float(arrays["tempo"][0]), tempos[label]))
        piece = Piece(f"{number:05d}", label, "training", 0, arrays.rows("bands"), float(arrays["pulse"][0]))
        pieces += _split(piece, track.split == "validation" or track in aside, track.genre not in validated, config.holdout)
    prepared = Prepared(
        folder=folder,
        genres=genres,
        sample_rate=config.sample_rate,
        block=front.block,
        channels=channels,
        bands=front.bands if channels == 2 else front.tones,
        tempos=tempos,
        beaten=[_beaten(of_genre[genre]) for genre in genres],
        seconds=[float(sum(a.rows("bands") for a in of_genre[genre]) * front.block / config.sample_rate) for genre in genres],
        tracks=[len({t.path for t, _ in learned if t.genre == genre}) for genre in genres],
        pieces=pieces,
        credits=_credits([track for track, _ in known]),
        skipped=[asdict(entry) for entry in skipped],
    )
    prepared.save()
    return prepared


def _held_out(known: list[tuple[Track, Entry]], genres: list[str], apart: set[Track]) -> set[Track]:
    """Which tracks that are set `apart` are held out: not where nothing else of a genre could be used."""
    aside = apart & {track for track, _ in known}
    for genre in genres:
        own = {track for track, _ in known if track.genre == genre and track.split != "validation"}
        aside -= own if own <= aside else set()
    return aside


def _tempo(pieces: list[Entry]) -> float:
    """The tempo of a genre in BPM: the median of its pieces, all in the octave that is the most common."""
    found = np.array([arrays["tempo"][0] for arrays in pieces])
    middle = float(np.median(found))
    return float(np.exp(np.median(np.log([t * fold(t, middle) for t in found]))))


def _beaten(pieces: list[Entry]) -> float:
    """How far the beats of a genre can be believed, 0..1."""
    return float(np.mean([Piece("", 0, "", 0, 0, arrays["pulse"][0]).confidence for arrays in pieces]))


def _write(arrays: Entry, folder: Path, entry: str, multiple: float) -> None:
    """The arrays of a piece, named `entry`, with `multiple` times as many beats as were tracked."""
    with writing(folder, "make room, or name another folder with " + option("run")):
        for name in ("bands", "sound", "struck", "chroma", "samples"):
            if name in arrays:
                _link(arrays.path(name), folder / f"{entry}.{name}.npy")
        np.save(folder / f"{entry}.beats.npy", np.asarray(arrays["beats"]) * np.float32(multiple))


def _channels(known: list[Entry]) -> int:
    """2 where enough of the music is stereo, else 1."""
    frames = np.array([arrays.rows("bands") for arrays in known])
    stereo = np.array([arrays["width"][0] >= STEREO_WIDTH for arrays in known])
    return 2 if frames @ stereo >= STEREO_SHARE * frames.sum() else 1


def _split(piece: Piece, whole: bool, hold_out: bool, share: float) -> list[Piece]:
    """The pieces of one entry: held out as a `whole`, or only its last part where nothing else of the genre is held out."""
    if whole:
        return [replace(piece, split="validation")]
    held = int(piece.last * share) if hold_out else 0
    if held < MIN_HOLDOUT_FRAMES:
        held = 0
    pieces = [replace(piece, last=piece.last - held)]
    if held:
        pieces.append(replace(piece, split="validation", first=piece.last - held))
    return pieces


def set_apart(library: Library, share: float) -> set[Track]:
    """Whole tracks to validate on, of the genres that have many and no validation clips of their own; spread over the list.

    The library alone decides, not what could be decoded of it or was taken this time: evaluation sets the same ones apart.
    """
    apart: set[Track] = set()
    for genre in library.genres:
        own = [track for track in library.tracks if track.genre == genre and track.split != "test"]
        if not any(track.split == "validation" for track in own):
            apart |= set_aside(own, share)
    return apart


def _link(source: Path, target: Path) -> None:
    """Share the cache's file where the file system allows, else copy it: the folder must survive an emptied cache."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _credits(tracks: list[Track]) -> list[dict[str, str]]:
    """Each work once: title, artist, licence, as far as the library tells."""
    works: dict[tuple[str, str, str], Any] = {}
    for track in tracks:
        if track.title or track.artist or track.licence:
            works.setdefault((track.title, track.artist, track.licence), None)
    return [{"title": title, "artist": artist, "licence": licence} for title, artist, licence in works]
