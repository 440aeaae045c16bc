"""Examples in stored form, and as inputs of a model.

Images stay in decoded bytes and become float32 one batch at a time, so that the 30,000 images of CASIA-SURF take 90 MB
and not 370 MB.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Examples", "Pixels", "Shown", "Splits"]


@dataclass(frozen=True, slots=True)
class Pixels:
    """Converts stored bytes to model inputs: value * scale + shift in float32, with one pair per channel."""

    scale: tuple[float, ...]
    shift: tuple[float, ...]

    @classmethod
    def standardising(cls, images: NDArray[np.uint8]) -> "Pixels":
        """Choose scale and shift that give each channel of [n, channels, height, width] mean 0 and variance 1."""
        wide = [images[:, channel].astype(np.float64) for channel in range(images.shape[1])]
        deviations = [max(float(one.std()), 1.0) for one in wide]
        means = [float(one.mean()) for one in wide]
        return cls(
            scale=tuple(1 / deviation for deviation in deviations),
            shift=tuple(-mean / deviation for mean, deviation in zip(means, deviations, strict=True)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Images [n, ...] uint8 or float32, with the labels [n] used in training."""

    images: NDArray[Any]
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64] | None = None  # [n], the person whose data an example is
    pixels: Pixels | None = None  # None: values are used unchanged, as in the 2023 evaluation

    def __len__(self) -> int:
        return len(self.labels)

    def on(self, device: torch.device | str) -> "Shown":
        """Put the images on a device, in stored form. On the CPU nothing is copied."""
        pairs = () if self.pixels is None else (self.pixels.scale, self.pixels.shift)
        affine = tuple(torch.tensor(side).view(-1, 1, 1).to(device) for side in pairs)
        return Shown(torch.from_numpy(self.images).to(device), affine)

    def inputs(self, chosen: Tensor | slice) -> Tensor:
        """Return the float32 inputs of chosen examples. The result's shape begins with that of the index tensor."""
        return self.on("cpu").inputs(chosen)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a bundle stores. They suffice to compute `inputs` again."""
        found: dict[str, NDArray[Any]] = {"image": self.images, "label": self.labels}
        if self.subjects is not None:
            found["subject"] = self.subjects
        if self.pixels is not None:
            found |= {name: np.array(getattr(self.pixels, name), dtype=np.float32) for name in ("scale", "shift")}
        return {name: np.ascontiguousarray(array) for name, array in found.items()}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Examples":
        """Make examples from the result of `arrays`."""
        pixels = None
        if "scale" in arrays:
            pixels = Pixels(tuple(arrays["scale"].tolist()), tuple(arrays["shift"].tolist()))
        return cls(arrays["image"], arrays["label"], arrays.get("subject"), pixels)

    def joined(self, other: "Examples") -> "Examples":
        """Append other examples of the same dataset."""
        subjects = None
        if self.subjects is not None and other.subjects is not None:
            subjects = np.concatenate([self.subjects, other.subjects])
        return Examples(
            images=np.concatenate([self.images, other.images]),
            labels=np.concatenate([self.labels, other.labels]),
            subjects=subjects,
            pixels=self.pixels,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Images on a device, from which batches become inputs there."""

    images: Tensor
    affine: tuple[Tensor, ...]  # scale and shift of each channel; empty if values are used unchanged

    def inputs(self, chosen: Tensor | slice) -> Tensor:
        """Return the float32 inputs of chosen examples, on the device. An index tensor must lie there, too."""
        images = self.images[chosen].float()
        if not self.affine:
            return images
        scale, shift = self.affine
        return images * scale + shift


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """The splits of a dataset. Retain and forget sets together are the training set."""

    retain: Examples
    forget: Examples
    validation: Examples
    test: Examples

    def named(self) -> dict[str, Examples]:
        """Return every split by its name."""
        return {"retain": self.retain, "forget": self.forget, "validation": self.validation, "test": self.test}
