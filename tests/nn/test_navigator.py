"""The network over slots: stepped as it is trained, codes of the right genre only, and nats that add up."""

import math

import pytest
import torch

from noizestream.nn.hearing import Hearing
from noizestream.nn.layers import LayerFront
from noizestream.nn.navigator import AGO, REMEMBERED, WRAP, Navigator
from noizestream.nn.parts import Parts
from noizestream.nn.recurrent import at_rest, flat
from rig.made_up import CODEC, FRONT, memory

LAYERS = LayerFront(FRONT)
FIRST, PIECES, COUNT, HIDDEN, SLOTS = [0, 6, 15], 3, LAYERS.count, 24, 90


@pytest.fixture(scope="module")
def net() -> Navigator:
    torch.manual_seed(0)
    made = Navigator(FIRST, PIECES, COUNT, HIDDEN).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def ago(codes: torch.Tensor) -> torch.Tensor:
    """codes [T, V] -> what was heard before each slot [1, T, ago, V]."""
    known = torch.cat([torch.full((REMEMBERED, COUNT), FIRST[-1]), codes])
    return torch.stack([known[REMEMBERED - lag : REMEMBERED - lag + len(codes)] for lag in AGO], 1)[None]


@torch.no_grad()
def test_slot_by_slot_equals_the_whole_sequence(net):
    codes = torch.randint(0, FIRST[-1], (SLOTS, COUNT))
    genre, piece = torch.tensor([0.3, 0.7]), 1
    slot = torch.arange(SLOTS) + WRAP - 40  # over the end of the clock
    labels = (genre.expand(1, SLOTS, -1), (slot % WRAP).float()[None], torch.ones(1, SLOTS), torch.full((1, SLOTS), piece))
    whole, _ = net.sequence(ago(codes), *labels, net.recurrent.initial_sequence_state(1), 0.0)
    hearing = Hearing(Parts(FRONT, CODEC, LAYERS, memory(LAYERS, 8, 1, 16), net))
    cells, before = flat(at_rest(2, HIDDEN)), torch.full((REMEMBERED, COUNT), FIRST[-1])
    for t in range(SLOTS):
        h, cells = hearing.listen(before, genre, int(slot[t]), 1.0, piece, cells)
        assert torch.allclose(h[0], whole[0, t], atol=1e-5), t
        before = torch.cat([before[1:], codes[t : t + 1]])


@torch.no_grad()
def test_only_codes_of_the_genre_are_likely_and_their_chances_add_up(net):
    h = torch.randn(2, 5, HIDDEN)
    genre = torch.tensor([0, 1])[:, None].expand(2, 5)
    for v in range(COUNT):
        p = net.log_p(h, v, genre).exp()
        assert torch.allclose(p.sum(-1), torch.ones(2, 5), atol=1e-5)
        assert not p[0, :, FIRST[1] :].any() and not p[1, :, : FIRST[1]].any()


@torch.no_grad()
@pytest.mark.parametrize("run", [0.0, 5.0, 1000.0])
def test_with_a_proposal_the_chances_of_all_codes_still_add_up(net, run):
    h, genre = torch.randn(1, 1, HIDDEN), torch.tensor([[1]])
    proposed = torch.tensor([7, 9, 15, 12])[None, None]  # 15: nothing is proposed
    for v in range(COUNT):
        total = 0.0
        for code in range(FIRST[1], FIRST[2]):
            codes = torch.tensor([8, 8, 8, 8])
            codes[v] = code
            nats, chances = net.nats(h, codes[None, None], genre, proposed, torch.full((1, 1, COUNT), run))
            total += math.exp(-float(nats[0, 0, v]))
        assert total == pytest.approx(1, abs=1e-4)
        assert bool(chances[0, 0, v].isnan()) == (v == 2)


@torch.no_grad()
def test_a_layer_is_told_what_those_before_it_took(net):
    h, genre = torch.randn(1, 1, HIDDEN), torch.zeros(1, 1, dtype=torch.long)
    none, run = torch.full((1, 1, COUNT), FIRST[-1]), torch.zeros(1, 1, COUNT)
    one = torch.tensor([2, 2, 2, 2])[None, None]
    for v in range(COUNT):
        other = one.clone()
        other[..., v] = 4
        a, b = (net.nats(h, codes, genre, none, run)[0][0, 0] for codes in (one, other))
        assert torch.equal(a[:v], b[:v]) and bool((a[v:] != b[v:]).all())


def test_music_without_a_beat_has_no_clock(net):
    unbeaten = net.clock(torch.tensor([3.0, 77.0]), torch.zeros(2))
    assert not unbeaten.any()
    again = net.clock(torch.tensor([3.0, 3.0 + WRAP]), torch.ones(2))
    assert torch.allclose(again[0], again[1], atol=1e-4)


def test_in_training_what_was_a_bar_ago_is_hidden_at_times_and_the_last_slot_never():
    torch.manual_seed(0)
    net = Navigator(FIRST, PIECES, COUNT, HIDDEN, dropout=0.0).train()
    heard = net.heard(ago(torch.randint(0, 15, (200, COUNT))), 0.4).detach().view(200, len(AGO), -1)
    hidden = (heard == 0).all(-1).float().mean(0)
    assert float(hidden[0]) == 0 and hidden[1:].tolist() == pytest.approx([0.4, 0.4], abs=0.1)
    assert (net.eval().heard(ago(torch.randint(0, 15, (200, COUNT))), 0.4) != 0).any(-1).all()
