"""A recipe an architecture: how its networks are built, fitted, calibrated and made a model file.

A new one is a module, a row here and one in presets.toml.
"""

from noizestream.training.recipes.raw import RawRecipe
from noizestream.training.recipes.recipe import Recipe
from noizestream.training.recipes.units import UnitRecipe

RECIPES: dict[str, type[Recipe]] = {"units": UnitRecipe, "raw": RawRecipe}
"""`Config.arch` -> its recipe."""
