"""Beat positions: exact on an even grid, sensible where there is none."""

import numpy as np
import pytest

from noizestream.analysis.beats import FALLBACK_BPM, Beats, fold, track_beats
from tests.training.conftest import RATE, clicks


@pytest.mark.parametrize("bpm", [93.0, 120.0, 131.7])
def test_an_even_beat_is_found_to_a_tenth_of_a_percent_and_starts_at_beat_zero(bpm):
    beats = track_beats(clicks(bpm, 30), RATE)
    assert beats.steady
    octave = fold(beats.tempo, bpm)
    assert beats.tempo * octave == pytest.approx(bpm, rel=1e-3)
    at_clicks = beats.at(np.arange(40) * 60 / bpm) * octave
    assert np.abs(at_clicks - np.round(at_clicks)).max() < 0.15
    if octave == 1:
        assert round(at_clicks[0]) == 0


def test_positions_grow_by_the_tempo_everywhere_also_outside_the_tracked_beats():
    beats = Beats(np.arange(8) * 0.5 + 3.0, 120.0, True)
    seconds = np.linspace(0, 12, 50)
    assert np.allclose(beats.at(seconds), (seconds - 3.0) * 2)


def test_music_without_beats_gets_an_even_clock():
    quiet = (0.01 * np.sin(2 * np.pi * 100 * np.arange(5 * RATE) / RATE)).astype(np.float32)
    beats = track_beats(quiet, RATE)
    positions = beats.at(np.linspace(0, 5, 20))
    assert np.isfinite(positions).all() and np.all(np.diff(positions) > 0)
    assert beats.tempo > 0 and FALLBACK_BPM > 0


@pytest.mark.parametrize(("tempo", "towards", "factor"), [(60, 120, 2), (240, 120, 0.5), (110, 120, 1), (31, 120, 4)])
def test_folding_brings_tempos_within_half_an_octave(tempo, towards, factor):
    assert fold(tempo, towards) == factor
