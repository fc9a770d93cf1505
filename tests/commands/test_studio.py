import subprocess
import sys

import pytest

from rig.waiting import PATIENCE_S


def studio(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "noizestream.cli", "studio", *arguments], capture_output=True, text=True, timeout=PATIENCE_S
    )


def test_writes_a_folder_per_genre(tmp_path):
    done = studio(str(tmp_path / "music"), "--minutes", "0.2", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert "6 tracks" in done.stdout and "techno" in done.stdout
    assert len(list((tmp_path / "music").glob("*/*.wav"))) == 6


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (["{}/a", "--minutes", "0"], 2, "--minutes"),
        (["{}/a", "--seed", "-1"], 2, "--seed"),
        (["{}/no/such", "--minutes", "0.2"], 1, "no such folder"),
        (["/proc/studio", "--minutes", "0.2"], 1, "/proc/studio"),
    ],
)
def test_one_clear_line_on_bad_input(tmp_path, arguments, code, names):
    done = studio(*(a.format(tmp_path) for a in arguments))
    assert done.returncode == code
    assert names in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "a").exists()
