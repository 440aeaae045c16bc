"""Benchmarks on the handwritten digits that come with scikit-learn: small enough to build in minutes."""

from services.benchmarks.definitions import Definition, Fractions, Placebo
from services.benchmarks.recipes import Recipe
from services.benchmarks.scenarios import Class, Random, Subclass

__all__ = ["DIGITS"]

_RECIPE = Recipe(epochs=40, batch_size=64, learning_rate=0.1)
_PLACEBO_RECIPE = Recipe(epochs=1, batch_size=64, learning_rate=0.05, momentum=0.0)
_SPLIT = Fractions(train=1200 / 1797, validation=197 / 1797)

DIGITS = (
    # 40 epochs: after 30 the original has not learned 4 of the 60 forget labels yet, after 20 it lacks 8. Originals
    # differ: of 12 that learned 58 or more, the placebo ratio lay between 2.0 and 8.7. Seed 13 is one with 7 to 8.
    Definition(
        name="digits",
        title="Handwritten digits",
        dataset="digits",
        architecture="mlp",
        recipe=_RECIPE,
        scenario=Random(60, wrong=12),
        placebo=Placebo(_PLACEBO_RECIPE),
        split=_SPLIT,
        split_seed=3,
        original_seed=13,
    ),
    # The three scenarios of the SSD paper, small, for its suite. At random, with clean labels, F says nothing.
    Definition(
        name="digits-pairs-random",
        title="Handwritten digits: some at random",
        dataset="digits-pairs",
        architecture="mlp",
        recipe=_RECIPE,
        scenario=Random(60),
        placebo=Placebo(_PLACEBO_RECIPE, models=64),
        split=_SPLIT,
        seeds=64,
    ),
    Definition(
        name="digits-pairs-class",
        title="Handwritten digits: one class",
        dataset="digits-pairs",
        architecture="mlp",
        recipe=_RECIPE,
        scenario=Class(3),
        placebo=Placebo(_PLACEBO_RECIPE, models=64),
        split=_SPLIT,
        seeds=64,
    ),
    Definition(
        name="digits-pairs-subclass",
        title="Handwritten digits: one of a pair",
        dataset="digits-pairs",
        architecture="mlp",
        recipe=_RECIPE,
        scenario=Subclass(3),
        placebo=Placebo(_PLACEBO_RECIPE, models=64),
        split=_SPLIT,
        seeds=64,
    ),
)
