"""What is measured of every piece of music: bands, rows of the codec, beats, harmony."""

import functools

import numpy as np

from noizestream.music.tracks import Track

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
    from noizestream.training.threads import one_thread

    with one_thread():
        return _extract(track, audio, sample_rate, block, samples)


def _extract(track: Track, audio: np.ndarray, sample_rate: int, block: int, samples: bool) -> dict[str, np.ndarray]:
    import torch

    from noizestream.analysis.beats import even, from_downbeat, track_beats
    from noizestream.analysis.chords import chroma
    from noizestream.analysis.image import width
    from noizestream.analysis.pulse import pulse

    front = front_of(sample_rate, block)
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

    return LayerFront(front_of(sample_rate, block))


@functools.cache
def front_of(sample_rate: int, block: int):
    """The spectral front of two channels that `extract` measures with: every piece has the image's columns."""
    from noizestream.nn.spectral import SpectralFront

    return SpectralFront(sample_rate, block, channels=2)


def _overlapping(sound, block: int, frames: int = 2000):
    """Parts of `sound` [channels, n] that give `frames` frames each: all at once would take 50 times the memory of the track."""
    for start in range(0, max(1, sound.shape[1] // block - 3), frames):
        yield sound[:, start * block : (start + frames + 3) * block]
