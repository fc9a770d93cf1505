"""The feature cache: found by content and settings, memory-mapped, damage noticed, entries whole or absent."""

import numpy as np
import pytest

from noizestream.errors import NoizestreamError
from noizestream.music.cache import ENTRY, FeatureCache, cache_root
from noizestream.music.tracks import Track
from tests.full import full_disk

ARRAYS = {"z": np.arange(12, dtype=np.float32).reshape(3, 4), "beats": np.array([0.5, 1.0])}


@pytest.fixture
def track(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"some audio")
    return Track(tmp_path / "a.wav", "Jazz")


def test_what_is_put_is_got_memory_mapped(tmp_path, track):
    cache = FeatureCache({"rate": 48000}, tmp_path / "cache")
    assert cache.get(track) is None
    for got in (cache.put(track, ARRAYS), cache.get(track)):
        assert set(got) == set(ARRAYS) and all(isinstance(array, np.memmap) for array in got.values())
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(got[name], array)
            assert got[name].dtype == array.dtype and not got[name].flags.writeable
    assert not list((tmp_path / "cache").rglob(".partial-*"))


def test_key_is_content_and_settings_not_name(tmp_path, track):
    FeatureCache({"rate": 48000}, tmp_path / "cache").put(track, ARRAYS)
    assert FeatureCache({"rate": 44100}, tmp_path / "cache").get(track) is None
    assert FeatureCache({"rate": 48000}, tmp_path / "cache").get(track, start_s=300.0) is None
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
