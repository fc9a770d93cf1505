"""The registry of recipes."""

import pytest

from noizestream.errors import UsageError
from noizestream.training.config import resolve
from noizestream.training.recipes import RECIPES


def test_every_architecture_that_can_be_asked_for_has_a_recipe():
    with pytest.raises(UsageError, match=f"give one of {', '.join(RECIPES)}$"):
        resolve(arch="another")
