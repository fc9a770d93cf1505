"""From a labelled library to a prepared set: what is measured of every piece of music, and the way from files to arrays."""

import functools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from noizestream.music.cache import FeatureCache
from noizestream.music.parallel import require_some
from noizestream.music.tracks import Library, Track
from noizestream.training.config import Config
from noizestream.training.data.dataset import Prepared
from noizestream.training.data.gather import Gathering
from noizestream.training.plan import Plan

FEATURES_VERSION = 14
"""Part of the cache key: raise it when the features change."""
PART, CONTEXT = 2000, 64
"""Frames that are encoded at once, and those beside them that tell what is percussive."""
BEATLESS = 0.14
"""Music whose pulse is less clear than this (analysis/pulse.py) has no beat to track."""


def extract(track: Track, audio: np.ndarray, sample_rate: int, block: int, samples: bool = False) -> dict[str, np.ndarray]:
    """Features of a piece of audio [channels, n], in a worker: `bands`, `sound`, `struck`, `beats`, `chroma`, `tempo` and so on.

    Bands always have the image's columns, zero unless there are two channels; `sound` is the codec's row of the frame whose first
    half begins where the middle of a frame of the bands lies; `struck` is which share of every tone is percussive
    (`nn.layers.in_bytes`). Beats are counted so that bars of four begin at multiples of 4. With `samples` also the mono mix itself,
    a row for every row of bands.
    """
    from noizestream.training.generate import one_thread

    with one_thread():
        return _extract(track, audio, sample_rate, block, samples)


def _extract(track: Track, audio: np.ndarray, sample_rate: int, block: int, samples: bool) -> dict[str, np.ndarray]:
    import torch

    from noizestream.analysis.beats import even, from_downbeat, track_beats
    from noizestream.analysis.chords import chroma
    from noizestream.analysis.image import width
    from noizestream.analysis.pulse import pulse

    front = _front(sample_rate, block)
    mono = audio.mean(0)
    clarity = pulse(mono, sample_rate)[0]
    harmony = chroma(mono, sample_rate)
    if clarity < BEATLESS:
        beats = even(len(mono) / sample_rate)
    else:
        beats = from_downbeat(track_beats(mono, sample_rate), harmony, mono, sample_rate)
    sound = torch.from_numpy(audio if len(audio) == 2 else mono[None])
    with torch.inference_mode():
        bands = torch.cat([front.analyse(part) for part in _overlapping(sound, block)])
        struck, rows = _struck_and_rows(sound, bands, sample_rate, block)
    middles = (np.arange(len(bands)) + 2) * block / sample_rate
    arrays = {
        "bands": bands.half().numpy(),
        "sound": rows.numpy(),
        "struck": struck.numpy(),
        "beats": beats.at(middles).astype(np.float32),
        "chroma": harmony.astype(np.float32),
        "tempo": np.array([beats.tempo, beats.steady], np.float64),
        "pulse": np.array([clarity], np.float64),
        "width": np.array([width(audio) if len(audio) == 2 else 0.0], np.float64),
    }
    if samples:
        arrays["samples"] = mono[: len(bands) * block].reshape(len(bands), block).astype(np.float16)
    return arrays


def _struck_and_rows(sound, bands, sample_rate: int, block: int):
    """Which share of every tone is percussive, uint8 [T, tones], and the codec's rows uint8 [T, size], for `bands` [T, bands]."""
    import torch

    from noizestream.nn.layers import in_bytes

    codec, layers = _codec(sample_rate, block), _layers(sample_rate, block)
    struck, rows = [torch.zeros(0, layers.tones, dtype=torch.uint8)], [torch.zeros(0, codec.size, dtype=torch.uint8)]
    for start in range(0, len(bands), PART):
        around = slice(max(0, start - CONTEXT), start + PART + CONTEXT)
        share = layers.percussive(bands[around, : layers.tones])
        here = torch.arange(start, min(start + PART, len(bands))) - around.start
        struck.append(in_bytes(share[here]))
        # A row lies a block behind the middle of its frame of bands.
        pooled = layers.pooled(bands[around], share, codec.edges_hz)[(here + 1).clamp(max=len(share) - 1)]
        rows.append(codec.encode(sound[:, (start + 2) * block : (start + 2 + len(here) + 1) * block], pooled))
    return torch.cat(struck), torch.cat(rows)


@functools.cache
def _codec(sample_rate: int, block: int):
    from noizestream.nn.codec import Codec

    return Codec(sample_rate, block, channels=2)


@functools.cache
def _layers(sample_rate: int, block: int):
    from noizestream.nn.layers import LayerFront

    return LayerFront(_front(sample_rate, block))


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
    plan: Plan | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Prepared:
    """Write the prepared set of `library` into `folder`: of all of it, or of a balanced part that fits into the `plan`.

    `progress(done, total)` counts seconds of music. NoizestreamError when nothing is left to learn from.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    from noizestream.nn.spectral import block_frames_for
    from noizestream.training.data.assemble import assemble

    block = block_frames_for(config.sample_rate, config.block_ms)
    settings = {"version": FEATURES_VERSION, "rate": config.sample_rate, "block": block}
    with_samples = config.arch == "raw"
    cache = FeatureCache(settings | ({"samples": 1} if with_samples else {}), cache_root)
    then = functools.partial(extract, sample_rate=config.sample_rate, block=block, samples=with_samples)
    skipped = list(library.skipped)
    gathering = Gathering(library, config, cache, plan or Plan(0.0, time.monotonic()), skipped)
    say(gathering.describe())
    known = gathering.run(then, workers, progress or (lambda done, total: None))
    require_some(len(known), skipped, library.name)
    for line in gathering.outcome():
        say(line)
    return assemble(known, library, config, folder, skipped, _front(config.sample_rate, block))
