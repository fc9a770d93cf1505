"""Timbre: what of a mood's spectrum the played music leaves out is added, and no more than brings it as far apart as the music."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from noizestream.training.timbre import Timbre

TONES, MOODS, PIECES, HOP = 30, 4, 60, 10
W = 0.2 * torch.randn(MOODS, TONES, generator=torch.Generator().manual_seed(1))


def of_music(pieces: int, random: torch.Generator) -> Timbre:
    """A genre of which every piece has a mood, heard in its spectrum: `W`, and no chance."""
    moods = torch.randn(pieces, MOODS, generator=random)
    player: Any = SimpleNamespace(
        front=SimpleNamespace(tones=TONES, bands=TONES + 2),
        moods=SimpleNamespace(hop=HOP, window=HOP, size=MOODS, read=lambda z, genre: (z[:1] + 3) @ torch.linalg.pinv(W)),
        codec=SimpleNamespace(encode=lambda bands: bands * torch.ones(1, requires_grad=True)),
    )
    prepared: Any = SimpleNamespace(genres=["one"], bands_of=lambda piece: (moods[piece] @ W - 3).expand(HOP, -1).numpy())
    numbers: Any = list(range(pieces))
    return Timbre(player, prepared, numbers, 0, torch.eye(TONES), HOP)


@pytest.mark.parametrize("followed", [0.0, 0.4, 1.0])
def test_what_the_frames_leave_out_of_a_mood_is_added(followed):
    random = torch.Generator().manual_seed(2)
    timbre = of_music(PIECES, random)
    for mood in torch.randn(200, MOODS, generator=random):
        timbre.heard(followed * mood @ W - 3, mood)
    table = timbre.table()
    assert not table.requires_grad, "a player whose tables hang on a training cannot be exported"
    assert table.shape == (MOODS, TONES + 2) and not table[:, TONES:].any(), "the image is left alone"
    assert torch.allclose(table[:, :TONES], (1 - followed) * W, atol=0.1 * float(W.abs().max()))


def test_what_varies_enough_of_itself_is_left_alone():
    random = torch.Generator().manual_seed(3)
    timbre = of_music(PIECES, random)
    for mood in torch.randn(200, MOODS, generator=random):
        timbre.heard(torch.randn(TONES, generator=random) - 3, mood)  # farther apart than the music ever is, whatever the mood
    assert not timbre.table().any()


def test_little_music_or_little_heard_tells_nothing():
    random = torch.Generator().manual_seed(4)
    few, early = of_music(MOODS, random), of_music(PIECES, random)
    for mood in torch.randn(5, MOODS, generator=random):
        few.heard(torch.zeros(TONES), mood)
        early.heard(torch.zeros(TONES), mood)
    few.heard(torch.zeros(TONES), torch.zeros(MOODS))
    assert not few.table().any() and not early.table().any()
