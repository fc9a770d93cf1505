"""What lies beside a model file and what a later training makes of it."""

import math
import shutil
from dataclasses import replace

import pytest
import torch

from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile import archive
from noizestream.nn.layers import LayerFront
from noizestream.nn.navigator import Navigator
from noizestream.nn.spectral import SpectralFront
from noizestream.training.config import resolve
from noizestream.training.data.dataset import Prepared
from noizestream.training.export import weights
from noizestream.training.export.script import script, self_test
from noizestream.training.recipes.units import UnitRecipe
from noizestream.training.run import train
from rig.made_up import memory
from tests.training.conftest import never, quiet


@pytest.fixture(scope="module")
def base(recipe, prepared, tmp_path_factory):
    """The weights of a short training on two genres, beside a file that stands for the model and whose name is no text."""
    model = tmp_path_factory.mktemp("base") / "caf\udce9.ts"
    model.touch()
    recipe.save_weights(recipe.player(), model)
    return model


def test_what_was_saved_is_read_again(base, recipe, prepared):
    loaded = weights.load(base)
    assert loaded.genres == prepared.genres and loaded.channels == 2 and loaded.code_first == recipe.built.memory.code_first
    assert loaded.config == recipe.config
    for name, value in recipe.navigator.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(loaded.tensors[f"navigator.{name}"], value, atol=5e-3), name
    assert torch.equal(loaded.tensors["layers.basis"], recipe.layers.basis), "in float32: codes depend on them"
    assert base.with_suffix(".safetensors").stat().st_size < 3e6, "no music in it"


@torch.no_grad()
def test_the_same_codes_and_genres_say_the_same(base, recipe, prepared):
    kept = recipe.built.memory
    other = Navigator(kept.code_first, kept.pieces, recipe.layers.count, recipe.config.hidden, recipe.config.layers).eval()
    weights.load(base).fill_navigator(other, kept, recipe.layers, prepared.genres)
    own, codes = recipe.navigator.eval(), torch.randint(0, kept.codes, (1, 10, 3, recipe.layers.count))
    labels = (torch.eye(2)[0].expand(1, 10, -1), torch.arange(10.0)[None], torch.ones(1, 10))
    unknown = torch.full((1, 10), kept.pieces)
    heard = [net.sequence(codes, *labels, unknown, net.recurrent.initial_sequence_state(1), 0.0)[0] for net in (own, other)]
    p = [net.log_p(h, 0, torch.zeros(1, 10, dtype=torch.long)).exp() for net, h in zip((own, other), heard, strict=True)]
    # Pieces are learned anew, and an unknown one too.
    assert torch.allclose(heard[0], heard[1], atol=0.3) and torch.allclose(p[0], p[1], atol=0.2)


@torch.no_grad()
def test_a_new_genre_is_between_the_known_ones_and_takes_the_nearest_codes(base, recipe):
    wide = LayerFront(SpectralFront(48000, channels=2))
    weights.load(base).fill_layers(wide)
    three = memory(wide, codes=5, pieces=1, slots=20, genres=3)
    for number in range(5):  # what the new genre plays is what codes of the second one mean
        three.book[number] = recipe.built.memory.book[recipe.built.memory.code_first[1] + number]
    net = Navigator(three.code_first, three.pieces, wide.count, recipe.config.hidden, recipe.config.layers).eval()
    weights.load(base).fill_navigator(net, three, wide, ["new", "LOW", "Höch"])
    first, own = 3 * wide.count * 64, recipe.navigator.enter.weight
    columns = [net.enter.weight[:, first + number] for number in range(3)]
    assert torch.allclose(columns[1], own[:, first + 1], atol=1e-3) and torch.allclose(columns[2], own[:, first], atol=1e-3)
    assert torch.allclose(columns[0], 0.5 * (columns[1] + columns[2]), atol=1e-3)
    begin = recipe.built.memory.code_first[1]
    assert torch.allclose(net.out[0, :5], recipe.navigator.out[0, begin : begin + 5], atol=5e-3)
    assert torch.allclose(net.embed[2, -1], recipe.navigator.embed[2, -1], atol=5e-3), "not knowing means the same"


def test_a_training_on_a_base_begins_where_that_one_ended(base, recipe, prepared, config, tmp_path):
    asked = replace(weights.load(base).adapt(replace(config, hidden=16)), base=str(base), steps=1)
    assert asked.hidden == recipe.config.hidden and asked.rate < config.rate
    figures = []
    for name, settings in (("after", asked), ("fresh", replace(config, steps=1))):
        (tmp_path / name).mkdir()
        made = UnitRecipe(prepared, settings, tmp_path / name)
        made.build(quiet)
        figures.append(made.fit(0.0, quiet, never))
    after, fresh = (row["validation_nats"] for row in figures)
    assert after == pytest.approx(recipe.figures["validation_nats"], abs=1.0) and after < fresh - 0.5
    assert figures[0]["variance_kept"] is None, "nothing was fitted"


def test_a_training_on_a_base_may_have_a_new_genre(base, prepared, config, tmp_path):
    renamed = Prepared(**(vars(prepared) | {"genres": ["low", "new"]}))
    asked = replace(weights.load(base).adapt(config), base=str(base), steps=2)
    recipe = UnitRecipe(renamed, asked, tmp_path)
    recipe.build(quiet)
    figures = recipe.fit(0.0, quiet, never)
    assert figures["navigator_steps"] == 2 and math.isfinite(figures["validation_nats"])
    player = recipe.player()
    assert player.genres == 2
    self_test(player, script(player))


def test_the_weights_of_a_bundled_model_are_found_beside_it_in_the_cache_or_by_path(base, tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    bundled = tmp_path / "models" / "studio.ts"
    bundled.touch()
    monkeypatch.setattr(archive, "bundled_models", lambda: {"studio": bundled})
    monkeypatch.setenv("NOIZESTREAM_CACHE", str(tmp_path / "cache"))
    kept = tmp_path / "cache" / "weights" / "studio.safetensors"
    with pytest.raises(UsageError) as told:
        weights.load("studio")
    line = str(told.value)
    assert "\n" not in line and str(kept) in line and str(bundled.with_suffix(".safetensors")) in line and "release" in line
    kept.parent.mkdir(parents=True)
    shutil.copy(base.with_suffix(".safetensors"), kept)
    assert weights.find_weights("studio") == weights.find_weights(bundled) == kept
    assert weights.load(kept).genres == weights.load("studio").genres == weights.load(base).genres
    shutil.copy(kept, bundled.with_suffix(".safetensors"))
    assert weights.find_weights("studio") == bundled.with_suffix(".safetensors"), "beside the model comes first"
    (tmp_path / "studio.ts").touch()
    with pytest.raises(UsageError, match="must lie beside the model"):
        weights.load(tmp_path / "studio.ts")  # of the same name, but another model


def test_no_weights_damaged_weights_and_the_baseline_are_one_line(base, tmp_path):
    (tmp_path / "lonely.ts").touch()
    with pytest.raises(UsageError, match="must lie beside the model"):
        weights.load(tmp_path / "lonely.ts")
    (tmp_path / "lonely.safetensors").write_bytes(b"cut short")
    with pytest.raises(NoizestreamError, match="damaged"):
        weights.load(tmp_path / "lonely.ts")
    with pytest.raises(UsageError, match="exclude each other"):
        train(tmp_path, tmp_path / "x.ts", arch="raw", base=base)
    assert resolve("base").base == ""
