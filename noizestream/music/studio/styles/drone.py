"""Drone: one low note for the whole track; its natural partials come and go on their own, beside beating twins and bowed metal."""

import numpy as np

from noizestream.music.studio.effects import passed, reverb
from noizestream.music.studio.oscillators import SAMPLE_RATE, Array, hertz, oscillator, wander
from noizestream.music.studio.song import Song


def _root(song: Song) -> float:
    return hertz(song.pitch(0, 0))


def bass(song: Song) -> Array:
    """The root and its fifth, two close oscillators each, so that they beat slowly."""
    rng = song.rng("bass")
    out = np.zeros((2, song.length), np.float32)
    for ratio, level in ((1.0, 1.0), (1.5, 0.35)):
        for detune in (-rng.uniform(0.05, 0.2), rng.uniform(0.05, 0.2)):
            cutoff = wander(rng, song.length, 9.0, 120, 420)
            sound = level * oscillator("saw", _root(song) * ratio + detune, song.length, cutoff, phase=rng.random())
            place = np.copysign(0.5, detune)  # the twins on their own sides: they beat across the room
            out += np.stack([sound * (1 - place), sound * (1 + place)])
    return 0.22 * out


def chords(song: Song) -> Array:
    """Partials 2 to 24 of the root as sines, each with its own level, drift and place."""
    rng = song.rng("partials")
    odd = rng.random() < 0.4
    stretch = rng.uniform(0.0, 0.0008)
    t = np.arange(song.length) / SAMPLE_RATE
    out = np.zeros((2, song.length), np.float32)
    for k in range(2, 25):
        if odd and k % 2 == 0 and k > 4:
            continue
        frequency = k * _root(song) * np.sqrt(1 + stretch * k * k)
        level = wander(rng, song.length, rng.uniform(4, 11), -0.4, 1.0).clip(0) / k**0.75
        place = rng.uniform(-0.8, 0.8)
        sound = level * np.sin(2 * np.pi * (frequency * t + rng.random() + 0.3 * np.sin(2 * np.pi * t * rng.uniform(0.05, 0.2))))
        out += np.stack([sound * (1 - place), sound * (1 + place)]).astype(np.float32)
    return 0.25 * out


def lead(song: Song) -> Array:
    """Bowed metal: a few high inharmonic resonances of a continuous noise, each swelling in turn."""
    rng = song.rng("metal")
    bow = rng.standard_normal(song.length)
    out = np.zeros((2, song.length), np.float32)
    for _ in range(6):
        centre = _root(song) * float(rng.choice([6.02, 9.05, 12.1, 16.3, 21.7, 27.2, 33.1])) * rng.uniform(0.99, 1.01)
        ring = passed(bow, "bandpass", (centre * 0.992, centre * 1.008), 1)
        ring *= wander(rng, song.length, 6.0, -0.6, 1.0).clip(0) / np.sqrt(np.mean(ring**2))
        place = rng.uniform(-0.9, 0.9)
        out += np.stack([ring * (1 - place), ring * (1 + place)])
    return 0.035 * out


def drums(song: Song) -> Array:
    """No drums: air, a breath of noise whose colour moves."""
    rng = song.rng("air")
    air = passed(rng.standard_normal((2, song.length)), "bandpass", (1500, 9000), 1)
    return 0.006 * (0.85 * air + 0.15 * air[::-1]) * wander(rng, song.length, 8.0, 0.2, 1.0)


def effects(song: Song, stems: dict[str, Array]) -> Array:
    """The drone itself with a vast dark reverb behind its partials and its metal."""
    dry = stems["bass"] + stems["chords"] + stems["lead"]
    return 0.8 * dry + 0.5 * reverb(stems["chords"] + stems["lead"], 6.0, song.rng("hall"), 2500.0, 0.8) + stems["drums"]
