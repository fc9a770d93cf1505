"""From a labelled library to a prepared set: decode, find the beats, analyse, in parallel and through the feature cache."""

import functools
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.music.cache import FeatureCache
from noizestream.music.decode import decode_all, header_seconds, require_some
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track, set_aside
from noizestream.training.config import Config
from noizestream.training.prepared import Piece, Prepared

FEATURES_VERSION = 4
"""Part of the cache key: raise it when the features change."""
MIN_HOLDOUT_FRAMES = 128
SHORT_S = 600.0
"""With less training music than this, speed variants are made of it. With more they cost more than they teach."""
STEREO_SHARE = 0.1
"""Music is learned in stereo where at least this share of it is. Less would be a model that is mono most of the time."""
STEREO_WIDTH = 0.02
"""A track is stereo when its side has at least this share of its middle's amplitude: less is what a converter adds."""


def extract(
    track: Track, audio: np.ndarray, sample_rate: int, block: int, semitones: tuple[float, ...], samples: bool = False
) -> dict[str, np.ndarray]:
    """Features of a piece of audio [channels, n], in a worker: `bands.S`, `beats.S` per speed variant, `tempo`, `flux` and so on.

    Bands always have the image's columns, zero unless there are two channels. The variants below the original have their sides
    swapped: where there is little music, the image is learned from both.
    With `samples` also `samples.S`, the mono mix itself, a row for every row of bands.
    """
    import torch

    from noizestream.analysis.image import width
    from noizestream.analysis.measures import flux, peakiness, pulse
    from noizestream.training.augment import change_speed
    from noizestream.training.beats import track_beats

    torch.set_num_threads(1)
    front = _front(sample_rate, block)
    mono = audio.mean(0)
    beats = track_beats(mono, sample_rate)
    arrays: dict[str, np.ndarray] = {
        "tempo": np.array([beats.tempo, beats.steady], np.float64),
        "flux": np.array([flux(mono, sample_rate)], np.float64),
        "peakiness": np.array([peakiness(mono, sample_rate)], np.float64),
        "pulse": np.array([pulse(mono, sample_rate)[0]], np.float64),
        "width": np.array([width(audio) if len(audio) == 2 else 0.0], np.float64),
    }
    for shift in (0.0, *semitones):
        sound = change_speed(audio if len(audio) == 2 else mono[None], sample_rate, shift)
        sound = sound[::-1].copy() if shift < 0 else sound
        with torch.inference_mode():
            bands = torch.cat([front.analyse(part) for part in _overlapping(torch.from_numpy(sound), front.block)])
        middles = (np.arange(len(bands)) + 2) * front.block / sample_rate
        arrays[f"bands.{shift:g}"] = bands.half().numpy()
        if samples:
            heard = sound.mean(0)[: len(bands) * front.block]
            arrays[f"samples.{shift:g}"] = heard.reshape(len(bands), front.block).astype(np.float16)
        arrays[f"beats.{shift:g}"] = beats.at(middles * len(mono) / sound.shape[1]).astype(np.float32)
    return arrays


def is_short(library: Library) -> bool:
    """Whether the training music lasts less than `SHORT_S`, by the files' headers (unreadable ones count nothing)."""
    total = 0.0
    for track in library.tracks:
        if track.split in (None, "training"):
            total += header_seconds(track.path)
        if total >= SHORT_S:
            return False
    return True


@functools.cache
def _front(sample_rate: int, block: int):
    from noizestream.nn.spectral import SpectralFront

    return SpectralFront(sample_rate, block, channels=2)


