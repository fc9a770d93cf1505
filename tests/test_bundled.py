"""The bundled models are whole: each plays in int8 first, and carries its float32 form."""

import pytest

from noizestream import artifact


@pytest.mark.parametrize("name", sorted(artifact.bundled_models()))
def test_both_forms_are_offered(name):
    metadata = artifact.read_metadata(artifact.find_model(name))
    assert artifact.precisions(metadata) == ["int8", "float32"] and metadata.name == name
