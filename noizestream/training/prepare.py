"""From a labelled library to a prepared set: decode, find the beats, analyse, in parallel and through the feature cache."""

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from noizestream.music.cache import FeatureCache
from noizestream.music.decode import header_seconds
from noizestream.music.parallel import decode_all, require_some
from noizestream.music.tracks import Library, Track
from noizestream.training.config import Config
from noizestream.training.prepared import Prepared

FEATURES_VERSION = 6
"""Part of the cache key: raise it when the features change."""
SHORT_S = 600.0
"""With less training music than this, speed variants are made of it. With more they cost more than they teach."""


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
    from noizestream.analysis.measures import flux, peakiness, repeats, stretches
    from noizestream.analysis.pulse import pulse
    from noizestream.training.augment import change_speed
    from noizestream.training.beats import track_beats
    from noizestream.training.hiss import hiss

    torch.set_num_threads(1)
    front = _front(sample_rate, block)
    mono = audio.mean(0)
    beats = track_beats(mono, sample_rate)
    arrays: dict[str, np.ndarray] = {
        "tempo": np.array([beats.tempo, beats.steady], np.float64),
        "flux": np.array([flux(mono, sample_rate)], np.float64),
        "peakiness": np.array([peakiness(mono, sample_rate)], np.float64),
        "repeats": np.array([np.mean([repeats(part, sample_rate) for part in stretches(mono, sample_rate)])], np.float64),
        "pulse": np.array([pulse(mono, sample_rate)[0]], np.float64),
        "hiss": np.array([hiss(audio, front)], np.float64),
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
    from noizestream.training.assemble import assemble

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
    return assemble(known, library, config, folder, skipped, _front(config.sample_rate, block))


def _from_cache(cache: FeatureCache, track: Track) -> list[dict[str, np.ndarray]]:
    """Arrays of all pieces of `track`, or nothing if any is missing. The list of its pieces is an entry of its own, at -1 s."""
    try:
        index = cache.get(track, -1.0)
        pieces = [cache.get(track, float(start)) for start in index["starts"]] if index else []
    except OSError:  # the file itself is gone or unreadable: decoding will say why
        return []
    return [piece for piece in pieces if piece] if all(pieces) else []
