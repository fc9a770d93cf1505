"""Batches: frames in order, states carried where they belong, genres drawn evenly."""

import numpy as np

from noizestream.training.lanes import Draw, Lanes, windows
from noizestream.training.prepared import Piece

LENGTHS = (400, 300, 90)


def lanes(seed: int = 0) -> Lanes:
    pieces = [Piece(str(i), min(i, 1), "training", 0, n, 0.0) for i, n in enumerate(LENGTHS)]
    # Every latent tells piece and frame, so that order can be read off it.
    latents = [np.stack([np.full(n, i), np.arange(n)], 1).astype(np.float32) for i, n in enumerate(LENGTHS)]
    moods = [np.arange(n // 50 + 1)[:, None] for n in LENGTHS]
    beats, notes = [np.arange(n) / 10 for n in LENGTHS], [np.arange(n) // 7 for n in LENGTHS]
    draw = Draw(pieces, np.random.default_rng(seed))
    return Lanes(draw, latents, beats, notes, moods, 50, genres=2, batch=3, frames=32, chunks=4)


def test_a_lane_goes_through_its_piece_in_order_until_it_starts_afresh():
    reader = lanes()
    before = None
    seen_fresh = 0
    for _ in range(40):
        chunk = reader.next()
        for lane in range(3):
            assert np.array_equal(np.diff(chunk.z[lane, :, 1]), np.ones(31))
            assert np.array_equal(chunk.previous[lane, 1:], chunk.z[lane, :-1])
            assert np.allclose(chunk.beat[lane], chunk.z[lane, :, 1] / 10)
            assert np.array_equal(chunk.notes[lane], chunk.z[lane, :, 1] // 7)
            assert chunk.genre[lane].argmax() == min(int(chunk.z[lane, 0, 0]), 1)
            if chunk.fresh[lane]:
                seen_fresh += 1
                assert np.array_equal(chunk.previous[lane, 0], [0, 0])
            else:
                assert np.array_equal(chunk.previous[lane, 0], before.z[lane, -1])
                assert chunk.z[lane, 0, 1] == before.z[lane, -1, 1] + 1
        before = chunk
    assert 3 < seen_fresh < 100


def test_genres_are_drawn_evenly_though_one_has_far_more_music():
    draw = lanes().draw
    drawn = [draw.pieces[draw.piece()].genre for _ in range(2000)]
    assert 0.45 < np.mean(drawn) < 0.55


def test_a_restored_reader_goes_on_with_the_very_same_chunks():
    one, other = lanes(), lanes(seed=9)
    for _ in range(5):
        one.next()
    other.restore(one.state())
    for _ in range(10):
        a, b = one.next(), other.next()
        assert np.array_equal(a.z, b.z) and np.array_equal(a.fresh, b.fresh) and np.array_equal(a.genre, b.genre)


def test_windows_of_short_pieces_repeat_their_last_frame():
    draw = lanes().draw
    arrays = [np.arange(n, dtype=np.float32)[:, None] for n in (5, 5, 5)]
    batch = windows(draw, arrays, 4, 8)
    assert batch.shape == (4, 8, 1)
    assert np.array_equal(batch[0, :, 0], [0, 1, 2, 3, 4, 4, 4, 4])
