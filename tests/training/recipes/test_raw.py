"""The baseline's training: it learns what can be foreseen, measures what cannot, resumes, and its file plays like any other."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import noizestream
from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile.noise import noise
from noizestream.nn.inference import inference_form
from noizestream.nn.raw import RawPlayer, RawPredictor
from noizestream.training.config import Config, resolve
from noizestream.training.data.dataset import Piece, Prepared
from noizestream.training.export.script import script
from noizestream.training.export.self_test import STEPS, self_test
from noizestream.training.loops import checkpoint
from noizestream.training.recipes.raw import RawRecipe
from noizestream.training.recipes.recipe import FitRequest
from tests.training.conftest import quiet

RATE, BLOCK, BLOCKS = 8000, 32, 400
HISS = 0.02


@pytest.fixture(scope="module")
def config() -> Config:
    return resolve("small", arch="raw", steps=60, minutes=0, batch=4, frames=16, hidden=24, rate=1e-2, holdout=0.2)


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Prepared:
    """Two genres of one tone each, in a hiss that nobody can foresee."""
    folder = tmp_path_factory.mktemp("tones")
    pieces, time = [], np.arange(BLOCK * BLOCKS)
    for genre, period in enumerate((24.0, 57.0)):
        hiss = HISS * np.random.default_rng(genre).standard_normal(len(time))
        samples = 0.3 * np.sin(2 * np.pi * time / period) + hiss
        np.save(folder / f"{genre}.samples.npy", samples.reshape(BLOCKS, BLOCK).astype(np.float16))
        pieces += [Piece(str(genre), genre, "training", 0, 320, 0.0), Piece(str(genre), genre, "validation", 320, BLOCKS, 0.0)]
    return Prepared(
        folder,
        ["high", "low"],
        RATE,
        BLOCK,
        1,
        4,
        [120.0] * 2,
        [0.1] * 2,
        [1.0] * 2,
        [1] * 2,
        pieces,
    )


def fitted(prepared, config, folder, report=quiet) -> RawRecipe:
    folder.mkdir(exist_ok=True)
    recipe = RawRecipe(prepared, config, folder)
    recipe.build(quiet)
    recipe.fit(FitRequest(report=report))
    return recipe


@pytest.mark.parametrize(("loss", "optimiser", "rate", "steps"), [("mse", "adam", 1e-2, 200), ("mae", "sgd", 1.0, 500)])
def test_it_foresees_a_tone_and_measures_the_hiss(tones, config, tmp_path, loss, optimiser, rate, steps):
    fit = fitted(tones, replace(config, loss=loss, optimiser=optimiser, rate=rate, steps=steps), tmp_path)
    errors = fit.figures["errors"]
    assert errors[loss] < 0.6 * min(errors["silence"], errors["previous"])
    assert fit.figures["history"][-1]["validation"] < fit.figures["history"][0]["validation"]
    deviation = fit.player().deviation
    assert deviation.shape == (2, BLOCK)
    assert bool((deviation > 0.8 * HISS).all()), "less than the hiss cannot be left"
    assert float(deviation.mean()) < 5 * HISS, "and the tone, 0.21 RMS, was foreseen"


def test_a_killed_training_ends_as_if_never_stopped(tones, config, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    whole = fitted(tones, config, tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill(stage: str, step: int, left: float, values: dict) -> None:
        if step >= 30:
            raise Killed

    folder = tmp_path / "killed"
    with pytest.raises(Killed):
        fitted(tones, config, folder, kill)
    resumed = fitted(tones, config, folder)
    for name, value in whole.predictor.state_dict().items():
        assert torch.allclose(value, resumed.predictor.state_dict()[name], atol=1e-6), name


def test_music_too_short_is_one_line(tones, config, tmp_path):
    with pytest.raises(NoizestreamError, match="add longer music"):
        fitted(tones, replace(config, frames=330), tmp_path)


def test_from_prepared_music_to_a_file_that_plays(tones, config, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(tones.folder, run / "prepared")
    replace(tones, folder=run / "prepared").save()
    (run / "run.json").write_text(json.dumps({"data": "tones", "output": str(tmp_path / "raw.ts"), "genres": None}))
    (run / "config.json").write_text(replace(config, steps=2, loss="mae").to_json())
    path = noizestream.train(resume=run)
    generator = noizestream.load(path)
    metadata = generator.metadata
    assert [control["name"] for control in metadata.controls] == ["temperature"]
    assert (metadata.genres, metadata.latency_frames, metadata.noise_size) == (["high", "low"], 0, metadata.block_frames)
    assert metadata.extra["config"]["arch"] == "raw" and metadata.extra["config"]["loss"] == "mae"
    assert {"mse", "mae", "mbe"} < set(metadata.extra["training"]["errors"])
    generator.set_genre("low")
    generator.set_control("temperature", 0.5)
    audio = generator.pull(4800)
    assert audio.shape == (1, 4800) and np.isfinite(audio).all() and float(np.abs(audio).max()) > 0
    heard = 0.3 * np.sin(2 * np.pi * np.arange(BLOCK * 50) / 57)
    takes = []
    for sound in (None, heard, heard, heard[::2]):
        generator.reset()
        if sound is not None:
            generator.prime(sound[None].astype(np.float32))
        takes.append(generator.pull(4800))
    assert np.array_equal(takes[1], takes[2]) and np.isfinite(takes[1]).all()
    assert not np.array_equal(takes[1], takes[0]) and not np.array_equal(takes[1], takes[3]), "it goes on from what it heard"
    assert {file.suffix for file in (run / "previews" / "final").iterdir()} == {".wav", ".png"}
    assert json.loads((run / "training.json").read_text())["history"]


def test_what_the_architecture_offers_and_what_not():
    assert resolve("small", arch="raw").loss == "mse"
    assert resolve("small", arch="raw", optimiser="sgd").rate != resolve("small", arch="raw").rate
    assert resolve("small", arch="raw", optimiser="sgd", rate=0.3).rate == 0.3
    assert resolve("small").arch == "units"
    with pytest.raises(UsageError, match="arch raw offers mse, mae"):
        resolve("small", loss="mse")
    with pytest.raises(UsageError, match="optimiser sgd"):
        resolve("small", optimiser="sgd")


@torch.no_grad()
def test_a_baseline_that_makes_much_of_rounding_is_exported_all_the_same(tones, config, tmp_path):
    """What hears its own blocks may be chaotic: the forms are compared block by block, from the same state."""
    torch.manual_seed(0)
    predictor = RawPredictor(BLOCK, 2, 24)
    for weights in predictor.parameters():
        weights.mul_(20)
    player = RawPlayer(predictor, RATE, torch.full((2, BLOCK), 0.1)).eval()
    state, genre, controls = player.initial_state(), torch.full((2,), 0.5), torch.tensor([1.0])
    nudged = [each + 1e-6 for each in state]
    for block in range(STEPS):
        draws = torch.from_numpy(noise(1, block, player.noise_size))
        (one, state), (other, nudged) = (player.step(genre, controls, draws, each) for each in (state, nudged))
    assert float((one - other).abs().max()) > 0.1
    self_test(player, script(inference_form(player)), RawRecipe(tones, config, tmp_path))
