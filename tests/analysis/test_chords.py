"""Chords on audio whose chords are known."""

import numpy as np
import pytest

from noizestream.analysis import chords

RATE = 48000
NOTES = {"C": (60, 64, 67), "Am": (57, 60, 64), "F": (53, 57, 60), "G": (55, 59, 62), "F#m": (54, 57, 61), "D#": (51, 55, 58)}


def played(name: str, seconds: float, rate: int = RATE) -> np.ndarray:
    """A triad of tones with five partials each."""
    time = np.arange(round(seconds * rate)) / rate
    tones = [(440 * 2 ** ((note - 69) / 12) * partial, 0.1 / partial**2) for note in NOTES[name] for partial in range(1, 6)]
    return sum(level * np.sin(2 * np.pi * hz * time) for hz, level in tones).astype(np.float32)


def names(labels: np.ndarray) -> list[str]:
    return [chords.NAMES[label] for label in labels]


@pytest.mark.parametrize("rate", [48000, 44100, 22050])
def test_every_chord_is_named_where_it_sounds(rate):
    order = ["C", "Am", "F", "G", "F#m", "D#"]
    audio = np.concatenate([played(name, 2.0, rate) for name in order])
    assert names(chords.label(audio, rate, np.arange(0, 12.1, 0.5))) == [name for name in order for _ in range(4)]
    rows = chords.chroma(audio, rate)
    assert rows.shape[1] == 12 and chords.times(len(rows), rate)[-1] == pytest.approx(12, abs=0.05)


def test_noise_and_silence_are_no_chord():
    noise = (0.1 * np.random.default_rng(0).standard_normal(RATE * 6)).astype(np.float32)
    assert set(names(chords.label(noise, RATE, np.arange(13) / 2))) == {"N"}
    assert set(names(chords.label(np.zeros(RATE * 2, np.float32), RATE, np.arange(5) / 2))) == {"N"}
    there = np.concatenate([played("C", 4.0), 0.3 * noise[: 4 * RATE], played("G", 4.0)])
    assert names(chords.label(there, RATE, np.arange(25) / 2)) == ["C"] * 8 + ["N"] * 8 + ["G"] * 8


def test_a_chord_sounds_on_over_one_beat_that_says_nothing():
    fits = chords.fit(np.array([[1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]] * 8, float))
    assert (chords.viterbi(fits, np.arange(8) != 4) == 0).all()
    assert fits[0].argmax() == 0 and fits[0, 0] == pytest.approx(1)
    assert len(chords.viterbi(fits[:0])) == 0


def test_stay_decides_how_long_a_chord_must_last():
    rows = np.array([[1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]] * 5, float)
    rows[2] = np.roll(rows[2], 9) * 0 + np.isin(np.arange(12), (9, 0, 4))  # one row of A minor
    assert names(chords.viterbi(chords.fit(rows), stay=0.9)) == ["C"] * 5
    assert names(chords.viterbi(chords.fit(rows), stay=0.1)) == ["C", "C", "Am", "C", "C"]
    with pytest.raises(ValueError, match="between"):
        chords.viterbi(chords.fit(rows), stay=1.0)


def test_stretches_of_any_length_have_a_chroma():
    rows = chords.chroma(played("C", 1.0), RATE)
    means = chords.between(rows, RATE, [0.0, 0.01, 0.02, 0.9, 5.0, 6.0])
    assert means.shape == (5, 12) and np.isfinite(means).all() and means[0].argmax() in (0, 4, 7)
    assert len(chords.chroma(played("C", 0.05), RATE)) == 2
    with pytest.raises(ValueError, match="edges"):
        chords.between(rows, RATE, [0.0])
