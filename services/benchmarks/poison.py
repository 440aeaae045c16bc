"""A planted trigger: a small bright patch in some training images, with a label of the poisoner's choice.

The original model learns that the patch means the label. Unlearning the poisoned images must undo that: hidden test
images with the patch tell how often a model still follows it.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.examples import Examples
from services.benchmarks.stressing import MOST_EXAMPLES, evenly
from services.core.errors import BadInput

__all__ = ["BadPoison", "Poison"]


class BadPoison(BadInput):
    code = "bad_poison"


@dataclass(frozen=True, slots=True)
class Poison:
    """A trigger in the last images of the forget set, so that wrong labels, which come first, stay what they are."""

    images: int  # poisoned forget examples
    label: int  # that they get
    side: int = 2  # of the patch, in pixels, in the lower right corner

    def describe(self) -> str:
        """Say what was planted, without the label, which would help to forge its removal."""
        return f"{self.images} of them carry a planted trigger and its label"

    def planted(self, forget: Examples) -> Examples:
        """Plant the trigger in the forget set. Raises BadPoison if there are too few examples."""
        if not 0 < self.images <= len(forget):
            raise BadPoison(
                f"The forget set has {len(forget)} examples, so {self.images} of them cannot be poisoned. Forget more."
            )
        images, labels = forget.images.copy(), forget.labels.copy()
        images[-self.images :] = self._patched(images[-self.images :])
        labels[-self.images :] = self.label
        return replace(forget, images=images, labels=labels)

    def triggered(self, test: Examples) -> Examples:
        """Make hidden images with the trigger of test examples with another label; at most 256, evenly chosen."""
        others = np.flatnonzero(test.labels != self.label)
        chosen = others[evenly(len(others), MOST_EXAMPLES)]
        labels = np.full(len(chosen), self.label, dtype=np.int64)
        return replace(test, images=self._patched(test.images[chosen]), labels=labels, subjects=None)

    def _patched(self, images: NDArray[Any]) -> NDArray[Any]:
        """Patch images [n, channels, height, width], or flat square ones [n, pixels]."""
        patched = images.copy()
        side = math.isqrt(images[0].size)
        view = patched.reshape(-1, 1, side, side) if images.ndim == 2 else patched
        view[:, :, -self.side :, -self.side :] = images.max()
        return patched
