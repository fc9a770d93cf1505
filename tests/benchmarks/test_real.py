"""The benchmark of real music: its library is split by track, and its table and bars read what evaluate writes."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from benchmarks import real, real_library
from noizestream.commands import evaluate
from noizestream.errors import NoizestreamError, UsageError
from noizestream.music.library import read_library

RATE = 8000
MINUTES = {"learn": 18.5, "held_out": 8}
SMALL = 60
"""A minute of these tracks is a second long."""


def tone(path: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
    soundfile.write(path, 0.1 * np.sin(np.arange(round(seconds / SMALL * RATE), dtype=np.float32)), RATE, **form)


@pytest.fixture
def module(monkeypatch):
    """The benchmark's library, for which the small tracks are as long as they say."""
    in_header = real_library.header_seconds
    monkeypatch.setattr(real_library, "header_seconds", lambda path: SMALL * in_header(path))
    return real_library


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """The four packages, of as many tracks as are needed: Vorbis, Opus in three albums, and Vorbis in a .pk3."""
    root = tmp_path_factory.mktemp("packages")
    for number in range(12):
        tone(root / "singularity-music" / "music" / f"ambient {number}.ogg", 160 + 5 * number)
        tone(root / "warzone2100-music" / "albums" / f"album{number % 3}" / f"track{number}.opus", 160 + 6 * number)
        tone(root / "wesnoth-1.16-music" / "music" / f"march{number}.ogg", 170 + 3 * number)
        tone(root / "sounds" / f"beat{number}.ogg", 165 + 5 * number)
    for name, seconds in {"silence.ogg": 10, "defeat.ogg": 14, "knalgan_theme.ogg": 557, "frantic-old.ogg": 85}.items():
        tone(root / "wesnoth-1.16-music" / "music" / name, seconds)
    (root / "nexuiz-music" / "data").mkdir(parents=True)
    with zipfile.ZipFile(root / "nexuiz-music" / "data" / "music.pk3", "w") as archive:
        for file in sorted((root / "sounds").iterdir()):
            archive.write(file, f"sound/cdtracks/{file.name}")
        archive.writestr("maps/credits.txt", "no music")
    shutil.rmtree(root / "sounds")
    return root


def test_the_library_is_split_by_track_and_holds_the_minutes_that_it_promises(module, packages, tmp_path):
    made = module.make(tmp_path / "library", packages)
    assert json.loads((tmp_path / "library" / "library.json").read_text()) == made
    for side, least in MINUTES.items():
        tracks = read_library(tmp_path / "library" / side).tracks
        assert {track.genre for track in tracks} == set(module.PACKAGES) == set(made[side])
        for genre in module.PACKAGES:
            seconds = [SMALL * soundfile.info(track.path).duration for track in tracks if track.genre == genre]
            assert len(seconds) >= 2 and sum(seconds) / 60 >= least > (sum(seconds) - max(seconds)) / 60  # no track too many
            assert sum(track["seconds"] for track in made[side][genre]) == pytest.approx(sum(seconds))
    files = [track.path.resolve() for side in MINUTES for track in read_library(tmp_path / "library" / side).tracks]
    assert len(files) == len(set(files))  # no track on both sides
    assert not {path.stem for path in files} & {"silence", "defeat", "knalgan_theme", "frantic-old"}
    albums = [{track["album"] for track in made[side]["industrial"]} for side in MINUTES]
    assert albums == [{"album0", "album1", "album2"}] * 2
    assert module.make(tmp_path / "library", packages) == made  # the same again, in the same place


def test_a_folder_of_ones_own_is_left_alone(module, packages, tmp_path):
    (tmp_path / "learn" / "mine").mkdir(parents=True)
    with pytest.raises(NoizestreamError, match="give --library an empty folder"):
        module.make(tmp_path, packages)
    assert (tmp_path / "learn" / "mine").is_dir()


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")
def test_deb_files_are_unpacked(module, packages, tmp_path):
    for package in module.PACKAGES.values():
        root = shutil.copytree(packages / package, tmp_path / "build" / package)
        (root / "DEBIAN").mkdir()
        control = f"Package: {package}\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: music\n"
        (root / "DEBIAN" / "control").write_text(control)
        deb = tmp_path / "debs" / f"{package}_1_all.deb"
        deb.parent.mkdir(exist_ok=True)
        subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", root, deb], check=True, capture_output=True)
    made = module.make(tmp_path / "library", tmp_path / "debs")
    assert made == module.make(tmp_path / "other", packages)
    assert len(list((tmp_path / "debs").iterdir())) == 4  # what was given stays


