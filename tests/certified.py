"""Certified benchmarks, built small: the fewest steps that forget a start, and few models."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.definitions import Definition
from services.benchmarks.order import Order
from services.benchmarks.recipes import NoisyDescent
from services.core.bundle.manifest import Counts, Learning, Manifest
from services.scorer.scoring import forgetting_quality_of

SECRET = b"s" * 32
SEEDS = 8
STEPS = 520  # 20/(eta m) of `certified-digits-ten`, the slowest


def certified_recipe_of(definition: Definition) -> NoisyDescent:
    assert isinstance(definition.recipe, NoisyDescent)
    return definition.recipe


def short_definition(name: str, **changes: Any) -> Definition:
    """Take a certified benchmark's definition with `STEPS` steps."""
    definition = DEFINITIONS[name]
    return replace(definition, recipe=replace(certified_recipe_of(definition), **{"steps": STEPS} | changes))


def short_order(name: str, **changes: Any) -> Order:
    """Order a certified benchmark of `SEEDS` models, whatever its fitness."""
    definition = short_definition(name)
    plain = Order(
        definition=definition,
        dataset=definition.read(None, cache=Path()),
        seeds=SEEDS,
        quality=forgetting_quality_of,
        secret=SECRET,
        min_placebo_ratio=0.0,
    )
    return replace(plain, **changes)


def learning_of(definition: Definition) -> Learning:
    return Learning(**asdict(certified_recipe_of(definition)))


def certified_manifest(plain: Manifest, learning: Learning | None) -> Manifest:
    """Make of any benchmark's manifest one of 240 examples and 16 to forget, as the benchmarks of two digits have."""
    counts = Counts(retain=240, forget=16, validation=32, test=69)
    return plain.model_copy(update={"learning": learning, "counts": counts})
