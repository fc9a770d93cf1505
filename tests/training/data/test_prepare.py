"""Preparing: what is held out, what is skipped and why, what the cache saves, what a copy of the folder can do."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from noizestream.errors import NoizestreamError
from noizestream.music import cuts, task
from noizestream.music.library import read_library
from noizestream.music.tracks import Library, Track
from noizestream.nn.codec import Codec
from noizestream.training.config import resolve
from noizestream.training.data import assemble, features
from noizestream.training.data.dataset import Piece, Prepared
from noizestream.training.data.prepare import prepare
from noizestream.training.recipes.units import UnitRecipe
from tests.training.conftest import RATE, clicks, quiet


def test_every_fault_is_skipped_with_its_reason(prepared):
    reasons = {row["item"].rsplit("/", 1)[-1]: row["reason"] for row in prepared.skipped}
    assert set(reasons) == {"broken.wav", "empty.mp3", "silent.wav", "short.wav", "again"}
    assert "too short" in reasons["short.wav"] and "silent" in reasons["silent.wav"] and "empty" in reasons["empty.mp3"]


def test_tempos_and_lengths_per_genre(prepared):
    assert prepared.genres == ["Höch", "low"]
    assert prepared.tracks == [2, 2]
    assert prepared.seconds == pytest.approx([32, 32], rel=0.02)
    for found, true in zip(prepared.tempos, (120, 90), strict=True):
        assert min(abs(found / true / octave - 1) for octave in (0.5, 1, 2)) < 0.01


def test_the_end_of_every_clip_is_held_out_and_not_trained_on(prepared, config):
    held = prepared.of("validation")
    assert len(held) == 4 == len(prepared.of("training"))
    for piece in held:
        (other,) = (training for training in prepared.of("training") if training.entry == piece.entry)
        whole = len(np.load(prepared.folder / f"{piece.entry}.bands.npy"))
        assert (other.first, other.last, piece.last) == (0, piece.first, whole)
        assert piece.frames / whole == pytest.approx(config.holdout, abs=0.01)


def test_every_frame_has_its_beat_and_the_clicks_are_on_them(prepared):
    for piece, bpm in ((prepared.pieces[0], 120), (prepared.of("training")[-1], 90)):
        beats = prepared.beats_of(piece)
        assert len(beats) == piece.frames and (np.diff(beats) > 0).all()
        loud = np.asarray(prepared.bands_of(piece)[:, 20:140], np.float32).mean(1)
        onsets = [
            t for t in range(20, len(loud) - 20) if loud[t] == loud[t - 10 : t + 11].max() and loud[t] > np.quantile(loud, 0.95)
        ]
        apart = np.abs(beats[onsets] - np.round(beats[onsets]))
        assert len(onsets) > 5 and np.median(apart) < 0.15, bpm


def test_chroma_of_the_whole_recording_lies_beside_it(prepared):
    for piece in prepared.pieces:
        rows = prepared.chroma_of(piece)
        assert rows.shape[1] == 12 and len(rows) == pytest.approx(16 * RATE / 2048, abs=3)
    strongest = np.asarray(prepared.chroma_of(prepared.of("training")[1])).sum(0).argmax()
    assert strongest == 9, "880 Hz is an A"


def test_a_second_time_nothing_is_decoded(music, config, tmp_path, monkeypatch):
    first = prepare(read_library(music), config, tmp_path / "one", cache_root=tmp_path / "cache", workers=0)
    decoded = []
    real = task.pieces
    monkeypatch.setattr(task, "pieces", lambda path, *rest: decoded.append(path.name) or real(path, *rest))
    second = prepare(read_library(music), config, tmp_path / "two", cache_root=tmp_path / "cache", workers=0)
    assert sorted(decoded) == ["broken.wav", "empty.mp3", "short.wav", "silent.wav"], "only what could not be used is tried again"
    assert second.pieces == first.pieces
    for piece in first.pieces:
        assert np.array_equal(first.bands_of(piece), second.bands_of(piece))


def test_a_file_that_is_listed_twice_makes_the_same_set_with_a_cold_cache_and_a_warm_one(config, tmp_path, monkeypatch):
    monkeypatch.setattr(cuts, "PIECE_S", 5.0)
    soundfile.write(tmp_path / "a.wav", clicks(120, 8), RATE)
    shutil.copy(tmp_path / "a.wav", tmp_path / "copy.wav")
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    rows = "path,genre\na.wav,Jazz\ncopy.wav,Dub\na.wav,Jazz\n./a.wav,Dub\nlink.wav,Jazz\n"
    (tmp_path / "list.csv").write_text(rows)
    cold, warm = (
        prepare(read_library(tmp_path / "list.csv"), config, tmp_path / name, cache_root=tmp_path / "cache", workers=0)
        for name in ("cold", "warm")
    )
    assert cold.genres == ["Dub", "Jazz"] and cold.tracks == [1, 1] and cold.seconds == pytest.approx([8, 8], rel=0.02)
    index, again = ((prepared.folder / "index.json").read_text() for prepared in (cold, warm))
    assert index == again and index.count("listed twice") == 3


def test_the_prepared_folder_can_be_moved_and_outlives_the_cache(music, config, tmp_path):
    made = prepare(read_library(music), config, tmp_path / "here", cache_root=tmp_path / "cache", workers=0)
    expected = np.array(made.bands_of(made.pieces[0]))
    shutil.rmtree(tmp_path / "cache")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    shutil.rmtree(tmp_path / "here")
    moved = Prepared.open(tmp_path / "there")
    assert np.array_equal(moved.bands_of(moved.pieces[0]), expected)


def test_nothing_left_is_an_error_that_says_so(tmp_path, config):
    (tmp_path / "music" / "genre").mkdir(parents=True)
    (tmp_path / "music" / "genre" / "text.wav").write_text("no audio")
    with pytest.raises(NoizestreamError, match="nothing left to learn from"):
        prepare(read_library(tmp_path / "music"), config, tmp_path / "out", cache_root=tmp_path / "cache", workers=0)


def test_features_do_not_depend_on_where_a_long_track_is_cut():
    front = features.front_of(48000, 512)
    import torch

    sound = torch.randn(2, 512 * 90)
    whole = front.analyse(sound)
    parts = torch.cat([front.analyse(part) for part in features._overlapping(sound, 512, frames=17)])
    # kernels of other batch sizes add in another order; the image is measured over nine frames, fewer at a cut
    assert torch.allclose(whole[:, : front.tones], parts[:, : front.tones], atol=1e-3)
    inside = [t for t in range(len(whole)) if 4 <= t % 17 < 13 and t < 85]
    assert torch.allclose(whole[inside], parts[inside], atol=1e-3)


def test_a_library_with_stereo_in_it_is_learned_in_stereo(prepared):
    front = features.front_of(48000, 512)
    assert prepared.channels == 2 and prepared.bands == front.bands
    band = front.tones + 2  # 500 to 1000 Hz
    pans = [[float(prepared.bands_of(p)[:, band].mean()) for p in prepared.of("training") if p.genre == genre] for genre in (0, 1)]
    assert pans[0] == pytest.approx([0.5, 0.5], abs=0.05) and pans[1] == [0.0, 0.0], "the files of the second are mono"


def test_mono_where_the_music_is_or_where_asked(music, config, tmp_path):
    front = features.front_of(48000, 512)
    cache = {"cache_root": tmp_path / "cache", "workers": 0}
    mono = prepare(read_library(music, ["low"]), config, tmp_path / "mono", **cache)
    assert (mono.channels, mono.bands) == (1, front.tones)
    assert mono.bands_of(mono.pieces[0]).shape[1] == front.tones
    asked = prepare(read_library(music, ["low"]), replace(config, channels=2), tmp_path / "stereo", **cache)
    assert (asked.channels, asked.bands) == (2, front.bands)


def test_for_the_baseline_the_samples_lie_beside_the_bands_row_by_row(config, tmp_path):
    (tmp_path / "music" / "only").mkdir(parents=True)
    sound = clicks(120, 5)
    soundfile.write(tmp_path / "music" / "only" / "one.wav", sound, RATE)
    settings = replace(config, arch="raw")
    made = prepare(read_library(tmp_path / "music"), settings, tmp_path / "out", cache_root=tmp_path / "cache", workers=0)
    (piece,) = made.pieces
    samples = made.samples_of(piece)
    assert samples.shape == (piece.frames, made.block)
    assert np.allclose(samples.ravel(), sound[: samples.size], atol=1e-3)


def test_the_sound_lies_beside_the_bands_a_row_where_the_middle_of_a_frame_is(config, tmp_path):
    (tmp_path / "music" / "only").mkdir(parents=True)
    sound = np.stack([clicks(120, 6, pitch=300.0), 0.6 * clicks(120, 6, pitch=300.0, seed=1)])
    soundfile.write(tmp_path / "music" / "only" / "one.wav", sound.T, RATE)
    made = prepare(read_library(tmp_path / "music"), config, tmp_path / "out", cache_root=tmp_path / "cache", workers=0)
    rows, codec = np.concatenate([made.sound_of(piece) for piece in made.pieces]), Codec(RATE, made.block)
    assert rows.dtype == np.uint8 and rows.shape == (sum(piece.frames for piece in made.pieces), codec.size)
    again = codec.stream(torch.from_numpy(rows))[:, made.block : -made.block].numpy()
    expected = sound[:, 3 * made.block :][:, : again.shape[1]]
    assert np.mean((again - expected) ** 2) < 0.02 * np.mean(expected**2)


def test_rows_of_sound_do_not_depend_on_where_a_long_track_is_cut(monkeypatch):
    sound = torch.from_numpy(np.stack([clicks(140, 4), clicks(140, 4, seed=2)]))
    bands = features.front_of(48000, 512).analyse(sound)
    struck, whole = features._struck_and_rows(sound, bands, 48000, 512)
    monkeypatch.setattr(features, "PART", 100)
    struck_in_parts, parts = features._struck_and_rows(sound, bands, 48000, 512)
    assert torch.equal(struck, struck_in_parts) and struck.shape == (len(bands), features._layers(48000, 512).tones)
    assert whole.shape == parts.shape == (len(bands), features._codec(48000, 512).size)
    assert float((whole != parts).float().mean()) < 1e-3, "but for rounding"
    _, share = features._codec(48000, 512).decode(whole)
    loud = bands.mean(1) > bands.mean(1).quantile(0.98)
    assert float(share[loud.roll(-1)].mean()) > float(share.mean()) + 0.2, "what is percussive is where the clicks are"
    assert [len(rows) for rows in features._struck_and_rows(sound[:, :1000], bands[:0], 48000, 512)] == [0, 0]


def test_the_agile_preset_has_blocks_of_half_the_length(config, tmp_path):
    for number in range(2):
        (tmp_path / "music" / str(number)).mkdir(parents=True)
        soundfile.write(tmp_path / "music" / str(number) / "a.wav", clicks(120, 6, seed=number), RATE)
    config = replace(config, block_ms=resolve("agile").block_ms)
    prepared = prepare(read_library(tmp_path / "music"), config, tmp_path / "out", cache_root=tmp_path / "cache", workers=0)
    assert prepared.block == 256
    (tmp_path / "run").mkdir()
    recipe = UnitRecipe(prepared, replace(config, steps=2), tmp_path / "run")
    recipe.build(quiet)
    recipe.fit()
    player = recipe.player()
    controls = torch.tensor([float(control["default"]) for control in player.controls])
    block, _ = player.step(torch.tensor([1.0, 0.0]), controls, torch.full((player.noise_size,), 0.5), player.initial_state())
    assert player.latency_frames == 0 and block.shape == (1, 256)


def test_whole_tracks_are_held_out_where_there_are_many(tmp_path):
    tracks = [Track(tmp_path / f"{genre}{n}.wav", genre) for genre, count in (("many", 20), ("few", 3)) for n in range(count)]
    aside = assemble.set_apart(Library("x", "folders", tuple(tracks)), 0.1)
    assert len(aside) == 2 and {track.genre for track in aside} == {"many"}
    clips = [Track(tmp_path / "clip.wav", "many", "validation"), Track(tmp_path / "test.wav", "many", "test")]
    assert not assemble.set_apart(Library("x", "fma", (*tracks, *clips)), 0.1)
    assert assemble.set_apart(Library("x", "fma", (*tracks, clips[1])), 0.1) == aside
    piece = Piece("x", 0, "training", 0, 4000, 0.0)
    assert [p.split for p in assemble._split(piece, True, False, 0.1)] == ["validation"]
    assert [(p.split, p.first, p.last) for p in assemble._split(piece, False, True, 0.1)] == [
        ("training", 0, 3600),
        ("validation", 3600, 4000),
    ]
    assert [(p.split, p.first, p.last) for p in assemble._split(piece, False, False, 0.1)] == [("training", 0, 4000)]
