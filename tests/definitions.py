"""Parts of a definition whose learning is not certified."""

from services.benchmarks.definitions import Definition, Placebo
from services.benchmarks.recipes import Recipe

__all__ = ["placebo_of", "recipe_of"]


def recipe_of(definition: Definition) -> Recipe:
    assert isinstance(definition.recipe, Recipe)
    return definition.recipe


def placebo_of(definition: Definition) -> Placebo:
    assert definition.placebo is not None
    return definition.placebo
