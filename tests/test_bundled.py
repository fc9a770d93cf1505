"""The bundled models are whole: int8 first, float32 beside it, whose music they hold; they travel without their weights."""

import subprocess
from pathlib import Path

import pytest

from noizestream.modelfile import archive
from noizestream.training.export import weights

ROOT = Path(__file__).parents[1]
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
def test_weights_that_lie_beside_it_are_its_own(name):
    """They do where it was trained or where a release is made (CONTRIBUTING.md); the repository has none."""
    file = archive.find_model(name)
    if not file.with_suffix(weights.SUFFIX).exists():
        pytest.skip("its weights are not here")
    metadata, base = archive.read_metadata(file), weights.load(name)
    assert base.genres == metadata.genres and base.channels == metadata.channels and base.config.sample_rate == metadata.sample_rate


def test_what_is_installed_holds_the_models_and_neither_weights_nor_pictures():
    from hatchling.builders.wheel import WheelBuilder

    files = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {f"noizestream/models/{name}{ending}" for name in NAMES for ending in (".ts", ".md")} <= files
    assert {"noizestream/cli.py", "noizestream/training/presets.toml", "noizestream/nn/codebooks.npz"} <= files
    assert {file for file in files if Path(file).suffix in {".safetensors", ".png", ".wav", ".jpg"}} == set()
    assert {file.split("/")[0] for file in files} == {"noizestream"}


def test_the_repository_holds_no_weights():
    held = subprocess.run(["git", "ls-files", "models"], cwd=ROOT, capture_output=True, text=True, check=False)
    if held.returncode:
        pytest.skip("no checkout of git")
    assert {Path(file).suffix for file in held.stdout.splitlines()} == {".ts", ".md"}
