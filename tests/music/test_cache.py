"""The feature cache: found by content and settings, no file kept open, damage noticed, entries whole or absent."""

import numpy as np
import pytest

from noizestream.errors import NoizestreamError
from noizestream.music.cache import ENTRY, SMALL, FeatureCache, PieceCache, cache_root
from noizestream.music.tracks import Track
from tests.full import full_disk

ARRAYS = {"z": np.arange(12, dtype=np.float32).reshape(3, 4), "beats": np.array([0.5, 1.0])}


@pytest.fixture
def track(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"some audio")
    return Track(tmp_path / "a.wav", "Jazz")


def test_what_is_put_is_got_and_read_only(tmp_path, track):
    cache = FeatureCache({"rate": 48000}, tmp_path / "cache")
    assert cache.get(track) is None
    for got in (cache.put(track, ARRAYS), cache.get(track)):
        assert set(got) == set(ARRAYS) and got.rows("z") == 3 and "w" not in got
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(got[name], array)
            assert got[name].dtype == array.dtype and not got[name].flags.writeable
    assert not list((tmp_path / "cache").rglob(".partial-*"))


def test_small_arrays_are_kept_and_large_ones_only_mapped_while_they_are_held(tmp_path, track):
    got = FeatureCache({}, tmp_path).put(track, {"small": np.zeros(10), "large": np.zeros(SMALL, np.float32)})
    assert got["small"] is got["small"] and not isinstance(got["small"], np.memmap)
    assert isinstance(got["large"], np.memmap) and got["large"] is not got["large"]


def test_pieces_are_found_again_only_when_all_are_there_and_cut_alike(tmp_path, track):
    store = PieceCache(FeatureCache({}, tmp_path / "cache"))
    store.put(track, 0.0, ARRAYS)
    store.put(track, 300.0, {"z": np.ones(2)})
    assert store.get(track) == []
    store.close(track)
    found = PieceCache(FeatureCache({}, tmp_path / "cache")).get(track)
    assert [start for start, _ in found] == [0.0, 300.0] and found[1][1].rows("z") == 2
    assert PieceCache(FeatureCache({}, tmp_path / "cache"), "middle 45").get(track) == []
    track.path.unlink()
    assert store.get(track) == []


def test_key_is_content_and_settings_not_name(tmp_path, track):
    FeatureCache({"rate": 48000}, tmp_path / "cache").put(track, ARRAYS)
    assert FeatureCache({"rate": 44100}, tmp_path / "cache").get(track) is None
    assert FeatureCache({"rate": 48000}, tmp_path / "cache").get(track, "another part") is None
    moved = Track(track.path.rename(tmp_path / "b.wav"), "Dub")
    assert FeatureCache({"rate": 48000}, tmp_path / "cache").get(moved) is not None
    moved.path.write_bytes(b"other audio")
    assert FeatureCache({"rate": 48000}, tmp_path / "cache").get(moved) is None


@pytest.mark.parametrize("damage", ["cut", "garbage", "gone", "entry", "reshaped"])
def test_a_damaged_entry_is_made_anew(tmp_path, track, damage):
    cache = FeatureCache({}, tmp_path / "cache")
    cache.put(track, ARRAYS)
    folder = cache.folder / cache.key(track)
    file = folder / "z.npy"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-8])
    elif damage == "garbage":
        file.write_bytes(b"garbage")
    elif damage == "gone":
        file.unlink()
    elif damage == "entry":
        (folder / ENTRY).write_text("{")
    else:
        np.save(file, np.zeros(3))
    assert cache.get(track) is None
    cache.put(track, ARRAYS)
    np.testing.assert_array_equal(cache.get(track)["z"], ARRAYS["z"])


def test_where_it_lives(monkeypatch, tmp_path):
    monkeypatch.delenv("NOIZESTREAM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "noizestream"
    monkeypatch.setenv("NOIZESTREAM_CACHE", str(tmp_path / "mine"))
    assert cache_root() == tmp_path / "mine" and FeatureCache({}).folder == tmp_path / "mine" / "features"


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, track):
    (tmp_path / "file").touch()
    with pytest.raises(NoizestreamError, match="NOIZESTREAM_CACHE"):
        FeatureCache({}, tmp_path / "file").put(track, ARRAYS)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, track):
    cache = FeatureCache({}, tmp_path / "cache")
    with full_disk(), pytest.raises(NoizestreamError, match=r"feature cache \(the disk took less.*NOIZESTREAM_CACHE"):
        cache.put(track, {"z": np.zeros(10_000)})
    assert not list((tmp_path / "cache" / "features").iterdir())
