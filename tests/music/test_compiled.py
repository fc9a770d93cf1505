"""librosa's compiled functions: two processes at once on an empty cache, a second start, a damaged cache, what is covered."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from noizestream.errors import NoizestreamError
from noizestream.music import compiled
from noizestream.music.parallel import decode_all
from noizestream.music.tracks import Track
from rig.waiting import PATIENCE_S, wait_for
from tests.music.test_decode import tone, write

START = """
import subprocess, sys
from noizestream.music import compiled

def run(what, folder):
    code = "import sys; from noizestream.music import compiled; import small; compiled.make(sys.argv[1], small.FOLDER, small.use)"
    return subprocess.run([sys.executable, "-c", code, what]).returncode or None

compiled._run = run
compiled.ready()
import small
print(small.use())
"""
"""A process that wants what is compiled, of which there is little: librosa's own takes half a minute of a processor."""

SMALL = """
import os
from pathlib import Path
import numba

FOLDER = Path(os.environ["NUMBA_CACHE_DIR"])

@numba.njit(cache=True)
def summed(count):
    total = 0
    for number in range(count):
        total += number
    return total

def use():
    return summed(10)
"""

USE = """
import numpy as np
from noizestream.analysis.classifier import shuffled
from noizestream.analysis.description import describe_audio
from noizestream.music.tracks import Track
from noizestream.analysis.beats import track_beats
from noizestream.training.data.features import extract
noise = np.random.default_rng(0).normal(0, 0.1, (2, 44100 * 12)).astype(np.float32)
noise[:, ::22050] += 1
describe_audio(noise)
track_beats(noise[0], 44100)
shuffled(noise[0])
extract(Track("a.wav", "Jazz"), noise, 44100, 512)
"""


def start(code: str, root: Path, **more: str) -> subprocess.Popen:
    environment = os.environ | {compiled.VARIABLE: str(root)} | more
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ends_well(process: subprocess.Popen) -> str:
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    return output


def files(root: Path) -> dict[str, tuple[int, int]]:
    """Everything that numba keeps below `root`: date and node, which change when a file is written again."""
    return {str(path.relative_to(root)): (path.stat().st_mtime_ns, path.stat().st_ino) for path in root.rglob("*.nb?")}


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A cache that two processes wanted at once, and what they said.

    The second comes while the first is at it: with nothing to keep them apart that made a cache of librosa on which every later
    process died, three times of three.
    """
    root = tmp_path_factory.mktemp("cold")
    (root / "small.py").write_text(SMALL)
    first = start_small(root)
    wait_for(lambda: [*root.glob("*.lock")] or first.poll() is not None, "the first to begin")
    second = start_small(root)
    return root, [ends_well(process) for process in (first, second)]


def start_small(root: Path) -> subprocess.Popen:
    """A process of `START`, whose own children find small.py too."""
    path = os.pathsep.join([*sys.path, str(root)])
    return start(START, root, PYTHONPATH=path)


@pytest.fixture(scope="module")
def whole() -> Path:
    """The cache of librosa, which is complete before any test runs."""
    return compiled.ready()


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    """The folder of that cache, to spoil."""
    return shutil.copytree(whole, tmp_path / "copy" / whole.name)


def test_two_cold_processes_come_through_and_one_compiled(cold):
    root, said = cold
    assert said == ["45\n", "45\n"]
    assert len([path for path in root.glob("numba-*") if path.is_dir()]) == 1
    made = files(root)
    assert sorted(Path(name).suffix for name in made) == [".nbc", ".nbi"] and all("summed" in name for name in made)
    (mark,) = root.glob(f"*/{compiled.READY}")
    assert max(date for date, _ in made.values()) <= mark.stat().st_mtime_ns  # none of the two has written since


def test_a_second_start_compiles_nothing_and_takes_no_lock(cold):
    root, said = cold
    before = files(root)
    (lock,) = root.glob("*.lock")
    lock.unlink()
    assert ends_well(start_small(root)) == said[0]
    assert files(root) == before and not lock.exists()


def test_all_that_we_use_is_in_it(copy):
    before = files(copy)
    assert any("beat_track_dp" in name for name in before)
    ends_well(start(USE, copy))
    assert files(copy) == before


def test_a_damaged_cache_is_found_and_made_anew_and_a_good_one_kept(copy, whole, monkeypatch):
    monkeypatch.setenv(compiled.VARIABLE, str(copy))
    before = files(copy)
    assert not compiled.heal() and files(copy) == before
    next(copy.rglob("beat.__last_beat_selector*.1.nbc")).write_bytes(b"\x80not what numba wrote")
    run, asked = compiled._run, []

    def fill_quickly(what: str, folder: Path) -> str | None:
        asked.append(what)
        if what == "check":
            return run(what, folder)
        shutil.copytree(whole, folder, dirs_exist_ok=True)
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
    if "numba" in sys.modules:  # it is told of the folder too, which goes at the end
        monkeypatch.setattr(sys.modules["numba"].config, "CACHE_DIR", sys.modules["numba"].config.CACHE_DIR)
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