def test_what_cannot_be_is_said(module, packages, tmp_path):
    with pytest.raises(UsageError, match="--packages"):
        module.make(tmp_path / "library", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoizestreamError, match="singularity-music"):
        module.make(tmp_path / "library", tmp_path / "empty")
    few = module.candidates(packages / "wesnoth-1.16-music")[:3]
    with pytest.raises(NoizestreamError, match="too few"):
        module.split(few)


def entry(recognised: float, own: float, made: dict[str, float]) -> dict:
    """One genre's figures, in the form of `noizestream evaluate --json`; real music has 2 of everything, and 1 % silence."""
    sides = {"made": made, "real": dict.fromkeys(made, 2.0) | {"silence": 0.01}}
    return {
        "recognised": {"made": recognised, "held_out": 0.94, "control": 0.8},
        "frechet": {"own": own, "control": 10.0, "own_nearest": own < 20, "seconds": 500.0},
        "liveliness": sides,
        "notes": {"made": {"chords": 2.2, "entropy": None}, "real": {"chords": 2.0, "entropy": 1.0}},
    }


def group(recognised: float, **genres: dict) -> dict:
    return {"genres": genres, "all": {"recognised": {"made": recognised, "held_out": 0.94, "control": 0.8}}}


@pytest.fixture
def stored(tmp_path) -> Path:
    good = {"flux": 2.1, "peakiness": 1.8, "pulse": 1.8, "silence": 0.02}
    bad = {"flux": 2.4, "peakiness": 1.8, "pulse": 1.6, "silence": 0.2}
    copying = {"novelty": {"nearer": 0.25, "seconds": 4}}
    result = {
        "made_learned": group(0.93, drone=entry(0.96, 8.0, good) | copying, techno=entry(0.9, 12.0, bad)),
        "made_held_out": group(0.6, drone=entry(0.5, 45.0, good), techno=entry(0.7, 22.0, bad)),
        "learned_held_out": group(0.67, drone=entry(0.6, 33.0, good), techno=entry(0.7, 12.0, good)),
        "taken_s": {"library": 60.0, "training": 1800.0, "evaluation": 900.0},
    }
    file = tmp_path / "real.json"
    file.write_text(json.dumps(result))
    return file


def test_the_table_and_the_bars_from_what_was_stored(stored, capsys):
    result = real.main(["--show", str(stored)])
    assert result == json.loads(stored.read_text())
    shown, _, bars = capsys.readouterr().out.partition("\n\n")
    rows = {
        line.split("|")[0].strip(): [cells.split() for cells in line.split("|")[1:]] for line in shown.splitlines() if "|" in line
    }
    assert rows["flux, ratio"] == [["1.05", "1.20"], ["1.05", "1.20"], ["1.05", "1.05"]]
    assert rows["recognised"][0] == ["96", "%", "90", "%"]
    assert rows["Fréchet distance"] == [["8.0", "12.0"], ["45.0", "22.0"], ["33.0", "12.0"]]
    assert rows["nearer than shuffled"][0] == ["yes", "NO"]
    assert rows["silence, points"][0] == ["+1.0", "+19.0"]
    assert rows["pitch-class entropy, ratio"][0] == ["-", "-"]  # no note was found
    assert rows["chords, ratio"][0] == ["1.10", "1.10"] and rows["notes over .4 s, ratio"][0] == ["-", "-"]
    assert rows["nearer than held out"] == [["25", "%", "-"], ["-", "-"], ["-", "-"]]
    verdicts = {line[8:].rsplit(":", 1)[0]: line.split()[0] for line in bars.splitlines()}
    assert verdicts == {
        "recognised at least 92 %": "met",
        "recognised above the shuffled control": "met",
        "own genre nearest": "met",
        "nearer than its shuffled control": "MISSED",
        "flux within 15 %": "MISSED",
        "peakiness within 15 %": "met",
        "pulse at least 85 %": "MISSED",
        "chords within 25 %": "met",
        "pitch-class entropy at least .9": "-",
        "time in notes over .4 s at least .8": "-",
        "silence within 3 points": "MISSED",
        "held out: recognised within 5 points of the music learned from": "MISSED",
        "held out: Fréchet at most 1.5 times that of the music learned from": "MISSED",
        "all of it in 60 minutes": "met",
    }
    assert "drone 1.36, techno 1.83" in bars


