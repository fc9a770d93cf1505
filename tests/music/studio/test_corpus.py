import csv

import numpy as np
import pytest
import soundfile

from noizestream.errors import NoizestreamError, UsageError
from noizestream.music.studio import GENRES, write
from noizestream.music.studio.corpus import plan

NAMES = [row.name for row in GENRES]


def test_plan_splits_evenly_and_leaves_a_track_to_hold_out():
    for minutes in (0.3, 3, 6, 15, 60):
        tracks = plan(minutes)
        assert abs(sum(t.seconds for t in tracks) - minutes * 60) < 1e-6
        counts = {name: sum(t.genre.name == name for t in tracks) for name in NAMES}
        assert len(set(counts.values())) == 1
        assert counts[NAMES[0]] >= (2 if minutes * 60 / len(NAMES) >= 40 else 1)
        assert all(t.seconds <= 90 for t in tracks)


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), 0.01])
def test_minutes_out_of_range(tmp_path, minutes):
    with pytest.raises(UsageError, match="minutes"):
        write(tmp_path / "corpus", minutes, 0)
    assert list(tmp_path.iterdir()) == []


def test_corpus_on_disk(tmp_path):
    seen = []
    paths = write(tmp_path / "corpus", 0.3, 7, lambda done, total, name: seen.append((done, total)))
    assert sorted({path.parent.name for path in paths}) == sorted(NAMES)
    assert seen == [(i, len(paths)) for i in range(len(paths) + 1)]
    for path in paths:
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype, info.format) == (48000, 2, "PCM_16", "WAV")
        assert info.frames == 3 * 48000
    rows = list(csv.DictReader((tmp_path / "corpus" / "corpus.csv").open()))
    assert [tmp_path / "corpus" / row["path"] for row in rows] == paths
    assert all((row["bpm"] != "") == next(g.pulsed for g in GENRES if g.name == row["genre"]) for row in rows)
    assert "CC0" in (tmp_path / "corpus" / "LICENSE.txt").read_text()
    assert not [p for p in tmp_path.rglob("*") if p.name.endswith(".part")]

    again = write(tmp_path / "again", 0.3, 7)
    assert [a.read_bytes() for a in again] == [p.read_bytes() for p in paths]
    other = write(tmp_path / "corpus", 0.3, 8)
    assert other == paths
    assert not np.array_equal(soundfile.read(other[0])[0], soundfile.read(again[0])[0])


def test_interrupted_it_leaves_only_whole_files(tmp_path):
    def stop(done: int, total: int, name: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "corpus", 0.2, 0, stop)
    files = [p for p in (tmp_path / "corpus").rglob("*") if p.is_file()]
    assert len(files) == 2 and all(soundfile.info(f).frames == 2 * 48000 for f in files)


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(NoizestreamError, match="nowhere"):
        write(tmp_path / "nowhere" / "corpus", 0.2, 0)
    (tmp_path / "file").write_text("")
    with pytest.raises(NoizestreamError, match="file"):
        write(tmp_path / "file", 0.2, 0)
