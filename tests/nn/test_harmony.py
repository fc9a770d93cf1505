"""Which transposition brings a slot to a chord."""

import pytest
import torch

from noizestream.nn.harmony import FARTHER, LOWEST_SHIFT, SHIFTS, UNMOVED, Harmony

C, G, A_MINOR, D_MINOR = 0, 7, 12 + 9, 12 + 2


def fitting(chord: int) -> torch.Tensor:
    """The int8 fits [1, 24] of a slot that sounds as `chord` and as nothing else."""
    row = torch.full((1, 24), -20, dtype=torch.int8)
    row[0, chord] = 100
    return row


@pytest.mark.parametrize(("slot", "chord", "semitones"), [(C, C, 0), (G, C, 5), (C, G, -5), (A_MINOR, D_MINOR, 5), (C, 6, -6)])
def test_a_slot_comes_to_a_chord_by_so_many_semitones(slot, chord, semitones):
    fits = Harmony().fits(fitting(slot), chord)
    assert fits.shape == (1, SHIFTS)
    assert int(fits[0].argmax()) == semitones - LOWEST_SHIFT
    assert float(fits.max()) == pytest.approx(1 - FARTHER * abs(semitones))
    assert Harmony().heard(slot, semitones - LOWEST_SHIFT) == chord


def test_major_never_becomes_minor_and_no_chord_stays_none():
    assert float(Harmony().fits(fitting(C), A_MINOR).max()) < 0
    assert Harmony().heard(24, 3) == 24 and Harmony().heard(-1, UNMOVED) == 24


def test_a_chord_is_what_a_slot_must_fit_when_it_is_transposed():
    harmony = Harmony()
    for chord in range(24):
        for number in range(SHIFTS):
            assert harmony.heard(harmony.column_of(chord, number), number) == chord
