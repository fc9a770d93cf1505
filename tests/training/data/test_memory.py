"""The memory that is built: real frames in order, codes that tell slots apart, no more than the file may hold."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from noizestream.errors import NoizestreamError
from noizestream.nn.layers import LayerFront
from noizestream.training.config import resolve
from noizestream.training.data import memory as module
from noizestream.training.data import memory_shares
from noizestream.training.data.memory_shares import sections
from noizestream.training.data.slots import BAR
from tests.training.conftest import quiet
from tests.training.made_up import CODEC, FRONT, PER_SLOT, frames, prepared

CONFIG = resolve("small", codes=12)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two genres: two pieces and one, of 120 slots each; one more is held out."""
    pieces = [
        (0, frames(120, 1), "training"),
        (0, frames(120, 2), "training"),
        (1, frames(120, 3, 4), "training"),
        (1, frames(60, 4, 4), "validation"),
    ]
    return prepared(tmp_path_factory.mktemp("made"), pieces)


@pytest.fixture(scope="module")
def built(music):
    layers = LayerFront(FRONT)
    return module.build(layers, CODEC.size, music, CONFIG, quiet), layers


def test_its_frames_are_the_musics_in_order(built, music):
    made, _ = built
    memory = made.memory
    assert memory.slots == 360 and memory.frames.shape == (360 * PER_SLOT, CODEC.size) and memory.frames.dtype == torch.uint8
    assert memory.first.tolist() == list(range(0, 3600, PER_SLOT)) and set(memory.length.tolist()) == {PER_SLOT}
    rows = np.concatenate([music.sound_of(piece) for piece in music.of("training")])
    assert np.array_equal(memory.frames.numpy(), rows[:, : CODEC.size]), "of one channel: the beginning of each row"
    assert 0.8 < made.kept <= 1, "random frames have many dimensions"


def test_the_end_of_a_slot_is_known_by_the_latents_of_its_last_frame(built, music):
    made, layers = built
    bands = torch.from_numpy(np.asarray(music.bands_of(music.pieces[1]), np.float32))
    z = layers.encode(layers.split(bands))[PER_SLOT - 1 :: PER_SLOT]
    apart = (made.memory.ends[120:240].float() - z / layers.step).abs()
    assert made.memory.ends.dtype == torch.int8 and float((apart < 3).float().mean()) > 0.99, "shares are bytes"
    again = layers.decode(made.memory.ends[120:240].float() * layers.step)
    columns = layers.split(bands)[PER_SLOT - 1 :: PER_SLOT]
    lost = ((again - columns) * layers.weight).square().mean()
    assert lost < 0.25 * ((columns - columns.mean(0)) * layers.weight).square().mean()


def test_its_pieces_end_where_the_music_ends(built):
    memory = built[0].memory
    assert torch.where(memory.follows == 0)[0].tolist() == [119, 239, 359]
    assert memory.piece.tolist() == [0] * 120 + [1] * 120 + [2] * 120 and memory.piece_from == [0, 2, 3]
    assert memory.piece_first.tolist() == [0, 120, 240] and memory.piece_slots.tolist() == [120] * 3
    assert memory.place.tolist() == [number % 16 for number in range(120)] * 3
    assert [memory.genre_of(slot) for slot in (0, 239, 240)] == [0, 0, 1]
    assert memory.tempo.tolist() == pytest.approx([187.5] * 3, rel=1e-3)


def test_slots_that_sound_alike_have_one_code_and_others_another(built, music):
    made, _ = built
    played = np.random.default_rng(1).integers(0, 6, 120)
    codes = made.training[0].code
    for v in range(codes.shape[1]):
        shared = [
            len(set(codes[played == kind, v].tolist()) & set(codes[played == other, v].tolist()))
            for kind in range(6)
            for other in range(kind)
        ]
        assert np.mean(np.array(shared) == 0) > 0.8
    assert codes[:, 0].max() < 12 <= made.training[2].code.min(), "every genre has codes of its own"


def test_codes_of_the_memory_are_those_of_the_pieces(built):
    made, _ = built
    for one, first in zip(made.training, made.memory.piece_first.tolist(), strict=True):
        assert torch.equal(made.memory.code[:, first : first + 120], torch.from_numpy(one.code.T).int())
        assert made.memory.piece[first] == one.piece
    (held,) = made.validation
    assert held.genre == 1 and held.piece == made.memory.pieces and len(held.code) == 60
    assert held.code.min() >= 12


def test_harmony_is_that_of_the_music(built):
    memory = built[0].memory
    assert set(memory.chord.tolist()) == {0}
    assert int(memory.fit[:, 0].min()) > 90 and set(memory.fit.argmax(1).tolist()) == {0}


def test_no_more_is_kept_than_asked_for_and_small_genres_keep_all_they_have(music, tmp_path):
    layers = LayerFront(FRONT)
    size = 2400 * (CODEC.size + layers.size / PER_SLOT) / 1e6
    made = module.build(layers, CODEC.size, music, replace(CONFIG, memory_mb=size), quiet)
    memory = made.memory
    assert len(memory.frames) <= 2400 + 2 * 16 * PER_SLOT / 2, "but for the rounding to bars"
    kept = memory.piece_slots.tolist()
    assert kept == [64, 64, 120], "1200 frames a genre"
    for one, first, count in zip(made.training, memory.piece_first.tolist(), kept, strict=True):
        ((begin, length),) = sections(120, count)
        assert length == count and len(one.code) == 120, "all of it is learned from"
        assert torch.equal(memory.code[:, first : first + count], torch.from_numpy(one.code[begin : begin + count].T).int())
        assert memory.place[first] == 0


