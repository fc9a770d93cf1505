"""The real side of a comparison: features and measures of every genre of a library, kept in the feature cache."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noizestream.analysis.classifier import shuffled, window_features
from noizestream.analysis.measures import Measures, common_tempo, measure
from noizestream.errors import NoizestreamError
from noizestream.music.cache import FeatureCache
from noizestream.music.decode import PIECE_S, RATE, decode_all
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track

SETTINGS = {"what": "analysis", "version": 4, "rate": RATE, "piece": PIECE_S}
MEASURED_S = 20.0
"""Measures are taken over stretches of about this length, as long as what is rendered: some depend on it."""
HELD_OUT = 0.2
"""Where a genre has no test clips, this last part of every clip is kept from the classifier."""


@dataclass(frozen=True)
class Real:
    """One genre: window features for fitting, held out, and of the shuffled control; measures of the music and of the control."""

    seconds: float
    train: np.ndarray
    held_out: np.ndarray
    control: np.ndarray
    measures: Measures
    control_measures: Measures


def describe(
    library: Library, skipped: list[Skipped], workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Real]:
    """Genre -> `Real`, from cache where it can; bad files are added to `skipped`. NoizestreamError when nothing is left."""
    cache = FeatureCache(SETTINGS)
    known = {track: cache.get(track) for track in library.tracks}
    by_track = {track: [entry] for track, entry in known.items() if entry is not None}
    missing = [track for track in library.tracks if track not in by_track]
    for decoded in decode_all(missing, skipped, workers=workers, then=analyse, progress=progress):
        by_track.setdefault(decoded.track, []).append(decoded.audio)
    for track in missing:
        if len(by_track.get(track, ())) == 1:  # tracks so long that they came in pieces are analysed anew each time
            by_track[track] = [cache.put(track, by_track[track][0])]
    if not by_track:
        raise NoizestreamError(f"{library.name}: nothing to compare with, every file was skipped")
    return {genre: _genre(genre, by_track) for genre in sorted({track.genre for track in by_track})}


def analyse(track: Track, audio: np.ndarray) -> dict[str, np.ndarray]:
    """In a worker: what is kept of one piece `audio` [channels, n] at `RATE`."""
    mono = audio.mean(axis=0)
    fake = shuffled(mono)
    size = round(MEASURED_S * RATE)
    count = max(1, math.ceil(len(mono) / size))  # the last two overlap, so that all are equally long
    stretches = [round(start) for start in np.linspace(0, max(0, len(mono) - size), count)]
    return {
        "seconds": np.array([len(mono) / RATE]),
        "features": window_features(mono, RATE),
        "control": window_features(fake, RATE),
        "measures": np.array([list(measure(mono[start : start + size], RATE).as_dict().values()) for start in stretches]),
        "control_measures": np.array([list(measure(fake[:size], RATE).as_dict().values())]),
    }


def _genre(genre: str, by_track: dict[Track, list[dict[str, np.ndarray]]]) -> Real:
    mine = [(track, entry) for track, entries in by_track.items() if track.genre == genre for entry in entries]
    splits = {track.split for track, _ in mine}
    has_test = "test" in splits and len(splits) > 1
    train: list[np.ndarray] = []
    held: list[np.ndarray] = []
    for track, entry in mine:
        features = entry["features"]
        if has_test:
            (held if track.split == "test" else train).append(features)
        else:
            cut = max(1, round(len(features) * (1 - HELD_OUT)))
            train.append(features[:cut])
            held.append(features[cut + 1 :])  # the window between overlaps both
    return Real(
        seconds=float(sum(entry["seconds"][0] for _, entry in mine)),
        train=np.concatenate(train),
        held_out=np.concatenate(held),
        control=np.concatenate([entry["control"] for _, entry in mine]),
        measures=mean_measures(np.concatenate([entry["measures"] for _, entry in mine])),
        control_measures=mean_measures(np.concatenate([entry["control_measures"] for _, entry in mine])),
    )


def mean_measures(rows: np.ndarray) -> Measures:
    """One `Measures` for `rows` [n, 7] of them: the mean of each; of the tempos the most common, as octaves must not mix."""
    values = dict(zip(Measures.__dataclass_fields__, map(float, rows.mean(axis=0)), strict=True))
    tempos = rows[:, list(values).index("tempo")].tolist()
    return Measures(**values | {"tempo": common_tempo(tempos)})
