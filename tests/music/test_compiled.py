"""librosa's compiled functions: two processes at once on an empty cache, a second start, a damaged cache, what is covered."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from noizestream.errors import NoizestreamError
from noizestream.music import compiled
from noizestream.music.parallel import decode_all
from noizestream.music.tracks import Track
from tests.music.test_decode import tone, write

START = """
import numpy as np
from noizestream.music import compiled
librosa = compiled.librosa()
pulses = np.tile(np.r_[1.0, np.zeros(42)], 30).astype(np.float32)
print(len(librosa.beat.beat_track(onset_envelope=pulses, sr=22050, hop_length=256)[1]))
"""

USE = """
import numpy as np
from noizestream.analysis.classifier import shuffled
from noizestream.analysis.description import describe_audio
from noizestream.music.tracks import Track
from noizestream.training.beats import track_beats
from noizestream.training.prepare import extract
noise = np.random.default_rng(0).normal(0, 0.1, (2, 44100 * 12)).astype(np.float32)
noise[:, ::22050] += 1
describe_audio(noise)
track_beats(noise[0], 44100)
shuffled(noise[0])
extract(Track("a.wav", "Jazz"), noise, 44100, 512)
"""


def start(code: str, root: Path) -> subprocess.Popen:
    environment = os.environ | {compiled.VARIABLE: str(root)}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ends_well(process: subprocess.Popen) -> str:
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return output


def files(root: Path) -> dict[str, tuple[int, int]]:
    """Everything that numba keeps below `root`: date and node, which change when a file is written again."""
    return {str(path.relative_to(root)): (path.stat().st_mtime_ns, path.stat().st_ino) for path in root.rglob("*.nb?")}


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A cache that two processes wanted at once, and what they said.

    Nothing else here compiles: 22 s of a processor. The second comes while the first is at it: with nothing to keep them apart
    that made a cache on which every later process died, three times of three.
    """
    root = tmp_path_factory.mktemp("cold")
    first = start(START, root)
    time.sleep(1.5)
    second = start(START, root)
    return root, [ends_well(process) for process in (first, second)]


@pytest.fixture
def copy(cold, tmp_path) -> Path:
    """The folder of that cache, to spoil."""
    (folder,) = (path for path in cold[0].iterdir() if path.is_dir())
    return shutil.copytree(folder, tmp_path / "copy" / folder.name)


def test_two_cold_processes_come_through_and_one_compiled(cold):
    root, said = cold
    assert [int(line) > 20 for line in said] == [True, True]
    assert len([path for path in root.iterdir() if path.is_dir()]) == 1
    made = files(root)
    assert any("beat_track_dp" in name for name in made)
    (mark,) = root.glob(f"*/{compiled.READY}")
    assert max(date for date, _ in made.values()) <= mark.stat().st_mtime_ns  # none of the two has written since


def test_a_second_start_compiles_nothing_and_takes_no_lock(cold):
    root, said = cold
    before = files(root)
    (lock,) = root.glob("*.lock")
    lock.unlink()
    assert ends_well(start(START, root)) == said[0]
    assert files(root) == before and not lock.exists()


def test_all_that_we_use_is_in_it(cold):
    before = files(cold[0])
    ends_well(start(USE, cold[0]))
    assert files(cold[0]) == before


def test_a_damaged_cache_is_found_and_made_anew_and_a_good_one_kept(copy, monkeypatch):
    monkeypatch.setenv(compiled.VARIABLE, str(copy))
    good, before = shutil.copytree(copy, copy.parent / "good"), files(copy)
    assert not compiled.heal() and files(copy) == before
    next(copy.rglob("beat.__last_beat_selector*.1.nbc")).write_bytes(b"\x80not what numba wrote")
    run, asked = compiled._run, []

    def fill_quickly(what: str, folder: Path) -> str | None:
        asked.append(what)
        if what == "check":
            return run(what, folder)
        shutil.copytree(good, folder, dirs_exist_ok=True)
        return None

    monkeypatch.setattr(compiled, "_run", fill_quickly)
    assert compiled.heal() and asked == ["check", "fill"]
    assert (copy / compiled.READY).is_file()


def fill(folder: Path) -> None:
    compiled.make("fill", folder, lambda: (folder / "a.nbc").write_text("new"))


def test_what_a_killed_process_left_is_not_trusted(tmp_path):
    folder = tmp_path / "numba"
    folder.mkdir()
    (folder / "half.nbi").touch()
    fill(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["a.nbc", compiled.READY]
    (folder / "a.nbc").write_text("old")
    fill(folder)  # marked: nothing to do
    assert (folder / "a.nbc").read_text() == "old"


def test_a_folder_that_fails_its_check_loses_its_mark(tmp_path):
    fill(tmp_path / "numba")

    def crash() -> None:
        raise OSError

    with pytest.raises(OSError):
        compiled.make("check", tmp_path / "numba", crash)
    assert not (tmp_path / "numba" / compiled.READY).exists()


def test_a_broken_librosa_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv(compiled.VARIABLE, str(tmp_path))
    monkeypatch.setattr(compiled, "_run", lambda what, folder: "ImportError: no LLVM")
    with pytest.raises(NoizestreamError, match=r"librosa does not work here: ImportError: no LLVM; try pip"):
        compiled.ready()


def test_a_root_that_cannot_be_written_gives_way(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(compiled.VARIABLE, str(tmp_path / "file"))
    monkeypatch.setattr(compiled, "_run", lambda what, folder: None)
    folder = compiled.ready()
    assert folder.is_dir() and tmp_path not in folder.parents and os.environ[compiled.VARIABLE] == str(folder)
    assert compiled.ready() == folder


def use_compiled(track: Track, audio: np.ndarray) -> str:
    """Stands for a call of a function whose cache is damaged."""
    if Path(os.environ["NOIZESTREAM_TEST_DAMAGE"]).exists():
        os.kill(os.getpid(), 11)
    return track.path.stem


def test_no_track_is_lost_to_a_damaged_cache(tmp_path, monkeypatch):
    damage = tmp_path / "damage"
    damage.touch()
    monkeypatch.setenv("NOIZESTREAM_TEST_DAMAGE", str(damage))
    healed = []
    monkeypatch.setattr(compiled, "heal", lambda: healed.append(damage.unlink()))
    tracks, skipped = [write(tmp_path / f"{name}.wav", tone(4)) for name in "abc"], []
    assert [found.audio for found in decode_all(tracks, skipped, workers=2, then=use_compiled)] == ["a", "b", "c"]
    assert skipped == [] and len(healed) == 1
