"""The mood of a stretch of music: read, learned in its order, gone on with at play."""

import torch

from noizestream.nn.moods import MOODS, Moods


def heard(seed: int, seconds: float, level: float) -> torch.Tensor:
    """Latents [T, 6] at 10 frames a second, of which the first wanders around `level`."""
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(round(10 * seconds), 6, generator=random)
    z[:, 0] += level
    return z


def fitted() -> Moods:
    """Two genres; of the first two pieces, one of a high and one of a low first latent."""
    moods = Moods(2, 6, 10.0)
    pieces = [heard(0, 60, 2.0), heard(1, 40, -2.0), heard(2, 60, 0.5)]
    moods.fit([moods.describe(z) for z in pieces], [0, 0, 1])
    return moods


def test_pieces_that_differ_have_moods_that_differ_and_a_genre_is_around_zero():
    moods, genre = fitted(), torch.eye(2)[0]
    high, low = moods.read(heard(5, 30, 2.0), genre), moods.read(heard(6, 30, -2.0), genre)
    assert high.shape == (8, MOODS)
    assert float(abs(high[:, 0].mean() - low[:, 0].mean())) > 1.0
    assert float(moods.table[0, :25].mean(0).abs().max()) < 0.1


def test_at_play_moods_follow_as_in_the_music_and_then_another_piece_begins():
    moods = fitted()
    assert moods.count.tolist() == [25.0, 15.0]
    places = moods.moved(moods.initial_state(), torch.tensor([0.1]))
    assert places.tolist() == [2, 1]
    for _ in range(12):
        places = moods.moved(places, torch.tensor([0.99]))
    assert places.tolist() == [14, 13]  # the first piece has 15 moods
    places = moods.moved(places, torch.tensor([0.7]))
    assert places.tolist() == [17, 14]


def test_a_mix_of_genres_has_the_mean_of_their_moods():
    moods, places = fitted(), torch.tensor([3, 4])
    mixed = moods.shown(places, torch.tensor([[0.25, 0.75]]))[0]
    assert torch.allclose(mixed, 0.25 * moods.table[0, 3] + 0.75 * moods.table[1, 4])


def test_after_music_was_heard_it_goes_on_from_the_likest_mood():
    moods = fitted()
    assert moods.nearest(moods.table[0, 7]).tolist()[0] == 7


def test_before_anything_was_learned_there_is_no_mood():
    moods = Moods(2, 6, 10.0)
    places = moods.moved(moods.initial_state(), torch.tensor([0.999]))
    assert places.tolist() == [0, 0]
    assert not moods.shown(places, torch.tensor([[0.5, 0.5]])).any()


def test_directions_of_a_base_are_kept():
    moods = fitted()
    before = moods.projection.clone()
    moods.fit([moods.describe(heard(8, 60, 5.0))], [0], keep_directions=True)
    assert torch.equal(moods.projection, before) and moods.count.tolist() == [15.0, 1.0]