def _overlapping(sound, block: int, frames: int = 2000):
    """Parts of `sound` [channels, n] that give `frames` frames each: all at once would take 50 times the memory of the track."""
    for start in range(0, max(1, sound.shape[1] // block - 3), frames):
        yield sound[:, start * block : (start + frames + 3) * block]


def prepare(
    library: Library,
    config: Config,
    folder: str | Path,
    progress: Callable[[int, int], None] | None = None,
    cache_root: str | Path | None = None,
    workers: int | None = None,
) -> Prepared:
    """Write the prepared set of `library` into `folder`; NoizestreamError when nothing is left to learn from."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = replace(config, semitones=config.semitones if is_short(library) else ())
    from noizestream.nn.spectral import block_frames_for

    block = block_frames_for(config.sample_rate, config.block_ms)
    settings = {"version": FEATURES_VERSION, "rate": config.sample_rate, "block": block, "semitones": list(config.semitones)}
    with_samples = config.arch == "raw"
    cache = FeatureCache(settings | ({"samples": 1} if with_samples else {}), cache_root)
    tracks = [track for track in library.tracks if track.split != "test"]
    skipped = list(library.skipped)
    known: list[tuple[Track, dict[str, np.ndarray]]] = []
    wanted = []
    for track in tracks:
        stored = _from_cache(cache, track)
        if stored:
            known.extend((track, arrays) for arrays in stored)
        else:
            wanted.append(track)
    done_before = len(tracks) - len(wanted)
    then = functools.partial(extract, sample_rate=config.sample_rate, block=block, semitones=config.semitones, samples=with_samples)
    starts: dict[Track, list[float]] = {}
    few = min(workers if workers is not None else os.cpu_count() or 1, len(wanted))
    report = None if progress is None else lambda done, total: progress(done_before + done, len(tracks))
    for piece in decode_all(wanted, skipped, config.sample_rate, few, then, report) if wanted else ():
        known.append((piece.track, cache.put(piece.track, piece.audio, piece.start_s)))
        starts.setdefault(piece.track, []).append(piece.start_s)
    for track, times in starts.items():
        cache.put(track, {"starts": np.array(times)}, -1.0)
    require_some(len(known), skipped, library.name)
    return _assemble(known, library, config, folder, skipped)


def _from_cache(cache: FeatureCache, track: Track) -> list[dict[str, np.ndarray]]:
    """Arrays of all pieces of `track`, or nothing if any is missing. The list of its pieces is an entry of its own, at -1 s."""
    try:
        index = cache.get(track, -1.0)
        pieces = [cache.get(track, float(start)) for start in index["starts"]] if index else []
    except OSError:  # the file itself is gone or unreadable: decoding will say why
        return []
    return [piece for piece in pieces if piece] if all(pieces) else []


def _assemble(known: list, library: Library, config: Config, folder: Path, skipped: list[Skipped]) -> Prepared:
    from noizestream.nn.spectral import block_frames_for
    from noizestream.training.beats import fold

    order = {track: number for number, track in enumerate(library.tracks)}
    known = sorted(known, key=lambda pair: order[pair[0]])
    genres = sorted({track.genre for track, _ in known if track.split != "validation"})
    skipped += [Skipped(str(t.path), f"its genre {t.genre} has no training track") for t, _ in known if t.genre not in genres]
    known = [(track, arrays) for track, arrays in known if track.genre in genres]
    validated = {track.genre for track, _ in known if track.split == "validation"}
    set_aside = _set_aside(known, validated, config.holdout)
    validated |= {track.genre for track in set_aside}
    front = _front(config.sample_rate, block_frames_for(config.sample_rate, config.block_ms))

    tempos, seconds, fluxes, peaks, beaten = [], [], [], [], []
    for genre in genres:
        rows = [
            (arrays["tempo"][0], len(arrays["bands.0"]), arrays["flux"][0], arrays["peakiness"][0], arrays["pulse"][0])
            for t, arrays in known
            if t.genre == genre and t.split != "validation" and t not in set_aside
        ]
        found = np.array([row[0] for row in rows])
        middle = float(np.median(found))
        tempos.append(float(np.exp(np.median(np.log([t * fold(t, middle) for t in found])))))
        fluxes.append(float(np.mean([row[2] for row in rows])))
        peaks.append(float(np.mean([row[3] for row in rows])))
        beaten.append(float(np.mean([Piece("", 0, "", 0, 0, 0.0, row[4]).confidence for row in rows])))
        seconds.append(float(sum(row[1] for row in rows) * front.block / config.sample_rate))

    channels = config.channels or _channels([arrays for t, arrays in known if t.split != "validation"])
    pieces: list[Piece] = []
    for number, (track, arrays) in enumerate(known):
        genre = genres.index(track.genre)
        multiple = fold(float(arrays["tempo"][0]), tempos[genre])
        for shift in (0.0, *config.semitones):
            entry = f"{number:05d}{shift:+g}"
            bands = arrays[f"bands.{shift:g}"]
            _link(Path(bands.filename), folder / f"{entry}.bands.npy")
            if f"samples.{shift:g}" in arrays:
                _link(Path(arrays[f"samples.{shift:g}"].filename), folder / f"{entry}.samples.npy")
            np.save(folder / f"{entry}.beats.npy", np.asarray(arrays[f"beats.{shift:g}"]) * np.float32(multiple))
            piece = Piece(entry, genre, "training", 0, len(bands), shift, float(arrays["pulse"][0]))
            pieces += _split(piece, track.split == "validation" or track in set_aside, track.genre not in validated, config.holdout)
    prepared = Prepared(
        folder=folder,
        genres=genres,
        sample_rate=config.sample_rate,
        block=front.block,
        channels=channels,
        bands=front.bands if channels == 2 else front.tones,
        tempos=tempos,
        flux=fluxes,
        peakiness=peaks,
        beaten=beaten,
        seconds=seconds,
        tracks=[len({t.path for t, _ in known if t.genre == g and t.split != "validation" and t not in set_aside}) for g in genres],
        pieces=pieces,
        credits=_credits([track for track, _ in known]),
        skipped=[{"item": s.item, "reason": s.reason} for s in skipped],
    )
    prepared.save()
    return prepared


def _channels(known: list[dict[str, np.ndarray]]) -> int:
    """2 where enough of the music is stereo, else 1."""
    frames = np.array([len(arrays["bands.0"]) for arrays in known])
    stereo = np.array([arrays["width"][0] >= STEREO_WIDTH for arrays in known])
    return 2 if frames @ stereo >= STEREO_SHARE * frames.sum() else 1


def _split(piece: Piece, whole: bool, hold_out: bool, share: float) -> list[Piece]:
    """The pieces of one entry: held out as a `whole`, or only its last part where nothing else of the genre is held out."""
    if whole:
        return [] if piece.semitones else [replace(piece, split="validation")]
    held = int(piece.last * share) if hold_out else 0
    if held < MIN_HOLDOUT_FRAMES:
        held = 0
    pieces = [replace(piece, last=piece.last - held)]
    if held and piece.semitones == 0:
        pieces.append(replace(piece, split="validation", first=piece.last - held))
    return pieces


def _set_aside(known: list, validated: set[str], share: float) -> set[Track]:
    """Whole tracks to validate on, of the genres that have many and no validation clips of their own; spread over the list."""
    aside: set[Track] = set()
    for genre in {track.genre for track, _ in known} - validated:
        aside |= set_aside(list(dict.fromkeys(track for track, _ in known if track.genre == genre)), share)
    return aside


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
