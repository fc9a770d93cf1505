"""Codes: what the thirds of slots are like, clusters of it, the nearest one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from noizestream.nn.layers import LayerFront
from noizestream.training.config import resolve
from noizestream.training.data.codes import FEWEST_CODES, SLOTS_PER_CODE, assign, cluster, features
from noizestream.training.data.slots import Slots
from tests.training.made_up import FRONT

LAYERS = LayerFront(FRONT)
CONFIG = resolve("small", codes=40)


def slots(lengths: list[int], first: int = 7) -> Slots:
    """Slots of so many frames, the first of which begins at frame `first`."""
    edges, count = first + np.concatenate([[0], np.cumsum(lengths)]), len(lengths)
    empty = np.zeros(count)
    return Slots(edges[:-1], int(edges[-1]), np.arange(count), np.zeros((count, 24)), empty.astype(int), empty, 120.0)


def test_a_slot_is_the_means_of_its_thirds_however_long_it_is():
    latents = np.zeros((12, LAYERS.size), np.int8)
    latents[:, 0] = [1, 1, 2, 2, 6, 8, 5, 7, 9, 4, 10, 20]
    found = features(LAYERS, latents, slots([6, 3, 1, 2]))
    assert found.shape == (4, 3, LAYERS.size) and not found[..., 1:].any()
    assert found[:, :, 0].tolist() == [[1, 2, 7], [5, 7, 9], [4, 4, 4], [10, 10, 20]]


def music(kinds: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of so many kinds each slot is, and features [count, 3, latents] that are nearly those of its kind."""
    which = np.random.default_rng(seed).integers(0, kinds, count)
    centres = np.random.default_rng(0).normal(0, 5, (kinds, 3, LAYERS.size))
    noise = np.random.default_rng(seed).normal(0, 0.01, (count, 3, LAYERS.size))
    return which, (centres[which] + noise).astype(np.float32)


def test_what_is_alike_has_one_code_in_every_layer_and_each_genre_codes_of_its_own():
    (one, rows), (other, more) = music(3, 100, 1), music(3, 130, 2)
    codes, books = cluster(LAYERS, [(0, rows), (1, more)], 2, CONFIG)
    assert [len(c) for c in codes] == [100, 130] and [len(book) for book in books] == [LAYERS.count] * 2
    for which, found, book in zip((one, other), codes, books, strict=True):
        assert found.max() < len(book[0])
        for v in range(LAYERS.count):
            assert book[v].shape == (len(book[0]), 3, LAYERS.latents[v])
            kinds = [set(found[which == kind, v].tolist()) for kind in range(3)]
            assert not (kinds[0] & kinds[1] or kinds[1] & kinds[2] or kinds[0] & kinds[2])
    assert np.array_equal(assign(LAYERS, books[0], rows), codes[0])


@pytest.mark.parametrize(
    ("count", "most", "expected"), [(9, 40, 9), (60, 40, FEWEST_CODES), (300, 40, 300 // SLOTS_PER_CODE), (300, 20, 20)]
)
def test_there_are_as_many_codes_as_there_is_music_for(count, most, expected):
    _, rows = music(count, count, 3)
    _, (book,) = cluster(LAYERS, [(0, rows)], 1, replace(CONFIG, codes=most))
    assert len(book[0]) == expected


def test_music_of_few_different_slots_is_no_warning(recwarn):
    rows = np.repeat(np.random.default_rng(4).normal(0, 5, (5, 3, LAYERS.size)), 60, axis=0).astype(np.float32)
    codes, _ = cluster(LAYERS, [(0, rows)], 1, CONFIG)
    assert len(np.unique(codes[0], axis=0)) == 5 and not recwarn


def test_the_nearest_code_is_taken_layer_by_layer():
    centres = torch.arange(4.0)[:, None, None]
    book = [centres.expand(4, 3, size).numpy() for size in LAYERS.latents]
    rows = np.zeros((2, 3, LAYERS.size), np.float32)
    for v in range(LAYERS.count):
        own = slice(LAYERS.first_latent[v], LAYERS.first_latent[v] + LAYERS.latents[v])
        rows[0, :, own], rows[1, :, own] = v + 0.3, 3 - v - 0.4
    assert assign(LAYERS, book, rows).tolist() == [[0, 1, 2, 3], [3, 2, 1, 0]]
