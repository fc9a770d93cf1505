"""Both loops: they learn, they resume as if never stopped, and what they export is what they trained."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from noizestream import artifact
from noizestream.engine.generator import load
from noizestream.engine.render import render
from noizestream.errors import NoizestreamError
from noizestream.nn.player import Player
from noizestream.training import checkpoint, sketch
from noizestream.training.budget import Milestones
from noizestream.training.config import resolve
from noizestream.training.export import export, quantised, script, self_test
from noizestream.training.fit import Fit


def quiet(*arguments) -> None:
    pass


def never() -> bool:
    return False


def trained(prepared, config, folder) -> Player:
    folder.mkdir(exist_ok=True)
    fitted = Fit(prepared, config, folder).run(0.0, quiet, never)
    return Player(
        fitted.front, fitted.codec, fitted.plan, fitted.predictor, torch.tensor(prepared.tempos), torch.tensor([0.7, 0.7])
    ).eval(), fitted


def test_all_stages_learn_and_the_figures_say_so(prepared, config, tmp_path):
    _, fitted = trained(prepared, replace(config, steps=120), tmp_path)
    figures = fitted.figures
    assert figures["codec_error"] < figures["pca_error"]
    assert figures["history"][-1]["validation"] < figures["history"][0]["validation"]
    assert figures["validation_nats"] < figures["baselines"]["unigram"]
    assert figures["plan_nats"] < fitted.plan.voices * math.log(fitted.plan.codes), "better than any code at any time"
    assert figures["sequence_steps"] == 120


def test_a_killed_training_ends_as_if_never_stopped(prepared, config, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    config = replace(config, steps=60)
    _, whole = trained(prepared, config, tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill_at(stage: str, wanted: int):
        def report(name: str, step: int, left: float, values: dict) -> None:
            if name == stage and step >= wanted:
                raise Killed

        return report

    folder = tmp_path / "killed"
    folder.mkdir()
    for stage, step in (("plan", 20), ("codec", 20), ("sequence", 30), ("sequence", 50)):
        with pytest.raises(Killed):
            Fit(prepared, config, folder).run(0.0, kill_at(stage, step), never)
    resumed = Fit(prepared, config, folder).run(0.0, quiet, never)
    for part in ("plan", "predictor"):
        for name, value in getattr(whole, part).state_dict().items():
            assert torch.allclose(value, getattr(resumed, part).state_dict()[name], atol=1e-5), name
    assert resumed.figures["validation_nats"] == pytest.approx(whole.figures["validation_nats"], abs=1e-3)


def test_the_same_seed_and_steps_give_the_same_model_file(prepared, config, tmp_path):
    goldens = []
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        player, _ = trained(prepared, replace(config, steps=6, seed=seed), tmp_path / name)
        goldens.append(export(player, "tiny", prepared.genres, {}, tmp_path / f"{name}.ts").extra["golden"])
    assert goldens[0] == goldens[1]
    assert goldens[0] != goldens[2]


def test_stopping_early_leaves_a_usable_model(prepared, config, tmp_path):
    calls = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 3

    fitted = Fit(prepared, config, tmp_path).run(0.0, quiet, stop)
    assert np.isfinite(fitted.figures["validation_nats"])


def test_there_is_something_to_hear_while_the_codec_still_learns(prepared, config, tmp_path, monkeypatch):
    monkeypatch.setattr(sketch, "TRAINED_S", 0.3)
    fit = Fit(prepared, replace(config, steps=0, plan_share=0.0, codec_share=0.9), tmp_path)
    fresh = {name: value.clone() for name, value in fit.predictor.state_dict().items()}
    heard = []

    def preview(name: str) -> None:
        player = fit.player()
        noise = torch.full((player.noise_size,), 0.3)
        block, _ = player.step(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0, -1.0]), noise, player.initial_state())
        learned = any(not torch.equal(value, fresh[key]) for key, value in player.predictor.state_dict().items())
        heard.append((name, learned, bool(torch.isfinite(block).all()), fit.codec.training))

    fit.run(900.0, quiet, lambda: bool(heard), preview, first_s=0.0)
    assert heard == [("sketch", True, True, True)]
    assert not (tmp_path / "latents" / "sketch").exists()


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


def test_the_exported_file_plays_what_was_trained(prepared, config, tmp_path):
    player, _ = trained(prepared, config, tmp_path / "run")
    metadata = export(player, "tiny", prepared.genres, {"licence": "none"}, tmp_path / "tiny.ts")
    assert metadata.genres == ["Höch", "low"] and metadata.extra["golden"]
    assert metadata.channels == 2, "one of the genres is in stereo"
    generator = load(tmp_path / "tiny.ts")
    generator.set_genre("Höch")
    render(generator, tmp_path / "take.wav", 4.0)
    heard, _ = soundfile.read(tmp_path / "take.wav")
    assert heard.shape == (192000, 2)
    assert heard[:, 0].std() > heard[:, 1].std(), "it leans to the left, as its music does"
    for precision, network in (("float32", player), ("int8", quantised(player))):
        module, again = artifact.load(tmp_path / "tiny.ts", precision)
        assert again.extra["licence"] == "none" and again.extra["precision"] == precision
        state, eager = module.initial_state(), network.initial_state()
        genre, controls = torch.tensor([0.3, 0.7]), torch.tensor([1.0, 0.0, -1.0])
        with torch.inference_mode():
            for seed in range(5):
                noise = torch.rand(player.noise_size, generator=torch.Generator().manual_seed(seed)).clamp(1e-6, 1 - 1e-6)
                block, state = module.step(genre, controls, noise, state)
                expected, eager = network.step(genre, controls, noise, eager)
                assert torch.allclose(block, expected, atol=1e-4)


def test_the_self_test_notices_a_wrong_export(prepared, config, tmp_path):
    player, _ = trained(prepared, config, tmp_path / "run")
    other = copy.deepcopy(player)
    with torch.no_grad():
        other.predictor.heads[0].bias.add_(0.5)
        other.codec.synthesis.mul_(1.5)
    scripted = script(other)
    with pytest.raises(NoizestreamError, match="differs"):
        self_test(player, scripted)


def test_presets_resolve_and_unknown_ones_are_refused():
    from noizestream.errors import UsageError

    assert resolve("small").hidden < resolve("base").hidden
    assert resolve("small", hidden=99).hidden == 99
    with pytest.raises(UsageError, match="small, base"):
        resolve("huge")
