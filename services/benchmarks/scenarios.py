"""Forgetting scenarios: the choice of the training examples to forget, and of wrong labels among them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.datasets import Dataset
from services.core.errors import BadInput

__all__ = ["BadScenario", "Class", "Drawn", "Random", "Scenario", "Subclass", "Subjects", "parse_scenario"]

HOW = (
    "Write random:500 or random:10% (random:60,wrong=12 makes 12 labels wrong), subjects:15, class or class:3, "
    "subclass or subclass:7."
)


class BadScenario(BadInput):
    code = "bad_scenario"


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A scenario's division of a training set. Positions count within the training set."""

    forget: NDArray[np.int64]  # [S]
    retain: NDArray[np.int64]
    labels: NDArray[np.int64]  # [train], used in training
    description: str


class Scenario(Protocol):
    """Chooses the examples of a training set to forget."""

    def draw(self, dataset: Dataset, train: NDArray[np.int64], generator: np.random.Generator) -> Drawn:
        """Draw a forget set; `train` indexes the dataset. Raises BadScenario if the dataset does not fit."""
        ...

    def labels(self, dataset: Dataset) -> tuple[NDArray[np.int64], int]:
        """Return the labels [n] that models learn, without wrong ones, and the number of classes."""
        ...


class _ByClass:
    """Makes models learn the dataset's classes."""

    def labels(self, dataset: Dataset) -> tuple[NDArray[np.int64], int]:
        return dataset.labels, dataset.classes


@dataclass(frozen=True, slots=True)
class Random(_ByClass):
    """Random examples, the first `wrong` of them with another, uniformly chosen class.

    With correct labels, a model that never saw the forget set treats it much like the original model, so a benchmark
    may reward diversity instead of forgetting. Only a model that saw the wrong labels knows them.
    """

    count: int | float  # number of examples, or a share of the training set below 1
    wrong: int = 0

    def draw(self, dataset: Dataset, train: NDArray[np.int64], generator: np.random.Generator) -> Drawn:
        count = round(self.count * len(train)) if self.count < 1 else int(self.count)
        if self.wrong > count:
            raise BadScenario(
                f"{count} forget examples cannot have {self.wrong} wrong labels. Lower one, or raise both."
            )
        order = generator.permutation(len(train)).astype(np.int64)
        labels = dataset.labels[train].copy()
        mislabelled = order[: self.wrong]
        moved = labels[mislabelled] + generator.integers(1, dataset.classes, size=self.wrong)
        labels[mislabelled] = moved % dataset.classes
        words = f"{count} of {len(train)} training examples at random"
        if self.wrong:
            words += f", {self.wrong} of them with a wrong label"
        return _divide(np.isin(np.arange(len(train)), order[:count]), labels, words, order=order[:count])


@dataclass(frozen=True, slots=True)
class Subjects(_ByClass):
    """All training examples of some subjects: random ones, or those of the dataset's published forget set."""

    count: int
    published: bool = False

    def draw(self, dataset: Dataset, train: NDArray[np.int64], generator: np.random.Generator) -> Drawn:
        if dataset.subjects is None:
            raise BadScenario(f"{dataset.name} does not name the subjects of its examples. Choose another scenario.")
        own = dataset.subjects[train]
        known = np.unique(own)
        if len(known) <= self.count:
            raise BadScenario(f"The training set has only {len(known)} subjects. Forget fewer than that.")
        forgotten = np.isin(own, generator.permutation(known)[: self.count])
        which = "random"
        if self.published and dataset.parts is not None and dataset.parts.forget is not None:
            forgotten, which = np.isin(train, dataset.parts.forget), "published"
        words = f"all training examples of {len(np.unique(own[forgotten]))} {which} of {len(known)} subjects"
        return _divide(forgotten, dataset.labels[train], words)


@dataclass(frozen=True, slots=True)
class Class(_ByClass):
    """All training examples of one class; a random class if none is named."""

    label: int | None = None

    def draw(self, dataset: Dataset, train: NDArray[np.int64], generator: np.random.Generator) -> Drawn:
        label = int(generator.integers(dataset.classes)) if self.label is None else self.label
        if not 0 <= label < dataset.classes:
            raise BadScenario(f"{dataset.name} has no class {label}. Choose one from 0 to {dataset.classes - 1}.")
        words = f"all training examples of class {label}{_called(dataset, label)}"
        return _divide(dataset.labels[train] == label, dataset.labels[train], words)


@dataclass(frozen=True, slots=True)
class Subclass:
    """All training examples of one fine class; models learn only the superclasses."""

    label: int | None = None

    def draw(self, dataset: Dataset, train: NDArray[np.int64], generator: np.random.Generator) -> Drawn:
        coarse, _ = self.labels(dataset)
        label = int(generator.integers(dataset.classes)) if self.label is None else self.label
        if not 0 <= label < dataset.classes:
            raise BadScenario(f"{dataset.name} has no fine class {label}. Choose one from 0 to {dataset.classes - 1}.")
        above = np.unique(coarse[dataset.labels == label])
        words = f"all training examples of subclass {label}{_called(dataset, label)}"
        words += f", one of those of superclass {', '.join(map(str, above))}"
        return _divide(dataset.labels[train] == label, coarse[train], words)

    def labels(self, dataset: Dataset) -> tuple[NDArray[np.int64], int]:
        if dataset.superclasses is None:
            raise BadScenario(f"{dataset.name} has no superclasses. Choose another scenario, or the dataset cifar100.")
        return dataset.superclasses, 1 + int(dataset.superclasses.max())


def parse_scenario(text: str) -> Scenario:
    """Parse a scenario from the command line. Raises BadScenario, which explains the syntax."""
    kind, _, rest = text.partition(":")
    amount, _, option = rest.partition(",wrong=")
    try:
        if kind == "random":
            share = float(amount[:-1]) / 100 if amount.endswith("%") else int(amount)
            scenario: Scenario = Random(share, wrong=int(option or 0))
            valid = share > 0 and (isinstance(share, int) or share < 1) and int(option or 0) >= 0
        elif kind == "subjects":
            scenario, valid = Subjects(int(rest)), int(rest) > 0
        elif kind in {"class", "subclass"}:
            label = int(rest) if rest else None
            scenario, valid = (Class(label) if kind == "class" else Subclass(label)), True
        else:
            raise BadScenario(f"There is no scenario {text}. {HOW}")
    except ValueError as error:
        raise BadScenario(f"{text} is not a valid scenario. {HOW}") from error
    if not valid:
        raise BadScenario(f"{text} is not a valid scenario. {HOW}")
    return scenario


def _called(dataset: Dataset, label: int) -> str:
    return f" ({dataset.class_names[label]})" if dataset.class_names else ""


def _divide(
    forgotten: NDArray[np.bool_], labels: NDArray[np.int64], words: str, *, order: NDArray[np.int64] | None = None
) -> Drawn:
    """Divide a training set. The forget set has the given order, or else that of the training set."""
    if not forgotten.any() or forgotten.all():
        raise BadScenario(
            f"The forget set would be {words}: {forgotten.sum()} of {len(forgotten)} training examples. "
            "Choose a scenario that forgets some examples, but not all."
        )
    return Drawn(
        forget=np.flatnonzero(forgotten) if order is None else order,
        retain=np.flatnonzero(~forgotten),
        labels=labels,
        description=words,
    )
