"""The loaders that `unlearning(net, retain_loader, forget_loader, val_loader)` receives.

A batch works in both forms of 2023: `x, y = batch` (the starting kit) and `batch["image"], batch["age_group"]` (the
evaluation code). It is a named tuple, because torch takes these apart and puts them together again wherever it copies,
collates, pins, scatters or sends a batch to another process.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

__all__ = ["Batch", "ExampleSet", "Loader"]

BATCH_SIZE = 64


class Batch(NamedTuple):
    """A pair of images and labels that can also be read like a dictionary.

    It iterates over its two values, as a tuple does; `keys`, `values`, `items` and `dict(batch)` go by name. Inside a
    NamedTuple `super()` does not work, so methods call those of `tuple` by name.
    """

    image: Any
    age_group: Any

    def __getitem__(self, key: Any) -> Any:
        """Return a value by its name, or by its place. Raises KeyError, which tells the names there are."""
        if not isinstance(key, str):
            return tuple.__getitem__(self, key)
        if key not in self._fields:
            raise KeyError(f"{key}: batches have {', '.join(self._fields)}")
        return getattr(self, key)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError("a batch cannot be changed; change a copy, dict(batch), or unpack it: images, labels = batch")

    def __contains__(self, key: object) -> bool:
        return key in self._fields if isinstance(key, str) else tuple.__contains__(self, key)

    def keys(self) -> tuple[str, ...]:
        """List the names."""
        return self._fields

    def values(self) -> tuple[Any, ...]:
        """List the values in the order of the names."""
        return tuple(self)

    def items(self) -> list[tuple[str, Any]]:
        """List the names with their values."""
        return list(zip(self._fields, self, strict=True))

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value by its name, or the default if there is no such name."""
        return getattr(self, key) if key in self._fields else default

    def to(self, device: Any, non_blocking: bool = False) -> "Batch":
        """Move images and labels to a device."""
        return Batch(*(value.to(device, non_blocking=non_blocking) for value in self))


class ExampleSet(Dataset):  # type: ignore[type-arg]
    """Images float32 [n, ...] and labels int64 [n] in main memory, where the workers of a DataLoader can read them."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = images
        self.labels = labels

    @property
    def targets(self) -> Tensor:
        """The labels [n], under the name that torchvision's datasets give them."""
        return self.labels

    def __getitem__(self, index: Any) -> Batch:
        """Return one example; for a slice, a list or a tensor of indexes, return a batch of examples."""
        return Batch(self.images[index], self.labels[index])

    def __len__(self) -> int:
        return len(self.labels)

    def __getstate__(self) -> dict[str, Any]:
        """Send a started worker arrays: torch would put tensors into shared memory, which a sandbox has little of."""
        return vars(self) | {"images": self.images.detach().cpu().numpy(), "labels": self.labels.cpu().numpy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        tensors = {name: torch.from_numpy(state[name]) for name in ("images", "labels")}
        vars(self).update(state | tensors)


class Loader(DataLoader):  # type: ignore[type-arg]
    """A DataLoader whose batches lie on a device. It slices whole batches instead of collating single examples."""

    dataset: ExampleSet

    def __init__(self, examples: ExampleSet, *, shuffle: bool, device: torch.device | str = "cpu") -> None:
        super().__init__(examples, batch_size=BATCH_SIZE, shuffle=shuffle)
        elsewhere = torch.device(device) != examples.images.device
        self._on_device = ExampleSet(examples.images.to(device), examples.labels.to(device)) if elsewhere else examples
        self._shuffled = shuffle

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        count = len(self._on_device)
        order = torch.randperm(count) if self._shuffled else torch.arange(count)
        for chosen in torch.split(order.to(self._on_device.labels.device), BATCH_SIZE):
            yield self._on_device[chosen]