@pytest.mark.parametrize("first_beat", [0.0, 1.25])
def test_of_a_piece_that_has_no_room_sections_from_all_over_it_are_kept(tmp_path, monkeypatch, first_beat):
    monkeypatch.setattr(memory_shares, "SECTION", 2 * BAR)
    music = prepared(tmp_path, [(0, frames(200, 1), "training")], first_beat)
    layers = LayerFront(FRONT)
    config = replace(CONFIG, memory_mb=960 * (CODEC.size + layers.size / PER_SLOT) / 1e6)
    made = module.build(layers, CODEC.size, music, config, quiet)
    memory, (one,), (piece,) = made.memory, made.training, music.pieces
    upbeat = int(-one.number[0] % BAR)
    kept = sections(200, 96, upbeat)
    assert upbeat == (0 if not first_beat else 11) and len(kept) == 3 and memory.slots == 96 and memory.piece_slots.tolist() == [96]
    sound, codes, first = music.sound_of(piece), torch.from_numpy(one.code.T).int(), 0
    for begin, count in kept:
        own, frame = slice(first, first + count), first * PER_SLOT
        assert memory.place[own].tolist() == [number % BAR for number in range(count)], "on a bar line"
        assert memory.follows[own].tolist() == [1] * (count - 1) + [0], "and it ends as a piece does"
        assert set(memory.final[own].tolist()) == {frame + count * PER_SLOT - 1} and set(memory.piece[own].tolist()) == {0}
        assert memory.first[own].tolist() == list(range(frame, frame + count * PER_SLOT, PER_SLOT))
        kept_sound = sound[begin * PER_SLOT : (begin + count) * PER_SLOT, : CODEC.size]
        assert np.array_equal(memory.frames[frame : frame + count * PER_SLOT].numpy(), kept_sound)
        assert torch.equal(memory.code[:, own], codes[:, begin : begin + count])
        assert memory.late[first] == 0, "before its first frame lies other music"
        first += count


def test_slots_last_as_long_as_they_were_played_and_all_together_as_long_as_there_are_frames(built):
    memory = built[0].memory
    lasts = memory.duration.view(3, 120)
    # In these pieces a slot begins half a frame before its first one, and a piece with its first frame.
    assert memory.late.view(3, 120)[:, 0].tolist() == [0.0] * 3
    assert memory.late.view(3, 120)[:, 1:].flatten().tolist() == pytest.approx([0.5] * 357, abs=1e-3)
    assert lasts[:, 1:-1].flatten().tolist() == pytest.approx([PER_SLOT] * 354, abs=1e-3)
    assert lasts.sum(1).tolist() == pytest.approx([120 * PER_SLOT] * 3, rel=1e-6)
    begins = memory.first - memory.late
    follows = memory.follows[:-1] == 1
    assert torch.allclose((begins[1:] - begins[:-1])[follows], memory.duration[:-1][follows], atol=1e-3)


def test_how_much_of_a_piece_is_drums_is_known(built, music):
    made, layers = built
    for number, piece in enumerate(music.of("training")):
        bands = torch.from_numpy(np.asarray(music.bands_of(piece), np.float32))
        expected = layers.struck(bands, layers.percussive(bands[:, : layers.tones]))
        assert float(made.memory.struck[number]) == pytest.approx(expected, rel=5e-3) and 0 < expected < 1


def test_what_was_saved_is_read_again_and_what_is_damaged_is_not(built, tmp_path):
    made, layers = built
    assert module.load(LayerFront(FRONT), tmp_path) is None
    module.save(made, layers, tmp_path)
    other = LayerFront(FRONT)
    again = module.load(other, tmp_path)
    assert torch.equal(other.basis, layers.basis) and again.kept == made.kept
    assert all(
        torch.equal(a, b) for a, b in zip(again.memory.state_dict().values(), made.memory.state_dict().values(), strict=True)
    )
    assert again.memory.code_first == made.memory.code_first and again.memory.piece_from == made.memory.piece_from
    for name in ("training", "validation"):
        for a, b in zip(getattr(again, name), getattr(made, name), strict=True):
            assert (
                np.array_equal(a.code, b.code)
                and np.array_equal(a.number, b.number)
                and (a.genre, a.piece, a.beaten) == (b.genre, b.piece, b.beaten)
            )
            assert isinstance(b.code, np.ndarray), "saving changes nothing"
    whole = (tmp_path / "memory.pt").read_bytes()
    (tmp_path / "memory.pt").write_bytes(whole[: len(whole) // 2])
    assert module.load(LayerFront(FRONT), tmp_path) is None


def test_the_same_seed_gives_the_same_codes(music, built):
    again = module.build(LayerFront(FRONT), CODEC.size, music, CONFIG, quiet)
    assert torch.equal(again.memory.code, built[0].memory.code)
    other = module.build(LayerFront(FRONT), CODEC.size, music, replace(CONFIG, seed=1), quiet)
    assert not torch.equal(other.memory.code, built[0].memory.code)


def test_a_genre_with_nothing_to_play_is_named(tmp_path):
    made = prepared(tmp_path, [(0, frames(40, 1), "training"), (1, frames(5, 2), "training")])
    with pytest.raises(NoizestreamError, match="genre 1: its tracks are too short"):
        module.build(LayerFront(FRONT), CODEC.size, made, CONFIG, quiet)
