"""Every option that takes a path, given names that a file may have and names that none can have."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner

from noizestream.cli import group
from noizestream.errors import NoizestreamError
from noizestream.modelfile import archive
from noizestream.music.library import read_library
from noizestream.training.data.dataset import Prepared
from noizestream.training.run import train
from noizestream.training.run_folder import read_run
from tests.commands.run import run
from tests.training.conftest import clicks

RATE = 48000
FOLDER, NAME = "fran\udce7aise", "caf\udce9"


@pytest.fixture(scope="module")
def places(sine_model, tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("places")
    for genre in ("A", "B"):
        (folder / "music" / genre).mkdir(parents=True)
        soundfile.write(folder / "music" / genre / "a.wav", clicks(120, 4), RATE)
    model = folder / "sine.ts"
    model.write_bytes(sine_model.read_bytes())
    return {"model": str(model), "data": str(folder / "music"), "sound": str(folder / "music" / "A" / "a.wav"), "x": str(folder)}


EVERY_PATH = [
    "info {}",
    "osc {}",
    "bench {}",
    "bench {model} --json {}",
    "play {}",
    "play {model} --prime {}",
    "play {model} --map {}.toml",
    "play {model} --record {}.wav",
    "play {model} --stats {}",
    "play {model} --or-render {}.wav",
    "render {} -o {x}/x.wav",
    "render {model} -o {}.wav",
    "render {model} -o {x}/x.wav --prime {}",
    "view {} -o {x}/x.png",
    "view {sound} -o {}.png",
    "train {}",
    "train {data} -o {}.ts",
    "train {data} -o {x}/x.ts --run {}",
    "train {data} -o {x}/x.ts --base {}",
    "train --resume {}",
    "evaluate {} {data}",
    "evaluate {model} {}",
    "evaluate {model} {data} --json {}",
    "evaluate {model} {data} --pictures {}",
    "evaluate --audio {} {data}",
    "studio {}",
]


@pytest.mark.parametrize("line", EVERY_PATH)
@pytest.mark.parametrize("path", ["x" * 5000, "y/" * 2500 + "y"], ids=["name", "path"])
def test_a_name_of_5000_characters_is_one_line(line, path, places):
    error = CliRunner().invoke(group, line.format(path, **places).split(), standalone_mode=False).exception
    assert isinstance(error, NoizestreamError) and path[:100] in str(error) and "\n" not in str(error)
    assert sorted(os.listdir(places["x"])) == ["music", "sine.ts"], "and nothing is written"


def test_chords_that_are_longer_than_a_name(places):
    """They are looked for as a file first."""
    line = ["render", places["model"], "-o", f"{places['x']}/x.wav", "--chords", "Am:4 F:4 " * 40]
    with pytest.raises(NoizestreamError, match="no control chord"):
        CliRunner().invoke(group, line, standalone_mode=False, catch_exceptions=False)
    from noizestream.control.chord_file import is_file

    assert not is_file("Am:4 F:4 " * 40)


def test_names_that_are_no_text_in_and_out(places, tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir()
    sound, model = folder / f"{NAME}.wav", folder / f"{NAME}.ts"
    sound.write_bytes(Path(places["sound"]).read_bytes())
    model.write_bytes(Path(places["model"]).read_bytes())
    done = run("render", model, "-o", folder / f"{NAME}.flac", "--seconds", 1)
    assert done.returncode == 0 and "fran\ufffdaise/caf\ufffd.flac: 1 s" in done.stdout, done.stderr
    done = run("view", sound, "-o", folder / f"{NAME}.png", "--kind", "envelope")
    assert done.returncode == 0 and "fran\ufffdaise/caf\ufffd.wav" in done.stdout, done.stderr
    done = run("info", folder / f"{NAME}.wav")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "caf\ufffd.wav: not a model" in done.stderr
    assert {path.suffix for path in folder.iterdir()} == {".wav", ".ts", ".flac", ".png"}


def test_a_model_file_of_any_name(sine_model, tmp_path):
    module, metadata = archive.load(sine_model)
    metadata.extra["training"] = {"file": NAME}
    path = tmp_path / f"{NAME}.ts"
    archive.save(module, metadata, path)
    found = archive.read_metadata(path)
    assert found.extra["training"] == {"file": "caf\ufffd"} and archive.load(path)[1] == found


def test_what_a_library_is_called(tmp_path):
    folder = tmp_path / FOLDER / FOLDER
    folder.mkdir(parents=True)
    (folder / f"{NAME}.wav").touch()
    (folder / "a\nb.wav").touch()
    tracks = read_library(tmp_path / FOLDER).tracks
    assert {track.genre for track in tracks} == {"fran\ufffdaise"}
    assert sorted(track.title for track in tracks) == ["a b", "caf\ufffd"]
    assert all(track.path.is_file() for track in tracks)


def test_a_table_names_files_as_they_are(tmp_path):
    decomposed = "Ho\u0308ch.wav"
    for name in ("~x.wav", decomposed, "Höhe.wav"):
        (tmp_path / name).touch()
    rows = ["path,genre", "~x.wav,A", f"{decomposed},A", "Ho\u0308he.wav,A", "~nobody-here/x.wav,A"]
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    library = read_library(tmp_path / "t.csv")
    assert [track.path.name for track in library.tracks] == ["~x.wav", decomposed, "Höhe.wav"]
    assert [entry.reason for entry in library.skipped] == ["missing file"]


def test_a_training_is_resumed_by_the_names_that_were_given(tmp_path):
    data, output = tmp_path / FOLDER, tmp_path / f"{NAME}.ts"
    (data / "A").mkdir(parents=True)
    (data / "A" / f"{NAME}.wav").write_text("no audio")
    with pytest.raises(NoizestreamError, match="nothing left"):
        train(data, output, steps=1)
    asked, _ = read_run(tmp_path / f"{NAME}-run")
    assert (asked["data"], asked["output"]) == (str(data), str(output))
    prepared = Prepared(tmp_path, ["A"], RATE, 128, 1, 1, [1.0], [1.0], [1.0], [1], [], skipped=[{"item": str(data), "reason": ""}])
    prepared.save()
    [index] = tmp_path.glob("*.json")
    assert json.loads(index.read_text(encoding="utf-8"))["skipped"][0]["item"].endswith("fran\ufffdaise")


HOMELESS = """
import pwd
def unknown(user):
    raise KeyError(user)
pwd.getpwuid = unknown
from noizestream.music import cache, compiled
print(cache.cache_root())
compiled.ready()
import pooch
pooch.os_cache("librosa")  # what librosa does when it is imported, for which it asks for a home
"""


def test_neither_home_nor_a_name_for_the_user(tmp_path):
    known = {name: os.environ[name] for name in ("NUMBA_CACHE_DIR", "PATH")}
    environment = known | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", HOMELESS], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout.startswith(str(tmp_path)), done.stderr
