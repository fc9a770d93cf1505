"""Measures on audio whose answer is known."""

from dataclasses import asdict, astuple

import numpy as np
import pytest

from noizestream.analysis.classifier import shuffled
from noizestream.analysis.measures import (
    flux,
    measure,
    peakiness,
    repeats,
    silence,
)
from noizestream.analysis.pulse import common_tempo, pulse, tempo_error

RATE = 48000


def tone(hz: float, seconds: float, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def beats(bpm: float, seconds: float = 20.0, jitter_s: float = 0.0) -> np.ndarray:
    """Decaying noise on every beat, each other one weaker and each fourth another pitch, over a bed of quiet noise."""
    random = np.random.default_rng(3)
    audio = 0.05 * noise(seconds, 1)
    for number, time in enumerate(np.arange(0.1, seconds - 0.3, 60 / bpm)):
        start = round((time + jitter_s * random.standard_normal()) * RATE)
        start = max(start, 0)
        hit = random.standard_normal(9600) * np.exp(-np.arange(9600) / 1500) * (0.3 if number % 2 else 0.15)
        audio[start : start + 9600] += hit.astype(np.float32)[: len(audio) - start]
        if number % 4 == 0:
            audio[start : start + 9600] += (tone(80, 0.2) * np.exp(-np.arange(9600) / 3000))[: len(audio) - start].astype(
                np.float32
            )
    return audio


@pytest.mark.parametrize("bpm", [62.5, 76.4, 97.3, 126.46, 151.82, 171.0])
def test_tempo_is_found_to_half_a_percent(bpm):
    clarity, tempo = pulse(beats(bpm), RATE)
    assert tempo_error(tempo, bpm) < 0.005
    assert clarity > 0.5


def test_pulse_falls_with_the_beat_and_is_gone_when_frames_are_shuffled():
    steady, loose = pulse(beats(100), RATE)[0], pulse(beats(100, jitter_s=0.015), RATE)[0]
    assert steady > loose > pulse(shuffled(beats(100)), RATE)[0] + 0.1
    assert pulse(noise(20), RATE)[0] < 0.2
    assert pulse(np.zeros(20 * RATE, np.float32), RATE) == (0.0, 0.0)


def test_tempo_error_folds_octaves():
    assert tempo_error(120, 120) == 0 and tempo_error(60, 120) == pytest.approx(0) and tempo_error(240, 120) == pytest.approx(0)
    assert tempo_error(123.6, 120) == pytest.approx(0.03) and tempo_error(61.8, 120) == pytest.approx(0.03)
    assert tempo_error(0, 120) == 1
    assert common_tempo([150, 75.1, 74.9, 112]) in (150, 75.1, 74.9)


def test_silence_counts_silent_windows():
    audio = np.concatenate([tone(200, 3), np.zeros(RATE, np.float32)])
    assert silence(audio, RATE) == 0.25
    assert silence(np.zeros(RATE, np.float32), RATE) == 1


def test_sticking_is_seen_and_change_is_not():
    piece = noise(0.35, 5)
    assert repeats(np.tile(piece, 30), RATE) > 0.9  # a stuck loop
    assert repeats(tone(220, 10), RATE) > 0.9  # a drone that never moves
    assert repeats(noise(10), RATE) == 0
    assert repeats(np.concatenate([noise(5), np.tile(piece, 15)]), RATE) == pytest.approx(0.5, abs=0.1)


def test_peakiness_and_flux_tell_tones_from_noise():
    assert peakiness(tone(440, 4), RATE) > 5 * peakiness(noise(4), RATE)
    assert flux(tone(440, 4), RATE) < 0.25 * flux(noise(4), RATE)  # the rest is its two ends


def test_peakiness_does_not_hang_on_the_level():
    assert peakiness(0.01 * noise(4), RATE) == pytest.approx(peakiness(noise(4), RATE), rel=1e-3)
    assert peakiness(np.zeros(RATE, np.float32), RATE) == 0


def test_an_offset_which_the_engine_takes_off_is_no_peak():
    assert peakiness(noise(4) + 0.1, RATE) == pytest.approx(peakiness(noise(4), RATE), rel=0.02)


def test_measure_gathers_them_and_wants_a_second():
    values = asdict(measure(beats(120, 8), RATE))
    assert list(values) == ["silence", "repeats", "peakiness", "flux", "pulse", "tempo"]
    assert all(np.isfinite(value) for value in values.values())
    assert all(np.isfinite(value) for value in astuple(measure(np.zeros(RATE, np.float32), RATE)))
    with pytest.raises(ValueError, match="second"):
        measure(np.zeros(100, np.float32), RATE)