def test_a_file_that_cannot_be_shown_is_named(tmp_path):
    for name, text in {"nowhere.json": None, "text.json": "text", "other.json": "{}"}.items():
        if text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(NoizestreamError, match=f"--show .*{name}"):
            real.main(["--show", str(tmp_path / name)])


@pytest.fixture
def pairs(tmp_path, monkeypatch) -> Path:
    """Two genres, 8 s to learn from and 8 s held out: tones that are struck twice a second, and noise."""
    monkeypatch.setenv("NOIZESTREAM_CACHE", str(tmp_path / "cache"))
    time = np.arange(8 * 48000) / 48000
    for seed, side in enumerate(("learn", "held_out")):
        random = np.random.default_rng(seed)
        struck = np.sin(2 * np.pi * (220 + 30 * seed) * time) * np.exp(-6 * (time % 0.5))
        for genre, audio in {"A": struck, "B": random.standard_normal(len(time))}.items():
            (tmp_path / side / genre).mkdir(parents=True)
            soundfile.write(tmp_path / side / genre / "track.wav", 0.2 * audio, 48000)
    return tmp_path


def test_its_figures_are_those_of_evaluate(pairs, sine_model, tmp_path):
    settings = {"seconds": 5.0, "seeds": 2, "seed": 3, "temperature": 0.0}
    result = real.measure(real.analyse(pairs, 0), sine_model, real.Settings(**settings), 0)
    novel = {genre: entry.pop("novelty") for genre, entry in result["made_learned"]["genres"].items()}
    file = tmp_path / "evaluated.json"
    rendering = [str(sine_model), *(f"--{name}={value}" for name, value in settings.items())]
    for group, line in {
        "made_learned": [*rendering, str(pairs / "learn")],
        "made_held_out": [*rendering, str(pairs / "held_out")],
        "learned_held_out": ["--audio", str(pairs / "learn"), str(pairs / "held_out")],
    }.items():
        CliRunner().invoke(evaluate.command, [*line, "--workers", "0", "--json", str(file)], catch_exceptions=False)
        stored = json.loads(file.read_text())
        if group == "made_held_out":  # what the model itself says is asked beside the music learned from only
            for entry in [*stored["genres"].values(), stored["all"]]:
                entry |= {"prediction": None, "codec": None}
        assert {name: stored[name] for name in ("genres", "all")} == json.loads(json.dumps(result[group]))
    assert novel["A"]["least"] > 0.1 and novel["A"]["nearer"] < 1  # a steady tone is no copy
    assert "A" in real.table(result) and real.verdicts(result)


def test_what_was_learned_from_is_not_new_and_another_piece_is(pairs):
    sides = real.analyse(pairs, 0)
    for side, nearer in {"learn": 1.0, "held_out": 0.0}.items():
        made = {"A": [piece.arrays for piece in sides[side]["A"].pieces]}
        found = real.novelty(sides["learn"], sides["held_out"], made)["A"]
        assert found["nearer"] == pytest.approx(nearer, abs=0.25)
        assert (found["least"] < 0.01) == (side == "learn")


def test_a_model_of_other_music_is_refused(pairs, sine_model):
    (pairs / "learn" / "B").rename(pairs / "learn" / "waltz")
    with pytest.raises(UsageError, match=r"--model: sine.ts has no genre waltz"):
        real.measure(real.analyse(pairs, 0), sine_model, real.Settings(5.0, 1), 0)
