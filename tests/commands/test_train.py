"""`noizestream train` as a person runs it."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from noizestream.modelfile.archive import precisions, read_metadata
from rig.waiting import PATIENCE_S
from tests.commands.run import assert_one_line, run
from tests.training.conftest import music  # noqa: F401 (a fixture)

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "fma_tiny"


@pytest.fixture(scope="module")
def trained(music, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("trained")
    done = run("train", music, "-o", folder / "mine.ts", "--preset", "small", "--steps", "6", "--seed", "3")
    assert done.returncode == 0, done.stderr
    return folder, done


def test_it_writes_a_model_that_renders_and_says_what_it_did(trained):
    folder, done = trained
    metadata = read_metadata(folder / "mine.ts")
    assert metadata.genres == ["Höch", "low"] and metadata.sample_rate == 48000
    training = metadata.extra["training"]
    assert training["tracks"] == {"Höch": 2, "low": 2} and training["navigator_steps"] == 6
    assert {"unigram", "bigram"} == set(training["baselines"])
    assert "too short" in done.stderr and "broken.wav" in done.stderr, "what was skipped is listed with its reason"
    assert "again" in done.stderr and "read already" in done.stderr, "a link to a genre makes no other"
    assert "low: one genre, spelled in 2 ways" in done.stderr, "nor does another spelling of it"
    assert "held-out music" in done.stdout
    rendered = run("render", folder / "mine.ts", "-o", folder / "take.wav", "--seconds", "1", "-g", "low")
    assert rendered.returncode == 0, rendered.stderr
    primed = ("render", folder / "mine.ts", "--seconds", "1", "-g", "low", "--prime", folder / "take.wav")
    takes = []
    for name in ("first.wav", "second.wav"):
        assert run(*primed, "-o", folder / name).returncode == 0
        takes.append((folder / name).read_bytes())
    assert takes[0] == takes[1] != (folder / "take.wav").read_bytes(), "it goes on from what it heard, the same way every time"


def test_the_run_folder_has_previews_a_checkpoint_and_the_figures(trained):
    folder, _ = trained
    run_folder = folder / "mine-run"
    assert {p.name for p in (run_folder / "previews" / "final").iterdir()} == {"Höch.wav", "Höch.png", "low.wav", "low.png"}
    assert (run_folder / "checkpoint.pt").stat().st_size > 1000
    assert json.loads((run_folder / "training.json").read_text())["history"]
    assert json.loads((run_folder / "config.json").read_text())["seed"] == 3


def test_a_second_training_starts_from_the_weights_of_the_first(trained, music, tmp_path):  # noqa: F811
    folder, _ = trained
    line = ("train", music, "-o", tmp_path / "next.ts", "--base", folder / "mine.ts", "--steps", "2", "--precision", "float32")
    done = run(*line)
    assert done.returncode == 0, done.stderr
    extra = read_metadata(tmp_path / "next.ts").extra
    assert extra["config"]["hidden"] == read_metadata(folder / "mine.ts").extra["config"]["hidden"] == 160
    assert extra["config"]["base"] == str(folder / "mine.ts") and (tmp_path / "next.safetensors").exists()


def test_ctrl_c_still_writes_a_usable_model_and_resume_goes_on(music, tmp_path):  # noqa: F811
    output, run_folder, steps = tmp_path / "cut.ts", tmp_path / "cut-run", 100
    line = [sys.executable, "-m", "noizestream.cli", "train", str(music), "-o", str(output), "--preset", "small"]
    line += ["--genres", "low", "--steps", str(steps)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for printed in process.stderr:  # the loop has begun once its first figures are there
        if re.search(r"\bstep \d", printed):
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130 and "Traceback" not in said
    assert read_metadata(output).genres == ["low"]
    assert not list(tmp_path.glob(".*.part"))
    first, prepared = history(run_folder), files(run_folder / "prepared")
    reached = first[-1]["step"]
    assert 0 < reached < steps and read_metadata(output).extra["training"]["navigator_steps"] == reached

    resumed = run("train", "--resume", run_folder)
    assert resumed.returncode == 0, resumed.stderr
    training, whole = read_metadata(output).extra["training"], history(run_folder)
    assert whole[: len(first)] == first, "what it had learned is kept"
    assert reached < whole[-1]["step"] == training["navigator_steps"] <= steps, "and more is learned"
    assert training["stopped_early"] or training["navigator_steps"] == steps
    assert whole[len(first)]["seconds"] > first[-1]["seconds"], "the time goes on too"
    assert all(int(step) > reached for step in re.findall(r"\bstep (\d+)", resumed.stderr)), "no step is done twice"
    assert files(run_folder / "prepared") == prepared, "nor is the music prepared again"


def history(run_folder: Path) -> list[dict[str, float]]:
    """The validations of a training, in order."""
    return json.loads((run_folder / "training.json").read_text())["history"]


def files(folder: Path) -> dict[str, int]:
    """When each file in it was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_minutes_are_wall_time(music, tmp_path):  # noqa: F811
    """How close is for a machine of one's own to show; here others work at the same time, and all must hold however many."""
    began, minutes = time.monotonic(), 0.9
    done = run("train", music, "-o", tmp_path / "timed.ts", "--preset", "small", "--minutes", minutes)
    wall_s = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert 0.5 < wall_s / (60 * minutes) < 5
    training = read_metadata(tmp_path / "timed.ts").extra["training"]
    assert 0.5 < training["wall_s"] / wall_s <= 1, "what it says of its own time is true"
    assert training["navigator_steps"] > 1 and training["navigator_seconds"] / training["wall_s"] > 0.1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere", "-o", "m.ts"], 1, ["nowhere"]),
        (["{music}", "-o", "missing/m.ts"], 2, ["missing", "does not exist"]),
        (["{music}", "-o", "m.wav"], 2, [".ts"]),
        (["{music}", "-o", "m.ts", "--preset", "huge"], 2, ["--preset", "small", "base"]),
        (["{music}", "-o", "m.ts", "--minutes", "-1"], 2, ["--minutes"]),
        (["{music}", "-o", "m.ts", "--minutes", "1", "--steps", "5"], 2, ["--minutes", "--steps"]),
        (["{music}", "-o", "m.ts", "--genres", "Polka"], 2, ["Polka"]),
        (["{empty}", "-o", "m.ts"], 1, ["no audio"]),
        (["-o", "m.ts"], 2, ["--resume"]),
        (["--resume", "{empty}"], 1, ["run folder"]),
    ],
)
def test_wrong_input_is_one_line_and_nothing_is_written(arguments, code, words, music, tmp_path):  # noqa: F811
    (tmp_path / "empty").mkdir()
    filled = [str(a).replace("{music}", str(music)).replace("{empty}", str(tmp_path / "empty")) for a in arguments]
    assert_one_line(run("train", *filled, cwd=tmp_path), code, *words)
    assert [p.name for p in tmp_path.iterdir()] == ["empty"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the FMA sample (../shared/fma_tiny) is not beside this checkout")
def test_an_fma_tree_with_its_faults(tmp_path):
    done = run("train", SHARED, "-o", tmp_path / "fma.ts", "--preset", "small", "--steps", "3", "--precision", "float32")
    assert done.returncode == 0, done.stderr
    assert read_metadata(tmp_path / "fma.ts").genres == ["Classical", "Folk", "Jazz"]
    assert precisions(read_metadata(tmp_path / "fma.ts")) == ["float32"]
    for item in ("099/099134.mp3", "098/098565.mp3", "108/108925.mp3", "133/133297.mp3", "track 140000"):
        assert item in done.stderr, f"{item} must be in the table of skipped files"
    assert "Warning" not in done.stderr, "what C libraries and torch grumble about is not for the user"
    credits = read_metadata(tmp_path / "fma.ts").extra["attribution"]
    assert {"Karissa Hobbs", "Kevin MacLeod"} <= {credit["artist"] for credit in credits}
