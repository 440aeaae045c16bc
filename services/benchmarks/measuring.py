"""Measures trained models in the same way as a worker's measurer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.examples import Examples, Splits
from services.benchmarks.training import Build, Stacked, stacked_logits
from services.benchmarks.training.models import count_of, one_of
from services.core.bundle import readings
from services.core.bundle.measurements import Measurements

__all__ = ["Trained", "forget_logits_of", "measure", "probe_of"]

Arrays = dict[str, NDArray[Any]]


@dataclass(slots=True, eq=False)
class Trained:
    """Measurements of models, and whether each had finite logits on the retain set. The models are not kept."""

    measurements: Measurements
    finite: NDArray[np.bool_]  # [models]
    retain_accuracy: NDArray[np.float64]  # [models]

    def arrays(self) -> Arrays:
        """Return all arrays, with models on the first axis, as input for `from_arrays`."""
        named = {field.name: getattr(self.measurements, field.name) for field in fields(Measurements)}
        return named | {"finite": self.finite, "retain_accuracy": self.retain_accuracy}

    @classmethod
    def from_arrays(cls, parts: Sequence[Arrays]) -> Self:
        """Concatenate parts."""
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        finite, accuracy = whole.pop("finite"), whole.pop("retain_accuracy")
        return cls(Measurements(**whole), finite.astype(bool), accuracy)

    def replace(self, positions: Sequence[int], others: Self) -> None:
        """Replace the models at some positions by others."""
        for name, array in self.arrays().items():
            array[list(positions)] = others.arrays()[name]


def probe_of(splits: Splits) -> NDArray[np.int64]:
    """Choose the retain examples whose predictions are kept."""
    return np.arange(min(len(splits.retain), readings.PROBE_SIZE))


def forget_logits_of(build: Build, models: Stacked, forget: Examples) -> NDArray[np.float32]:
    """Compute logits [models, S, classes] on the forget set."""
    logits: NDArray[np.float32] = stacked_logits(build, models, forget).numpy()
    return logits


def measure(build: Build, models: Stacked, splits: Splits) -> Arrays:
    """Measure models as a worker's measurer does; return the arrays of `Trained`, with models on the first axis."""
    with np.errstate(all="ignore"):  # diverged models cause warnings
        rows = list(_readings(build, models, splits))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _readings(build: Build, models: Stacked, splits: Splits) -> Iterator[Arrays]:
    probe = probe_of(splits)
    logits = {
        name: stacked_logits(build, models, examples).numpy()
        for name, examples in splits.named().items()
        if name != "validation"
    }
    for position in range(count_of(models)):
        state = {name: value.cpu().numpy() for name, value in one_of(models, position).items()}
        retain = logits["retain"][position]
        arrays = readings.reading(
            forget_logits=logits["forget"][position],
            retain_logits=retain,
            test_logits=logits["test"][position],
            retain_labels=splits.retain.labels,
            test_labels=splits.test.labels,
            probe=probe,
        )
        digest = readings.checkpoint_sha256(state)
        arrays["checkpoint_sha256"] = np.frombuffer(bytes.fromhex(digest), dtype=np.uint8)
        arrays["weight_sketch"] = readings.weight_sketch(state)
        arrays["finite"] = np.array(np.isfinite(retain).all())
        arrays["retain_accuracy"] = np.array((retain.argmax(axis=1) == splits.retain.labels).mean())
        yield arrays
