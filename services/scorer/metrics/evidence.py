"""The input of metrics: the measurements of the models of each side, and the labels."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.arrays import BadArray, check_finite, check_labels, check_shape
from services.scorer.metrics.confidences import confidences

if TYPE_CHECKING:  # it reads outputs, which are made of evidence
    from services.scorer.metrics.stress import StressedSides

__all__ = ["Claimed", "Evidence", "Labels", "Models", "PlaceboSides", "Predictions", "Runs"]

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions of N models on T examples whose logits were not kept."""

    classes: NDArray[np.uint8]  # [N, T]
    margins: NDArray[np.float32]  # [N, T], logit of the label minus log-sum-exp of the others, in nats
    entropies: NDArray[np.float16]  # [N, T], of the softmax, in nats

    def take(self, chosen: Labels) -> "Predictions":
        """Keep some models, in the order given."""
        return Predictions(self.classes[chosen], self.margins[chosen], self.entropies[chosen])

    def beside(self, other: "Predictions") -> "Predictions":
        """Put the predictions of other models after these."""
        return Predictions(
            np.concatenate([self.classes, other.classes]),
            np.concatenate([self.margins, other.margins]),
            np.concatenate([self.entropies, other.entropies]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """Measurements of N models: logits on the forget set, predictions on test set and probed retain examples."""

    forget_logits: Floats  # [N, S, C]
    retain_accuracy: Floats  # [N], 0 to 1, on all retain examples
    test_accuracy: Floats  # [N], 0 to 1
    test: Predictions | None = None
    probe: Predictions | None = None  # of the first 2,000 retain examples or fewer
    checkpoint_sha256: NDArray[np.uint8] | None = None  # [N, 32]
    weight_sketch: NDArray[np.float32] | None = None  # [N, 16], distances between them are those between weights
    _confidences: dict[bytes, NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False)
    _computed: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)
    _passed: set[tuple[int, int]] = field(default_factory=set, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.forget_logits)

    def take(self, chosen: Labels) -> "Models":
        """Keep some models, in the order given."""
        return Models(
            self.forget_logits[chosen],
            self.retain_accuracy[chosen],
            self.test_accuracy[chosen],
            self.test and self.test.take(chosen),
            self.probe and self.probe.take(chosen),
            None if self.checkpoint_sha256 is None else self.checkpoint_sha256[chosen],
            None if self.weight_sketch is None else self.weight_sketch[chosen],
        )

    def beside(self, other: "Models") -> "Models":
        """Put other models after these. A part that one side lacks is left out."""

        def both(mine: NDArray[Any] | None, theirs: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if mine is None or theirs is None else np.concatenate([mine, theirs])

        return Models(
            np.concatenate([self.forget_logits, other.forget_logits]),
            np.concatenate([self.retain_accuracy, other.retain_accuracy]),
            np.concatenate([self.test_accuracy, other.test_accuracy]),
            self.test.beside(other.test) if self.test and other.test else None,
            self.probe.beside(other.probe) if self.probe and other.probe else None,
            both(self.checkpoint_sha256, other.checkpoint_sha256),
            both(self.weight_sketch, other.weight_sketch),
        )

    def confidences(self, labels: Labels, *, name: str = "logits") -> NDArray[np.float64]:
        """Compute the logit-scaled confidences [N, S] of the forget set, once. Raises BadArray."""
        key = np.asarray(labels).tobytes()
        if key not in self._confidences:
            self._confidences[key] = confidences(self.forget_logits, labels, name=name)
            self._confidences[key].flags.writeable = False  # because all readers share it
        return self._confidences[key]

    def once(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return what `make` computes of these models; it is computed once."""
        if key not in self._computed:
            self._computed[key] = make()
        found: Result = self._computed[key]
        return found

    def check(self, name: str, expected: tuple[int, int]) -> None:
        """Raise BadArray unless the models can be scored on so many examples and classes; they are checked once."""
        if expected not in self._passed:
            _check_models(self, name, expected)
            self._passed.add(expected)

    @property
    def distinct(self) -> int:
        """Count models that are not copies of another one, by checkpoint hash; without hashes, count all."""
        if self.checkpoint_sha256 is None:
            return len(self)
        return len({row.tobytes() for row in self.checkpoint_sha256})


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """When and where the runs of N models ran. Runs of one sandbox ran one after another."""

    sandbox: Labels  # [N], a number for each sandbox
    position: Labels  # [N], ascending in time within a sandbox
    original: Labels | None = None  # [N], the original model of each run; None if all are alike or all different


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboSides:
    """Models of runs that started from placebos, which never saw the forget set, and the placebos themselves."""

    runs: Models  # [n]
    starts: Models  # [K]
    started: Labels  # [n], the placebo of each run


@dataclass(frozen=True, slots=True)
class Upload:
    """How much an entry's file could carry."""

    size_bytes: int  # of the file as it was uploaded
    parameters: int  # numbers in one checkpoint of the benchmark


@dataclass(frozen=True, slots=True)
class Claimed:
    """The certificate that an entry claims, with the accountant's result."""

    epsilon: float  # in nats
    delta: float
    accountant_epsilon: float | None
    auditable: bool  # whether every run has an independently learned original, which a certificate speaks of
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The whole input of a metric. Parts that a benchmark does not have are None."""

    unlearned: Models
    oracle: Models
    forget_labels: Labels  # [S], as trained
    test_labels: Labels | None = None  # [T]
    second_oracle: Models | None = None  # retrained independently of the first, as many
    untrained: Models | None = None  # randomly initialised, a few
    originals: Models | None = None  # where unlearning starts from: one, or some that were learned independently
    subjects: Labels | None = None  # [S], whose data a forget example is
    run_s: float | None = None  # mean wall clock of one unlearning run
    independent: bool = True  # whether runs could not know of each other, as those of one notebook can
    claimed: Claimed | None = None
    runs: Runs | None = None  # None if their order is unknown
    starts: Labels | None = None  # [N], the original model of each run; None if all are alike or all different
    stress: "StressedSides | None" = None  # None if the models were not put under stress
    placebo: PlaceboSides | None = None  # None if there were no placebo runs
    upload: Upload | None = None  # None if it is unknown

    def check(self) -> None:
        """Raise BadArray, which names array, axis and index, for the first array that cannot be scored."""
        check_shape(self.oracle.forget_logits, "oracle_logits", ("seed", "example", "class"))
        _, examples, classes = self.oracle.forget_logits.shape
        check_labels(self.forget_labels, examples, classes)
        for name, models in self._sides():
            models.check(name, (examples, classes))
        for side in ("retain", "test"):
            if not np.any(getattr(self.oracle, f"{side}_accuracy")):
                raise BadArray(
                    f"oracle_{side}_accuracy is 0 for every model, so no ratio to it exists. Rebuild the oracle.",
                    axis=0,
                    index=0,
                )
        if self.subjects is not None:
            check_shape(self.subjects, "subjects", ("example",))
            if len(self.subjects) != examples:
                raise BadArray(
                    f"subjects has {len(self.subjects)} examples on axis 0, but the logits have {examples} on axis 1.",
                    axis=0,
                    index=min(len(self.subjects), examples),
                )

    def of(self, models: Models) -> "Evidence":
        """Replace the unlearned models and keep the oracle."""
        return replace(self, unlearned=models, stress=None, placebo=None)

    def take(self, chosen: Labels) -> "Evidence":
        """Keep the same runs on every side, as if no others had been made. Where and when they ran is left out."""
        second = self.second_oracle
        return replace(
            self,
            unlearned=self.unlearned.take(chosen),
            oracle=self.oracle.take(chosen),
            second_oracle=None if second is None or len(second) <= chosen.max() else second.take(chosen),
            runs=None,
            starts=None if self.starts is None else self.starts[chosen],
            stress=None,
            placebo=None,
        )

    def _sides(self) -> list[tuple[str, Models]]:
        sides = {
            "unlearned": self.unlearned,
            "oracle": self.oracle,
            "second_oracle": self.second_oracle,
            "untrained": self.untrained,
            "original": self.originals,
            "placebo_runs": None if self.placebo is None else self.placebo.runs,
            "placebo": None if self.placebo is None else self.placebo.starts,
        }
        return [(name, models) for name, models in sides.items() if models is not None]


def _check_models(models: Models, name: str, expected: tuple[int, int]) -> None:
    logits = models.forget_logits
    check_shape(logits, f"{name}_logits", ("seed", "example", "class"))
    for axis, (what, size) in enumerate(zip(("examples", "classes"), expected, strict=True), start=1):
        if logits.shape[axis] != size:
            raise BadArray(
                f"{name}_logits has {logits.shape[axis]} {what} on axis {axis}, but the oracle's have {size}; "
                "both sides must have the same forget set.",
                axis=axis,
                index=min(logits.shape[axis], size),
            )
    check_finite(logits, f"{name}_logits", ("seed", "example", "class"))
    _check_accuracies(models.retain_accuracy, f"{name}_retain_accuracy", len(models))
    _check_accuracies(models.test_accuracy, f"{name}_test_accuracy", len(models))
    for split in ("test", "probe"):
        predictions = getattr(models, split)
        if predictions is not None:
            _check_predictions(predictions, f"{name}_{split}", len(models))


def _check_predictions(predictions: Predictions, name: str, models: int) -> None:
    shape = (models, predictions.classes.shape[-1])
    for part in ("classes", "margins", "entropies"):
        array = getattr(predictions, part)
        check_shape(array, f"{name}_{part}", ("model", "example"))
        for axis, (what, size) in enumerate(zip(("models", "examples"), shape, strict=True)):
            if array.shape[axis] != size:
                raise BadArray(
                    f"{name}_{part} has {array.shape[axis]} {what} on axis {axis}; expected {size}.",
                    axis=axis,
                    index=min(array.shape[axis], size),
                )
        check_finite(array, f"{name}_{part}", ("model", "example"))


def _check_accuracies(array: Floats, name: str, models: int) -> None:
    check_shape(array, name, ("model",))
    check_finite(array, name, ("model",))
    if len(array) != models:
        raise BadArray(
            f"{name} has {len(array)} models on axis 0, but the logits have {models}.",
            axis=0,
            index=min(len(array), models),
        )
    outside = (array < 0) | (array > 1)
    if outside.any():
        index = int(np.argmax(outside))
        raise BadArray(f"{name} is {array[index]} on axis 0, index {index}; expected 0 to 1.", axis=0, index=index)
