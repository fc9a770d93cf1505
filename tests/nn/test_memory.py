"""The memory's tables: members of a code are what has it, what follows follows, a piece ends."""

import torch

from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import MOST
from noizestream.nn.spectral import SpectralFront
from rig.made_up import memory

LAYERS = LayerFront(SpectralFront(16000, 128))
SLOTS = 200


def test_members_of_a_code_are_the_slots_that_have_it():
    made = memory(LAYERS, codes=30, pieces=2, slots=50)
    for v in range(LAYERS.count):
        for code in range(made.codes):
            members = made.members_of(v, code, 0.5)
            assert sorted(members.tolist()) == torch.where(made.code[v] == code)[0].tolist()
            best = made.fit[members.long()].amax(0)
            assert torch.equal(made.code_fit[v, code], best), "a code fits a chord as well as its best member"


def test_of_many_members_some_neighbours_are_taken_and_chance_says_which():
    made = memory(LAYERS, codes=2, pieces=1, slots=SLOTS)
    code = int(made.code[0, :SLOTS].mode().values)
    everyone = set(torch.where(made.code[0] == code)[0].tolist())
    rows = [made.members_of(0, code, number) for number in (0.0, 0.5, 0.999999)]
    assert all(len(row) == MOST and set(row.tolist()) < everyone for row in rows)
    assert min(everyone) in rows[0] and max(everyone) in rows[2]


def test_a_code_without_members_has_none_and_fits_nothing():
    made = memory(LAYERS, codes=5, pieces=1, slots=20)
    made.code[1, made.code[1] == 3] = 4
    made.group()
    assert len(made.members_of(1, 3, 0.9)) == 0 and int(made.code_fit[1, 3].max()) == -127


def test_slots_follow_each_other_to_the_end_of_their_piece():
    made = memory(LAYERS, codes=5, pieces=2, slots=20)
    assert [made.next(slot) for slot in (0, 18, 19, 20, 79)] == [1, 19, -1, 21, -1]
    assert made.next(-1) == -1
    assert [made.genre_of(slot) for slot in (-1, 0, 39, 40, 79)] == [-1, 0, 0, 1, 1]
