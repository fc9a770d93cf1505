"""Notes of audio whose notes are known."""

import math
from dataclasses import astuple

import numpy as np
import pytest

from noizestream.analysis import tracker
from noizestream.analysis.notes import entropy, hear, mean_figures

RATE = 48000
MAJOR = (0, 2, 4, 5, 7, 9, 11, 12)


def hertz(midi: float) -> float:
    return 440 * 2 ** ((midi - 69) / 12)


def sine(midi: float, seconds: float, partials: int = 1, level: float = 0.2) -> np.ndarray:
    """With ends of 10 ms, so that nothing clicks."""
    time = np.arange(round(seconds * RATE)) / RATE
    ends = np.clip(np.minimum(time, seconds - time) / 0.01, 0, 1)
    return sum(level / k * ends * np.sin(2 * np.pi * k * hertz(midi) * time) for k in range(1, partials + 1)).astype(np.float32)


def scale(length: float, partials: int = 1, pitches=MAJOR, root: int = 57, seconds: float = 16.0, gap: float = 0.0) -> np.ndarray:
    silence = np.zeros(round(gap * RATE), np.float32)
    count = round(seconds / (length + gap))
    parts = [(sine(root + pitches[k % len(pitches)], length, partials), silence) for k in range(count)]
    return np.concatenate([part for pair in parts for part in pair])


def tracked(audio: np.ndarray) -> tracker.Notes:
    magnitudes = tracker.constant_q(audio, RATE)
    return tracker.track(tracker.find_peaks(magnitudes), len(magnitudes))


@pytest.mark.parametrize("partials", [1, 6])
@pytest.mark.parametrize("root", [36, 45, 69])
def test_a_scale_gives_its_notes_when_they_sound(partials, root):
    notes = tracked(scale(0.5, partials, root=root, seconds=4.0, gap=0.1))
    order = np.argsort(notes.start_s)
    assert (notes.pitch[order] + 32).tolist() == [root + step for step in MAJOR[: len(order)]] and len(order) == 7
    np.testing.assert_allclose(notes.start_s[order], 0.6 * np.arange(7), atol=0.08)
    np.testing.assert_allclose(notes.length_s, 0.5, atol=0.16)


def test_rate_and_length_of_notes():
    slow, fast = hear(scale(0.6, gap=0.05), RATE), hear(scale(0.2, gap=0.05), RATE)
    assert slow.notes == pytest.approx(1 / 0.65, rel=0.1) and fast.notes == pytest.approx(4, rel=0.1)
    assert slow.long > 0.9 and fast.long == 0
    assert slow.between < 0.05 and fast.between < 0.1


def test_the_same_note_struck_again_is_another():
    struck = np.concatenate([sine(60, 0.5) * np.exp(-3 * np.linspace(0, 1, RATE // 2)).astype(np.float32)] * 8)
    assert len(tracked(struck).pitch) == 8


def test_a_held_chord_that_flickers_has_no_long_notes():
    held = sum(sine(pitch, 10.0, 4) for pitch in (57, 60, 64))
    flicker = held * (np.arange(len(held)) % round(0.25 * RATE) < 0.15 * RATE)
    random = np.random.default_rng(1)
    pieces = [held[k * 4800 : (k + 1) * 4800] * random.choice([0.05, 1.0]) for k in range(len(held) // 4800)]
    assert hear(held, RATE).long > 0.95
    assert hear(flicker.astype(np.float32), RATE).long < 0.05
    assert hear(np.concatenate(pieces).astype(np.float32), RATE).long < 0.5


def test_a_glide_is_between_semitones_and_another_tuning_is_not():
    time = np.arange(16 * RATE) / RATE
    glide = (0.2 * np.sin(2 * np.pi * np.cumsum(hertz(57 + 1.5 * time)) / RATE)).astype(np.float32)
    assert hear(glide, RATE).between == pytest.approx(0.5, abs=0.1)
    shifted = [pitch + 0.4 for pitch in MAJOR]
    notes = tracked(scale(0.5, pitches=shifted))
    assert notes.tuning == pytest.approx(0.4, abs=0.05)
    assert hear(scale(0.5, pitches=shifted), RATE).between < 0.05


def test_entropy_of_one_pitch_class_and_of_all():
    assert hear(scale(0.4, 4, pitches=(0, 12), gap=0.1), RATE).entropy < 0.1
    chromatic = tuple(range(12))
    assert hear(scale(0.4, pitches=chromatic, seconds=12.0, gap=0.1), RATE).entropy == pytest.approx(math.log2(12), abs=0.05)
    assert entropy(np.array([1.0, 0, 1])) == 1 and math.isnan(entropy(np.zeros(12)))


def test_chords_that_move_and_one_that_stays():
    def triads(roots, seconds):
        return np.concatenate([sum(sine(root + step, seconds, 3) for step in (0, 4, 7)) for root in roots])

    moving, still = hear(triads([57, 60, 62, 57, 55, 62, 57, 64], 2.0), RATE), hear(triads([57], 16.0), RATE)
    assert moving.chords == pytest.approx(10 * 7 / 16) and moving.commonest == pytest.approx(3 / 8)
    assert still.chords == 0 and still.commonest == 1


def test_of_silence_nothing_is_said():
    figures = hear(np.zeros(4 * RATE, np.float32), RATE)
    assert figures.notes == figures.chords == 0
    assert all(math.isnan(value) for value in (figures.commonest, figures.entropy, figures.long, figures.between))
    both = np.array([astuple(figures), [1, 0.5, 2, 3, 0.25, 0.1]])
    mean = mean_figures(both)
    assert mean.long == 0.25 and mean.notes == 1.5 and math.isnan(mean_figures(both[:1]).long)
    with pytest.raises(ValueError, match="second"):
        hear(np.zeros(100, np.float32), RATE)
