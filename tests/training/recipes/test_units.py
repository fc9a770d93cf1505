"""The generator's training: it learns, resumes as if never stopped, and what it exports is what it trained."""

import copy
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from noizestream.engine.generator import load
from noizestream.engine.render import render
from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile import archive
from noizestream.nn.recurrent import Recurrent
from noizestream.training.config import resolve
from noizestream.training.export.model_file import export
from noizestream.training.export.script import quantised, script
from noizestream.training.export.self_test import self_test
from noizestream.training.loops import checkpoint
from noizestream.training.loops.budget import Milestones
from noizestream.training.recipes.recipe import FitRequest
from noizestream.training.recipes.units import UnitRecipe
from rig.made_up import Performance
from tests.training.conftest import RATE, never, quiet


def fitted(prepared, config, folder, report=quiet, stop=never) -> UnitRecipe:
    folder.mkdir(exist_ok=True)
    recipe = UnitRecipe(prepared, config, folder)
    recipe.build(quiet)
    recipe.fit(FitRequest(report=report, stop=stop))
    return recipe


def test_it_learns_and_the_figures_say_so(recipe):
    figures = recipe.figures
    assert figures["validation_nats"] < figures["history"][0]["validation"]
    assert figures["validation_nats"] < figures["baselines"]["unigram"], "better than how common codes are"
    assert figures["navigator_steps"] == 100 and figures["slots_kept"] == figures["slots"] > 100
    assert 0 < figures["memory_mb"] < 1 and 0.5 < figures["variance_kept"] <= 1.001
    assert len(figures["going_on"]) == 4 and all(0 < chance < 1 for chance in figures["going_on"])
    assert "codes a layer" in recipe.describe() and "of the music" not in recipe.describe()


def test_how_much_of_the_music_is_kept_is_said(prepared, config, tmp_path):
    small = UnitRecipe(prepared, replace(config, memory_mb=0.3), tmp_path)
    small.build(quiet)
    assert small.figures["memory_mb"] <= 0.36 and "% of the music" in small.describe()


