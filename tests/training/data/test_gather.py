"""How the music of a training is gathered: in the time there is, every genre of it, whatever the number of files."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from noizestream.music.cache import FeatureCache
from noizestream.music.library import read_library
from noizestream.training.config import Config
from noizestream.training.data.gather import Gathering
from noizestream.training.plan import Plan

RATE = 8000
SECONDS = 20.0
MANY = """
import resource, sys
from pathlib import Path
import numpy as np
from noizestream.music.library import read_library
from noizestream.training.data import prepare
from noizestream.training.config import Config

def made_up(track, audio, **settings):
    rows = 300
    return {
        "bands": np.zeros((rows, 400), np.float16), "sound": np.zeros((rows, 174), np.uint8), "beats": np.arange(rows) / 20,
        "struck": np.zeros((rows, 200), np.uint8), "chroma": np.zeros((9, 12), np.float32), "tempo": np.array([120.0, 1.0]),
        "pulse": np.array([0.5]), "width": np.array([0.0]),
    }

root, allowed = Path(sys.argv[1]), int(sys.argv[2])
prepare.extract = made_up
resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
made = prepare.prepare(read_library(root / "music"), Config(), root / "prepared", cache_root=root / "cache", workers=0)
again = prepare.prepare(read_library(root / "music"), Config(), root / "again", cache_root=root / "cache", workers=0)
rows = [made.bands_of(piece).shape[0] for piece in made.pieces]
print(len(rows), sum(rows), again.pieces == made.pieces, len(made.skipped))
"""


def library(folder: Path, **tracks: int) -> Path:
    """So many tracks of every genre, no two of them alike."""
    time_s = np.arange(round(SECONDS * RATE)) / RATE
    for genre, count in tracks.items():
        (folder / genre).mkdir(parents=True)
        for number in range(count):
            soundfile.write(folder / genre / f"{number:03d}.wav", 0.3 * np.sin(time_s * (400 + number)), RATE)
    return folder


class Hurried(Plan):
    """Has a minute in which about `music_s` seconds of music can be prepared; its clock stands still but for that."""

    now = 0.0

    def elapsed(self) -> float:
        return self.now


def hurried(music_s: float) -> Hurried:
    made = Hurried(60.0, time.monotonic(), genres=2, slowness=1e-9)
    made.prepared = 20.0 / music_s
    return made


def gather(music: Path, cache: Path, plan: Plan) -> tuple[list, Gathering, list[str]]:
    """What was gathered, by whom, and the names of the files that were decoded for it."""
    decoded, skipped = [], []

    def then(track, audio):
        decoded.append(track.path)
        plan.now += audio.shape[1] / 48000 * plan.prepared
        return {"bands": np.zeros((audio.shape[1] // 512, 4), np.float16)}

    gathering = Gathering(read_library(music), Config(sample_rate=48000), FeatureCache({}, cache), plan, skipped)
    return gathering.run(then, 0, lambda done, total: None), gathering, decoded


def test_without_a_bound_all_is_heard_in_the_order_of_the_library(tmp_path):
    known, gathering, _ = gather(library(tmp_path / "m", a=3, b=2), tmp_path / "cache", Hurried(0.0, time.monotonic()))
    assert [(track.genre, track.path.name) for track, _ in known] == [
        ("a", "000.wav"),
        ("a", "001.wav"),
        ("a", "002.wav"),
        ("b", "000.wav"),
        ("b", "001.wav"),
    ]
    assert gathering.outcome() == []


def test_in_little_time_a_balanced_part_is_heard_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr("noizestream.training.data.gather.SURE", 1000)  # the rate stays as it is told
    music = library(tmp_path / "m", a=12, b=6)
    known, gathering, decoded = gather(music, tmp_path / "cache", hurried(120.0))
    genres = [track.genre for track, _ in known]
    assert 4 <= len(known) < 18 and abs(genres.count("a") - genres.count("b")) <= 1
    (line,) = gathering.outcome()
    assert line.startswith("learns from ") and "of 6 minutes; minutes " in line and line.endswith(" would hear all")
    again, _, anew = gather(music, tmp_path / "cache", hurried(120.0))
    assert {track for track, _ in known} <= {track for track, _ in again} and not set(decoded) & set(anew), "what was done is kept"


def test_a_genre_is_heard_in_any_case_and_even_if_its_first_files_cannot_be_used(tmp_path):
    music = library(tmp_path / "m", a=4, b=4)
    for name in ("000.wav", "001.wav", "003.wav"):
        (music / "b" / name).write_bytes(b"no audio" + name.encode())
    known, gathering, _ = gather(music, tmp_path / "cache", hurried(1.0))
    assert {track.genre for track, _ in known} == {"a", "b"}
    assert all("unreadable" in entry.reason for entry in gathering.skipped)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on open files to lower")
def test_more_tracks_than_files_may_be_open(tmp_path):
    library(tmp_path / "music", a=70, b=50)
    done = subprocess.run([sys.executable, "-c", MANY, tmp_path, "40"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["120", "36000", "True", "0"]
