"""What is recalled: the same notes and numbers a bar later, in the bars that chance picks, and the sound that they make."""

import functools

import pytest
import torch

from noizestream.nn.recall import BAR, FRAMES, STARTS, Recall
from tests.nn.test_player import CELLS, player

TEMPO = 220.0
PER_SLOT = 48000 * 60 / (TEMPO * 4 * 512)  # blocks
SLOTS = 3 * BAR


def test_numbers_are_drawn_from_the_distributions_they_stand_for():
    recall = Recall(2, 64, choices=8, latent=68)
    assert float(recall.gauss.mean()) == pytest.approx(0, abs=0.02) and float(recall.gauss.std()) == pytest.approx(1, abs=0.02)
    assert float(recall.gumbel.mean()) == pytest.approx(0.5772, abs=0.03)
    assert bool(torch.isfinite(recall.gumbel).all())


def test_every_frame_of_every_slot_has_numbers_of_its_own_and_the_table_never_ends():
    recall = Recall(2, 64, choices=8, latent=68)
    rows = [recall.numbers(100.0, float(frame)) for frame in range(FRAMES)]
    assert torch.equal(torch.cat([gauss for _, gauss in rows]), recall.gauss[100 : 100 + FRAMES * 68])
    assert torch.equal(torch.cat([gumbel for gumbel, _ in rows]), recall.gumbel[100 : 100 + FRAMES * 8])
    last = recall.numbers(STARTS - 1.0, FRAMES - 1.0)
    assert last[0].shape == (8,) and last[1].shape == (68,)
    assert torch.equal(recall.numbers(100.0, float(FRAMES))[1], rows[0][1]), "a slot that lasts begins them anew"
    assert torch.equal(recall.numbers(100.0, 3 - 1e-9)[1], rows[3][1]), "a sum that falls short by its rounding"


def test_a_bar_is_recalled_as_often_as_asked_and_never_at_temperature_two():
    recall = Recall(1, 64, 8, 8)
    numbers = torch.linspace(0.0005, 0.9995, 1000)

    def share(chance: float, temperature: float) -> float:
        return sum(recall.recalled(16.0, 15.0, 0.0, chance, number, temperature) for number in numbers) / 1000

    assert share(0.3, 0.0) == share(0.3, 1.0) == pytest.approx(0.3, abs=0.002)
    assert share(0.3, 1.5) == pytest.approx(0.15, abs=0.002) and share(1.0, 2.0) == 0
    assert recall.recalled(18.0, 17.0, 1.0, 0.0, numbers[0], 1.0) == 1.0, "within a bar nothing is decided"


@functools.cache
@torch.no_grad()
def played(chance: float, temperature: float = 1.0):
    """Per slot: codes, place of its numbers, latent of its first frame."""
    net = player()
    net.moods.table.zero_()
    net.recall.chance.fill_(chance)
    controls, weights = torch.tensor([temperature, TEMPO, -1.0]), torch.eye(2)[0]
    random, state = torch.Generator().manual_seed(3), net.initial_state()
    last, slots = -1, []
    for _ in range(round(SLOTS * PER_SLOT)):
        _, state = net.step(weights, controls, torch.rand(net.noise_size, generator=random), state)
        if int(state[net.planned + 3]) != last:
            last = int(state[net.planned + 3])
            slots.append((state[net.planned + 2][-1].tolist(), int(state[CELLS + 4][-1]), state[CELLS][-1].clone()))
    return slots


def test_recalled_bars_have_the_notes_and_numbers_of_the_bar_before_others_have_their_own():
    always, never = played(1.0), played(0.0)
    for slots, recalled in ((always, True), (never, False)):
        again = [slots[k][:2] == slots[k - BAR][:2] for k in range(BAR, len(slots))]
        assert all(again) if recalled else not any(again)
    assert len({place for _, place, _ in always}) == BAR, "the first bar is drawn"
    wild = played(1.0, 2.0)
    assert not any(wild[k][:2] == wild[k - BAR][:2] for k in range(BAR, len(wild)))


def test_what_is_recalled_comes_to_sound_alike():
    def apart(slots) -> float:
        return float(torch.stack([(slots[k][2] - slots[k - BAR][2]).square().mean() for k in range(2 * BAR, len(slots))]).mean())

    assert apart(played(1.0)) < 0.5 * apart(played(0.0))


@torch.no_grad()
def test_another_genre_recalls_nothing_until_it_has_played_a_bar_of_its_own():
    net, state = player(), None
    net.recall.chance.fill_(1.0)
    random, controls = torch.Generator().manual_seed(3), torch.tensor([1.0, TEMPO, -1.0])
    places = []
    for block in range(round(4 * BAR * PER_SLOT)):
        genre = torch.eye(2)[0 if block < 2 * BAR * PER_SLOT else 1]
        _, state = net.step(genre, controls, torch.rand(net.noise_size, generator=random), state or net.initial_state())
        places.append(int(state[CELLS + 4][-1]))
    slots = [place for k, place in enumerate(places) if k == 0 or place != places[k - 1]]
    first, second = ([place for place in slots if place // STARTS == genre] for genre in (0, 1))
    assert first[:BAR] == first[BAR : 2 * BAR] and len(set(first)) <= BAR + 1
    assert len(set(second[:BAR])) == BAR and second[BAR:] == second[: len(second) - BAR]


@torch.no_grad()
def test_a_morph_recalls_as_its_stronger_genre():
    recall = Recall(2, 64, 8, 8)
    recall.lag.copy_(torch.tensor([16.0, 32.0]))
    assert recall.ago(0) == 16 and recall.ago(1) == 32
    assert recall.known(recall.place(0.999, 1), 1) and not recall.known(recall.place(0.999, 1), 0)
