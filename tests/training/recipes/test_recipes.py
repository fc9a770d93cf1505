"""The registry of recipes."""

from noizestream.training.config import architectures
from noizestream.training.recipes import RECIPES


def test_every_architecture_that_can_be_asked_for_has_a_recipe():
    assert tuple(RECIPES) == architectures()
