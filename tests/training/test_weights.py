"""What lies beside a model file and what a later training makes of it."""

from dataclasses import replace

import pytest
import torch

from noizestream.errors import NoizestreamError, UsageError
from noizestream.nn.moods import MOODS, Moods
from noizestream.training import weights
from noizestream.training.config import resolve
from noizestream.training.fit import Fit
from noizestream.training.run import train
from tests.training.test_fit import never, quiet


@pytest.fixture(scope="module")
def base(prepared, config, tmp_path_factory):
    """The weights of a short training on two genres, beside a file that stands for the model."""
    folder = tmp_path_factory.mktemp("base")
    fit = Fit(prepared, replace(config, steps=30), folder)
    fit.run(0.0, quiet, never)
    model = folder / "model.ts"
    model.touch()
    weights.save(fit.player(), fit.config, prepared.genres, model)
    return model, fit


@torch.no_grad()
def test_a_known_genre_goes_on_as_it_was_and_a_new_one_is_between_them(base):
    model, fit = base
    loaded = weights.load(model)
    wider = type(fit.predictor)(fit.codec.latent, 3, fit.plan.notes.size + MOODS, fit.config.hidden).eval()
    loaded.fill(fit.codec, wider, Moods(3, fit.codec.latent, 93.75), ["new", "LOW", "Höch"])
    narrow = fit.predictor.eval()
    z, clock = torch.randn(1, fit.codec.latent), torch.randn(1, wider.clock_in.in_features // 3)
    state, notes = [torch.zeros(1, fit.config.hidden) for _ in range(4)], torch.rand(1, fit.plan.notes.size + MOODS)

    def hidden(net, *genre):
        weights = torch.tensor([genre], dtype=torch.float32)
        return net.hidden_frame(z, weights, clock, notes, state, weights)[0]

    low, high = hidden(narrow, 0, 1), hidden(narrow, 1, 0)
    assert torch.allclose(hidden(wider, 0, 1, 0), low, atol=1e-2) and torch.allclose(hidden(wider, 0, 0, 1), high, atol=1e-2)
    new = hidden(wider, 1, 0, 0)
    assert float((new - low).norm()) < float((high - low).norm()) and float((new - high).norm()) < float((high - low).norm())


def test_a_training_on_a_base_begins_where_that_one_ended(base, prepared, config, tmp_path):
    model, fit = base
    asked = replace(weights.load(model).adapt(replace(config, hidden=16)), base=str(model), steps=1)
    assert asked.hidden == fit.config.hidden and asked.rate < config.rate
    after = Fit(prepared, asked, tmp_path).run(0.0, quiet, never).figures
    fresh = Fit(prepared, replace(config, steps=1), tmp_path / "fresh").run(0.0, quiet, never).figures
    assert after["validation_nats"] == pytest.approx(fit.figures["validation_nats"], abs=1.0)
    assert after["validation_nats"] < fresh["validation_nats"] - 1.0


def test_no_weights_damaged_weights_and_the_baseline_are_one_line(base, tmp_path):
    (tmp_path / "lonely.ts").touch()
    with pytest.raises(UsageError, match="must lie beside the model"):
        weights.load(tmp_path / "lonely.ts")
    (tmp_path / "lonely.safetensors").write_bytes(b"cut short")
    with pytest.raises(NoizestreamError, match="damaged"):
        weights.load(tmp_path / "lonely.ts")
    with pytest.raises(UsageError, match="exclude each other"):
        train(tmp_path, tmp_path / "x.ts", arch="raw", base=base[0])
    assert resolve("base").base == ""
