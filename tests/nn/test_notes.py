"""What is heard as notes, and the codes that stand for them."""

import math

import pytest
import torch

from noizestream.nn.notes import Notes
from noizestream.nn.spectral import SpectralFront

RATE = 48000
A, C, E = 220.0, 261.63, 329.63


@pytest.fixture(scope="module")
def front() -> SpectralFront:
    return SpectralFront(RATE)


def chord(front: SpectralFront, *pitches: float, gain: float = 0.2, noise: float = 0.0) -> torch.Tensor:
    """Bands [T, bands] of 0.6 s: three partials for each pitch."""
    time = torch.arange(round(0.6 * RATE)) / RATE
    tones = [torch.sin(2 * math.pi * pitch * n * time) / n for pitch in pitches for n in (1, 2, 3)]
    hiss = noise * torch.randn(len(time), generator=torch.Generator().manual_seed(1))
    return front.analyse((gain * torch.stack(tones).sum(0) + hiss)[None])


def one_slot(notes: Notes, bands: torch.Tensor) -> torch.Tensor:
    return notes.partials(bands, torch.zeros(len(bands), dtype=torch.int64))


def test_partials_stand_out_where_the_tone_is_and_nowhere_else(front):
    notes = Notes(front, 4)
    heard = one_slot(notes, chord(front, 440.0, noise=1e-3))[0]
    hz = front.band_hz[notes.first : notes.last]
    for partial in (440.0, 880.0, 1320.0):
        assert heard[(hz - partial).abs().argmin()] > 1.0
    away = ((hz[:, None] - torch.tensor([440.0, 880.0, 1320.0])).abs() > 120).all(1)
    assert heard[away].max() < 0.7


def test_louder_is_the_same_note_and_another_chord_another(front):
    notes = Notes(front, 3)
    kinds = [one_slot(notes, chord(front, *pitches)) for pitches in ((A,), (C, E), (A, C, E))]
    kept = notes.fit(torch.cat(kinds * 20), torch.Generator().manual_seed(0))
    assert kept > 0.99
    codes = [tuple(notes.nearest(kind)[0].tolist()) for kind in kinds]
    assert len(set(codes)) == 3
    louder = one_slot(notes, chord(front, C, E, gain=0.4, noise=1e-4))
    assert tuple(notes.nearest(louder)[0].tolist())[:3] == codes[1][:3]  # the fourth voice is silent


def test_a_voice_changes_without_the_others(front):
    notes = Notes(front, 2)
    low, high = (A / 2, A / 2 * 1.5), (E * 4, C * 5)
    kinds = {(bass, lead): one_slot(notes, chord(front, bass, lead)) for bass in low for lead in high}
    notes.fit(torch.cat(list(kinds.values()) * 10), torch.Generator().manual_seed(0))
    codes = {pitches: notes.nearest(kind)[0] for pitches, kind in kinds.items()}
    assert notes.voices == 4
    for bass in low:  # the bass is the first voice, both leads are in the last
        assert codes[bass, high[0]][0] == codes[bass, high[1]][0]
        assert codes[bass, high[0]][-1] != codes[bass, high[1]][-1]
    for lead in high:
        assert codes[low[0], lead][0] != codes[low[1], lead][0]
    assert torch.equal(
        notes.sounding(codes[low[0], high[0]])[: notes.edges[1]], notes.book[codes[low[0], high[0]][0], : notes.edges[1]]
    )


def test_slots_are_quarters_of_a_beat_counted_from_the_first(front):
    notes = Notes(front, 2)
    beat = torch.arange(2.6, 4.6, 0.125, dtype=torch.float64)
    assert notes.slots(beat).tolist() == [0, 0, *(slot for slot in range(1, 8) for _ in range(2))]
