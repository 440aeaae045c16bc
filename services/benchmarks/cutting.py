"""Splits a dataset into training, validation and test sets, and the training set into retain and forget sets."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.datasets import Dataset, Split, split
from services.benchmarks.definitions import Definition
from services.benchmarks.examples import Examples, Pixels, Splits
from services.benchmarks.poison import Poison
from services.benchmarks.scenarios import Subjects
from services.core.errors import BadInput

__all__ = ["Cut", "NoPublishedSplit", "cut"]


class NoPublishedSplit(BadInput):
    code = "no_published_split"


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The splits of a dataset, and their description for the manifest."""

    splits: Splits
    classes: int  # number of classes that models learn
    scenario: str  # in words
    split: str  # in words
    positions: dict[str, NDArray[np.int64]]  # of each set's examples in the dataset
    poison: Examples | None = None  # test images with a trigger, and the label it was planted with


def cut(definition: Definition, dataset: Dataset, *, drawn_from: int | None = None) -> Cut:
    """Split a dataset as published, or by the definition's seed; with `drawn_from`, draw everything from that seed.

    Retain and forget sets have the labels used in training. Raises BadScenario or NoPublishedSplit.
    """
    generator = np.random.default_rng(definition.split_seed if drawn_from is None else drawn_from)
    scenario = definition.scenario
    if drawn_from is not None and isinstance(scenario, Subjects):
        scenario = replace(scenario, published=False)
    parts, words = _parts(definition, dataset, generator, drawn=drawn_from is not None)
    labels, classes = scenario.labels(dataset)
    drawn = scenario.draw(dataset, parts.train, generator)
    pixels = Pixels.standardising(dataset.images[parts.train]) if definition.standardise else None

    positions = {
        "retain": parts.train[drawn.retain],
        "forget": parts.train[drawn.forget],
        "validation": parts.validation,
        "test": parts.test,
    }

    def take(name: str, own_labels: NDArray[np.int64]) -> Examples:
        indexes = positions[name]
        return Examples(
            images=dataset.images[indexes],
            labels=own_labels,
            subjects=None if dataset.subjects is None else dataset.subjects[indexes],
            pixels=pixels,
        )

    splits = Splits(
        retain=take("retain", drawn.labels[drawn.retain]),
        forget=take("forget", drawn.labels[drawn.forget]),
        validation=take("validation", labels[parts.validation]),
        test=take("test", labels[parts.test]),
    )
    found = Cut(splits, classes, drawn.description, words, positions)
    return found if definition.poison is None else _poisoned(found, definition.poison)


def _poisoned(clean: Cut, poison: Poison) -> Cut:
    """Plant the trigger in some forget examples, and in hidden copies of test images that have another label."""
    splits = clean.splits
    return replace(
        clean,
        splits=replace(splits, forget=poison.planted(splits.forget)),
        scenario=f"{clean.scenario}; {poison.describe()}",
        poison=poison.triggered(splits.test),
    )


def _parts(
    definition: Definition, dataset: Dataset, generator: np.random.Generator, *, drawn: bool
) -> tuple[Split, str]:
    count, published = len(dataset.labels), dataset.parts
    if definition.split != "published":
        sizes = [round(share * count) for share in (definition.split.train, definition.split.validation)]
        parts = split(count, train=sizes[0], validation=sizes[1], generator=generator)
        return parts, "drawn at random"
    if published is None:
        raise NoPublishedSplit(f"{dataset.name} has no published split. Give the shares of a split in the definition.")
    validation = published.validation
    if validation is None:  # a random half of the test set, as in the starting kit of 2023
        shuffled = generator.permutation(published.test)
        validation, test = np.sort(shuffled[::2]), np.sort(shuffled[1::2])
        words = "as published, a random half of the test set for validation"
    else:
        test, words = published.test, "as published"
    if not drawn:
        return Split(published.train, validation, test), words
    parts = split(count, train=len(published.train), validation=len(validation), generator=generator)
    return parts, "drawn at random, in the sizes of the published one"
