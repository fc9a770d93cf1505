"""`noizestream info` as a person runs it."""

import json

import pytest

from noizestream.modelfile import archive
from tests.commands.run import assert_one_line, run
from tests.foreign_models import METADATA, White, write
from tests.modelfile.test_archive import bad_files


def test_it_shows_what_is_inside(tmp_path):
    more = {
        "preset": "small",
        "training": {"steps": 1200, "seconds": {"Jazz": 93.25}},
        "licence": "CC0-1.0",
        "golden": [[0.0] * 256] * 2,
    }
    path = write(White(), tmp_path / "white.ts", METADATA | more)
    done = run("info", path)
    assert done.returncode == 0, done.stderr
    shown = [
        "Jazz, Folk, Free Jazz",
        "48000 Hz, stereo",
        "256 frames (5.3 ms)",
        "sparkle: -1 to 1 dB, default 0.5",
        "CC0-1.0",
        "1200",
    ]
    assert all(text in done.stdout for text in [*shown, "small", "93.25"])
    assert "0.0, 0.0" not in done.stdout


def test_json_is_the_metadata(sine_model):
    done = run("info", sine_model, "--json")
    assert json.loads(done.stdout) == json.loads(archive.read_metadata(sine_model).to_json())


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "not ours", "newer", "cut short", "keys missing"])
def test_bad_models(tmp_path, kind):
    path, words = bad_files(tmp_path)[kind]
    assert_one_line(run("info", path), 1, path.name, words)
