"""The bundled models are whole: int8 first, float32 beside it, whose music they hold, weights to go on from."""

import pytest

from noizestream.modelfile import archive
from noizestream.training.export import weights

NAMES = sorted(archive.bundled_models())


def test_there_is_a_synthetic_and_a_real_one_and_together_they_are_small():
    assert {"studio", "fma"} <= set(NAMES) and archive.default_model().stem == "studio"
    assert sum(archive.find_model(name).stat().st_size for name in NAMES) < 45e6


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_are_offered(name):
    metadata = archive.read_metadata(archive.find_model(name))
    assert archive.precisions(metadata) == ["int8", "float32"] and metadata.name == name


@pytest.mark.parametrize("name", NAMES)
def test_whose_music_it_holds_is_said(name):
    extra = archive.read_metadata(archive.find_model(name)).extra
    assert extra["licence"] and all(credit["title"] for credit in extra["attribution"])


@pytest.mark.parametrize("name", NAMES)
def test_another_training_may_start_from_it(name):
    metadata, base = archive.read_metadata(archive.find_model(name)), weights.load(name)
    assert base.genres == metadata.genres and base.channels == metadata.channels and base.config.sample_rate == metadata.sample_rate
