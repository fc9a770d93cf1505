"""`make results`: a page that shows what was measured, pictures small enough to keep, and no command run twice for nothing."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import results

    yield results
    for name in ("results", "results_page"):
        sys.modules.pop(name, None)


def evaluation(recognised: float, own: float) -> dict:
    lively = {"peakiness": 10.0, "flux": 0.1, "pulse": 0.5}
    genres = {}
    for genre in ("Höch", "low"):
        genres[genre] = {
            "recognised": {"made": recognised, "held_out": 0.97, "control": 0.41},
            "frechet": {"own": own, "nearest_other": 50.0, "own_nearest": own < 50, "floor": 3.0, "control": 30.0},
            "notes": {"real": {"chords": 2.0}, "ratio": {"chords": 0.9}},
            "liveliness": {
                "made": {"silence": 0.25, "repeats": 0.0},
                "real": lively | {"silence": 0.0, "repeats": 0.0},
                "ratio": dict.fromkeys(lively, None if own > 50 else 0.9),
            },
        }
    errors = {"mse": 0.5, "mae": 0.4, "mbe": 0.0}
    prediction = {"nats": 41.0, "model": errors, "last_frame": errors}
    return {"genres": genres, "all": {"prediction": prediction if recognised > 0.5 else None}}


def test_the_page_has_every_genre_and_figure_and_links_to_every_picture(results):
    figures = {"still": evaluation(0.12, 99.0), "baseline": evaluation(0.34, 77.0), "ours": evaluation(0.98, 4.0)}
    baseline = {
        "config": {"layers": 2, "hidden": 256, "loss": "mae", "optimiser": "sgd"},
        "training": {
            "sequence_steps": 1234,
            "wall_s": 600.0,
            "errors": {"mse": 0.81, "mae": 0.72, "mbe": -0.003, "silence": 0.83, "previous": 1.1},
        },
        "block_frames": 512,
        "bytes": 2_000_000,
    }
    text = results.page(figures, baseline, "studio", ["noizestream evaluate studio corpus"])
    (row,) = [line for line in text.splitlines() if line.startswith("| Höch | 12.0%")]
    assert row == "| Höch | 12.0% | 34.0% | 98.0% | 97.0% | 41.0% |"
    assert "| low | 99 / 50 **!** | 77 / 50 **!** | 4 / 50 | 3 | 30 |" in text
    assert "| low | - | - | 0.90 | 0.5 |" in text, "a ratio to nothing is no number"
    assert "0.8100 | 0.7200 | -0.0030" in text and "MAE of silence" in text
    assert "1234 steps in 10 minutes" in text and "noizestream evaluate studio corpus" in text
    assert "| 41 | 0.5 / 0.5 | 0.4 / 0.4 | 0 / 0 |" in text
    for kind in results.SCALES:
        assert f"results/Höch-{kind}.png" in text and f"results/low-{kind}.png" in text


def test_a_picture_even_of_noise_is_small(results):
    random, rate = np.random.default_rng(0), 8000
    sounds = {title: (0.1 * random.standard_normal(8 * rate).astype(np.float32), rate) for title in ("real", "baseline", "ours")}
    picture = results.picture(sounds, "noise", "spectrogram")
    assert picture.startswith(b"\x89PNG") and len(picture) <= results.PICTURE_BYTES


def test_a_step_runs_again_only_when_its_command_or_its_input_changed(results, tmp_path, monkeypatch):
    ran = []

    class Done:
        returncode = 0

    def run(line: list[str]) -> Done:
        ran.append(line[3:])
        (tmp_path / "made").write_text("made")
        return Done()

    monkeypatch.setattr(results.subprocess, "run", run)
    source = tmp_path / "model.ts"
    source.write_text("model")
    for command in ("one", "one", "other"):
        results.Steps(tmp_path)(tmp_path / "made", [source], command)
    assert ran == [["one"], ["other"]]
    later = (tmp_path / "made").stat().st_mtime + 10
    os.utime(source, (later, later))
    results.Steps(tmp_path)(tmp_path / "made", [source], "other")
    assert ran == [["one"], ["other"], ["other"]]