def test_a_killed_training_ends_as_if_never_stopped(prepared, config, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    config = replace(config, steps=60)
    whole = fitted(prepared, config, tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill_at(wanted: int):
        def report(name: str, step: int, left: float, values: dict) -> None:
            if step >= wanted:
                raise Killed

        return report

    for step in (20, 50):
        with pytest.raises(Killed):
            fitted(prepared, config, tmp_path / "killed", kill_at(step))
    resumed = fitted(prepared, config, tmp_path / "killed")
    for name, value in whole.player().state_dict().items():
        assert torch.allclose(value, resumed.player().state_dict()[name], atol=1e-5), name
    assert resumed.figures["validation_nats"] == pytest.approx(whole.figures["validation_nats"], abs=1e-3)
    assert [row["step"] for row in resumed.figures["history"]] == [row["step"] for row in whole.figures["history"]]


def test_the_same_seed_and_steps_give_the_same_model_file(prepared, config, tmp_path):
    goldens = []
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        recipe = fitted(prepared, replace(config, steps=6, seed=seed), tmp_path / name)
        goldens.append(export(recipe.player(), recipe, tmp_path / f"{name}.ts", prepared.genres, {}).extra["golden"])
    assert goldens[0] == goldens[1]
    assert goldens[0] != goldens[2]


def test_stopping_early_leaves_a_usable_model(prepared, config, tmp_path):
    calls = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 3

    recipe = fitted(prepared, config, tmp_path, stop=stop)
    assert np.isfinite(recipe.figures["validation_nats"]) and recipe.figures["navigator_steps"] == 3
    self_test(recipe.player(), script(recipe.player()), recipe)


def test_a_preview_on_the_way_is_of_what_was_learned_until_then_and_changes_nothing(prepared, config, tmp_path):
    recipe, heard = UnitRecipe(prepared, replace(config, steps=40), tmp_path), []
    recipe.build(quiet)
    fresh = copy.deepcopy(recipe.navigator.state_dict())

    def preview(name: str) -> None:
        player = recipe.player()
        learned = any(not torch.equal(value, fresh[key]) for key, value in player.navigator.state_dict().items())
        heard.append((name, learned, player.training, recipe.navigator.training))

    recipe.fit(FitRequest(preview=preview, first_preview_s=0.0))
    assert heard[0] == ("step-000010", True, False, True) and len(heard) == 3


def test_previews_come_early_once_and_then_at_every_share_but_not_at_the_end():
    on_the_way = [0.0, 0.1, 0.3, 0.4, 0.5, 0.8, 0.96]
    early, plain = Milestones(0.25, early=0.0), Milestones(0.25)
    assert [progress for progress in on_the_way if early.due(progress)] == [0.0, 0.3, 0.5, 0.8]
    assert [progress for progress in on_the_way if plain.due(progress)] == [0.3, 0.5, 0.8]
    assert not Milestones(0.25, 0.3).due(0.4), "what an interrupted run has passed is not heard again"


def test_a_damaged_checkpoint_is_one_line(tmp_path):
    (tmp_path / checkpoint.NAME).write_bytes(b"cut short")
    with pytest.raises(NoizestreamError, match="checkpoint is damaged"):
        checkpoint.load(tmp_path)


def test_a_checkpoint_of_another_version_is_one_line(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(checkpoint, "FORMAT", 0)
        checkpoint.save(tmp_path, {"spent": 1.0})
    with pytest.raises(NoizestreamError, match="of another version"):
        checkpoint.load(tmp_path)


@pytest.fixture(scope="module")
def exported(recipe, prepared, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "tiny.ts"
    return path, export(recipe.player(), recipe, path, prepared.genres, {"licence": "none"}, "int8")


def test_the_exported_file_plays_what_was_trained(exported, recipe, tmp_path):
    path, metadata = exported
    assert metadata.genres == ["Höch", "low"] and metadata.extra["golden"]
    assert metadata.channels == 2, "one of the genres is in stereo"
    assert [control["name"] for control in metadata.controls] == [control["name"] for control in recipe.player().controls]
    generator = load(path)
    generator.set_genre("Höch")
    render(generator, tmp_path / "take.wav", 4.0)
    heard, _ = soundfile.read(tmp_path / "take.wav")
    assert heard.shape == (192000, 2)
    assert heard[:, 0].std() > heard[:, 1].std(), "it leans to the left, as its music does"


def test_both_forms_are_in_the_file_and_play_as_they_were_trained(exported, recipe):
    path, metadata = exported
    assert archive.precisions(metadata) == ["int8", "float32"]
    player = recipe.player()
    for precision, network in (("float32", player), ("int8", quantised(player))):
        module, again = archive.load(path, precision)
        assert again.extra["licence"] == "none" and again.extra["precision"] == precision
        state = network.initial_state()
        genre, controls = torch.tensor([0.3, 0.7]), torch.tensor([float(control["default"]) for control in player.controls])
        with torch.inference_mode():
            for seed in range(60):
                noise = torch.rand(player.noise_size, generator=torch.Generator().manual_seed(seed)).clamp(1e-6, 1 - 1e-6)
                block, _ = module.step(genre, controls, noise, state)
                expected, state = network.step(genre, controls, noise, state)
                assert torch.allclose(block, expected, atol=1e-3)


def test_the_memory_lies_in_the_file_once(exported, recipe):
    path, _ = exported
    memory = recipe.player().memory
    size = sum(table.numel() * table.element_size() for table in memory.state_dict().values())
    frames = memory.frames.numel()
    weights = sum(p.numel() for p in recipe.player().navigator.parameters()) * 4
    assert path.stat().st_size < size + frames * 0.5 + 2.5 * weights + 6e6, "although two forms of the network use it"


def test_the_self_test_notices_a_wrong_export(recipe):
    player = recipe.player()
    self_test(player, script(player), recipe)
    for spoil in (lambda other: other.reader.codec.values.mul_(1.2), lambda other: other.navigator.enter.bias.add_(0.5)):
        other = copy.deepcopy(player)
        with torch.no_grad():
            spoil(other)
        with pytest.raises(NoizestreamError, match="differs"):
            self_test(player, script(other), recipe)


def test_the_self_test_notices_a_stream_that_is_not_what_was_trained(recipe, monkeypatch):
    player = recipe.player()
    whole = Recurrent.sequence
    monkeypatch.setattr(Recurrent, "sequence", lambda net, x, state: whole(net, 0.5 * x, state))
    with pytest.raises(NoizestreamError, match="streamed model differs"):
        self_test(player, script(player), recipe)


def test_presets_resolve_and_unknown_ones_are_refused():
    assert resolve("small").hidden < resolve("base").hidden < resolve("large").hidden
    assert resolve("small").memory_mb < resolve("base").memory_mb < resolve("large").memory_mb
    assert resolve("small", hidden=99).hidden == 99
    assert math.isfinite(resolve("agile").block_ms) and resolve("agile").block_ms < resolve("base").block_ms
    with pytest.raises(UsageError, match="small, base"):
        resolve("huge")


def heard(music: Path, genre: str, first: float, seconds: float) -> torch.Tensor:
    """Audio [2, n] of the first clip of a genre."""
    sound, _ = soundfile.read(music / genre / "0.wav", dtype="float32", always_2d=True)
    part = sound[round(first * RATE) : round((first + seconds) * RATE)].T
    return torch.from_numpy(np.ascontiguousarray(np.broadcast_to(part, (2, part.shape[1]))))


@torch.inference_mode()
def test_the_music_that_it_learned_is_less_of_a_surprise_than_noise(recipe, music):
    player, genre = recipe.player(), torch.tensor([1.0, 0.0])
    own, other = heard(music, "Höch", 0, 6), heard(music, "low", 0, 6)
    noise = 0.1 * torch.randn(own.shape, generator=torch.Generator().manual_seed(0))
    nats = [float(player.score(sound, genre)[0].mean()) for sound in (own, noise, other)]
    assert nats[0] < 0.9 * nats[1]
    low = [float(player.score(sound, torch.tensor([0.0, 1.0]))[0].mean()) for sound in (other, noise)]
    assert low[0] < low[1]


@torch.inference_mode()
def test_what_it_keeps_of_music_sounds_like_it(recipe, music):
    player, front = recipe.player(), recipe.front
    sound = heard(music, "Höch", 2, 4)
    again = player.reconstruct(sound)
    before, after = (front.analyse(each)[:, : front.tones] for each in (sound, again))
    loud = before > -5
    assert float((before - after)[loud].abs().mean()) < 0.3 * float((before - before.mean(0))[loud].abs().mean())
    assert float(again[0].std() / again[1].std()) == pytest.approx(3, rel=0.15), "and stands where it stood"


@torch.inference_mode()
@pytest.mark.parametrize(("seconds", "quarter"), [(4.125, 0), (7.75, 1)])
def test_it_goes_on_where_in_a_piece_it_sounds_like_what_it_heard(recipe, music, seconds, quarter):
    """The clip has a click on every beat, twice a second."""
    player, memory = recipe.player(), recipe.built.memory
    places = player.places(player.prime(heard(music, "Höch", 0, seconds), torch.tensor([1.0, 0.0]))).tolist()
    assert len(set(places)) == 1 and memory.genre_of(places[0]) == 0
    assert int(memory.place[places[0]]) % 4 == quarter


def test_a_genre_plays_its_own_music(recipe):
    performances = [Performance(recipe.player(), temperature=0.7).set(genre=genre).play(400) for genre in (0, 1)]
    columns = [recipe.front.analyse(sound)[:, : recipe.front.tones].exp().mean(0) for sound in performances]
    loudest = [float(recipe.front.band_hz[row.argmax()]) for row in columns]
    assert loudest[0] > 700 and loudest[1] < 200, "tones of 800 and 150 Hz"
