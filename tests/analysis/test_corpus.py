"""The real side of a comparison: held-out parts, and the cache used instead of the audio the second time."""

import numpy as np
import pytest
import soundfile

from noizestream.analysis.corpus import _genre, describe
from noizestream.errors import NoizestreamError
from noizestream.music.tracks import Library, Track, set_aside
from noizestream.training.config import Config


@pytest.fixture
def library(tmp_path, monkeypatch) -> Library:
    monkeypatch.setenv("NOIZESTREAM_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    tracks = []
    for genre, scale in (("loud", 0.3), ("soft", 0.01)):
        for split in ("training", "test"):
            path = tmp_path / f"{genre}-{split}.wav"
            soundfile.write(path, scale * random.standard_normal(48000 * 8).clip(-3, 3), 48000)
            tracks.append(Track(path, genre, split if genre == "loud" else None))
    return Library("two", "folders", tuple(tracks))


def test_splits_are_honoured_and_made_where_there_are_none(library):
    skipped = []
    real = describe(library, skipped, workers=0)
    assert set(real) == {"loud", "soft"} and not skipped
    assert len(real["loud"].train) == len(real["loud"].held_out) == 7  # one clip each
    assert len(real["soft"].train) == 12 and len(real["soft"].held_out) == 0  # 6 of 7 each, and the last overlaps both
    assert real["loud"].seconds == pytest.approx(16) and len(real["loud"].control) == 14
    assert real["loud"].measures.peakiness > 0


def test_of_many_tracks_those_are_held_out_that_training_holds_out(tmp_path):
    tracks = [Track(tmp_path / f"{number}.wav", "a") for number in range(20)]
    arrays = {"seconds": np.array([10.0]), "features": np.zeros((9, 2)), "mels": np.zeros((937, 80))}
    real = _genre(tracks, {track: [(0.0, arrays)] for track in tracks})
    held = {piece.track for piece in real.pieces if piece.known_s == piece.unseen_s == 0}
    known = {piece.track for piece in real.pieces if piece.known_s == piece.unseen_s == 10}
    assert held == set_aside(tracks, Config().holdout) and len(held) == 2 and held | known == set(tracks)
    assert len(real.train) == 18 * 9 and len(real.held_out) == 2 * 9


def test_the_second_time_comes_from_the_cache(library):
    first = describe(library, [], workers=0)
    calls = []
    again = describe(library, [], workers=0, progress=lambda done, total: calls.append(done))
    assert calls == []  # nothing was decoded
    np.testing.assert_array_equal(first["soft"].train, again["soft"].train)
    assert first["loud"].measures == again["loud"].measures


def test_nothing_left_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("NOIZESTREAM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "a.wav").write_text("no audio")
    skipped = []
    with pytest.raises(NoizestreamError, match="skipped"):
        describe(Library("bad", "folders", (Track(tmp_path / "a.wav", "x"),)), skipped, workers=0)
    assert len(skipped) == 1
