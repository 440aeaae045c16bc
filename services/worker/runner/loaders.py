"""The loaders that `unlearning(net, retain_loader, forget_loader, val_loader)` receives.

A batch works in both forms of 2023: `x, y = batch` (the starting kit) and `batch["image"], batch["age_group"]` (the
evaluation code).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

__all__ = ["Batch", "ExampleSet", "Loader"]

BATCH_SIZE = 64


class Batch(tuple):  # type: ignore[type-arg]
    """A pair (image, label) that also accepts names as keys. torch's collate functions treat it as a named tuple."""

    __slots__ = ()
    _fields = ("image", "age_group")

    def __new__(cls, image: Any, age_group: Any) -> "Batch":
        return super().__new__(cls, (image, age_group))

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self._fields.index(key) if isinstance(key, str) else key)

    def keys(self) -> tuple[str, ...]:
        """List the names."""
        return self._fields

    def items(self) -> list[tuple[str, Any]]:
        """List the names with their tensors."""
        return list(zip(self._fields, self))  # noqa: B905 - both have length 2


class ExampleSet(Dataset):  # type: ignore[type-arg]
    """Images float32 [n, ...] and labels int64 [n] in memory."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = images
        self.labels = labels

    def __getitem__(self, index: int) -> Batch:
        return Batch(self.images[index], self.labels[index])

    def __len__(self) -> int:
        return len(self.labels)


class Loader(DataLoader):  # type: ignore[type-arg]
    """A DataLoader over tensors in memory. It slices whole batches instead of collating single examples."""

    def __init__(self, examples: ExampleSet, *, shuffle: bool) -> None:
        super().__init__(examples, batch_size=BATCH_SIZE, shuffle=shuffle)
        self._examples = examples
        self._shuffled = shuffle

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        images, labels = self._examples.images, self._examples.labels
        count = len(labels)
        order = torch.randperm(count) if self._shuffled else torch.arange(count)
        for chosen in torch.split(order.to(labels.device), BATCH_SIZE):
            yield Batch(images[chosen], labels[chosen])
