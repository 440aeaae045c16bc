"""Puts one model under stress: rounded weights, perturbed images, relearning. Entries and anchors pass the same code.

It is also copied into the measuring container, so it imports only the standard library, numpy, torch and what is there.
Everything is computed on the CPU, and every draw comes from the benchmark's secret seed, so a reading depends on the
checkpoint and on nothing else. Nothing here fails because of a hostile model: if an output is not finite, the reading
says that it is unreadable, and its margins are 0.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.core.bundle import readings

__all__ = ["DEFAULT_STRESS", "MOST_EXAMPLES", "Labelled", "Stress", "StressRecipe", "evenly", "rounded"]

MOST_EXAMPLES = 256  # of forget examples, and of controls: it bounds a reading
CHUNK = 512  # images per forward pass
FLOAT32_MAX = float(np.finfo(np.float32).max)

Arrays = dict[str, NDArray[Any]]
State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class StressRecipe:
    """How models are put under stress. The manifest of a benchmark keeps it."""

    bits: tuple[int, ...] = (8, 4)  # of rounded weights
    copies: int = 4  # perturbed copies of each image
    noise: float = 0.1  # of perturbed copies, in standard deviations of pixels; every second copy has twice as much
    shift: int = 1  # pixels by which every second copy is moved; 0 if inputs are no images
    flip: bool = False  # whether every fourth copy is mirrored
    steps: tuple[int, ...] = (10, 30, 100)  # of relearning, after which models are read
    batch_size: int = 64
    learning_rate: float = 0.02
    momentum: float = 0.9
    largest_gradient: float = 5.0  # norm to which gradients are clipped

    def as_dict(self) -> dict[str, Any]:
        """Describe the recipe for the manifest."""
        return asdict(self)

    @classmethod
    def of_dict(cls, described: Mapping[str, Any]) -> Self:
        """Read the recipe of a manifest."""
        found: dict[str, Any] = {field.name: described[field.name] for field in fields(cls)}
        return cls(**found | {name: tuple(found[name]) for name in ("bits", "steps")})


DEFAULT_STRESS = StressRecipe()


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Inputs float32 [n, ...] with the labels int64 [n] used in training."""

    images: Tensor
    labels: Tensor

    def take(self, chosen: NDArray[np.int64]) -> "Labelled":
        """Keep some examples."""
        index = torch.from_numpy(np.array(chosen))
        return Labelled(self.images[index], self.labels[index])


def evenly(examples: int, most: int = MOST_EXAMPLES) -> NDArray[np.int64]:
    """Choose at most `most` of so many examples, evenly."""
    return np.unique(np.linspace(0, examples - 1, min(most, examples)).astype(np.int64))


class Stress:
    """A benchmark's stage: the examples, their perturbed copies, and a model to load states into."""

    def __init__(
        self,
        model: nn.Module,
        recipe: StressRecipe,
        seed: int,
        *,
        forget: Labelled,
        controls: Labelled,
        retain: Labelled,
        poison: Labelled | None = None,
    ) -> None:
        self._model, self._recipe, self._seed = model.eval(), recipe, seed
        self._parameters = [name for name, _ in model.named_parameters()]
        self._forget = forget.take(evenly(len(forget.labels)))
        self._controls, self._retain, self._poison = controls, retain, poison
        deviation = float(self._forget.images.double().std(unbiased=False))
        self._copies = [
            tuple(self._copy(side, number, place, deviation) for place, side in enumerate(self._sides()))
            for number in range(recipe.copies)
        ]

    def read(self, state: State, original: State, *, relearn: bool) -> Arrays:
        """Read one model, as `core.bundle.stress` lays it out; `original` is where its run started.

        The time of the two parts is added as `seconds` [2].
        """
        started = time.perf_counter()
        rows = [self._outputs(state)]
        rows += [self._outputs(rounded(state, bits)) for bits in self._recipe.bits]
        self._load(state)
        rows += [self._margins(copies) for copies in self._copies]
        found = _stacked(rows, "")
        found["distance"] = np.array(self._distance(state, original))
        if self._poison is not None:
            found["poison_given"] = self._given(self._poison)
        read = time.perf_counter()
        if relearn:
            found |= _stacked(list(self._relearned(state)), "relearned_")
        found["seconds"] = np.array([read - started, time.perf_counter() - read])
        return found

    def _sides(self) -> tuple[Labelled, Labelled]:
        return self._forget, self._controls

    def _copy(self, examples: Labelled, number: int, place: int, deviation: float) -> Labelled:
        """Make a perturbed copy: noise, and in every second one twice as much of it and a shift."""
        recipe, odd = self._recipe, number % 2
        random = np.random.default_rng([self._seed, number])  # forget examples and controls are moved alike
        images = examples.images
        if odd and recipe.shift:
            images = _moved(images, *random.choice([-recipe.shift, recipe.shift], 2).tolist())
        if number % 4 == 3 and recipe.flip:
            images = images.flip(-1)
        noise = np.random.default_rng([self._seed, number, place]).standard_normal(images.shape, dtype=np.float32)
        return Labelled(images + torch.from_numpy(noise) * (recipe.noise * deviation * (1 + odd)), examples.labels)

    def _load(self, state: State) -> None:
        self._model.load_state_dict(dict(state), strict=True)
        self._model.eval()

    def _outputs(self, state: State) -> Arrays:
        self._load(state)
        return self._margins(self._sides())

    def _margins(self, sides: Sequence[Labelled]) -> Arrays:
        """Read margins and whether the label is given, on forget examples and controls."""
        found: Arrays = {}
        readable = True
        for name, side in zip(("forget", "control"), sides, strict=True):
            logits, finite = self._logits(side.images)
            labels = side.labels.numpy()
            predicted = readings.predictions(logits, labels)
            readable &= finite
            found[f"{name}_margin"] = predicted["margin"]
            found[f"{name}_given"] = (predicted["class"] == labels).astype(np.uint8)
        if not readable:
            found = {name: np.zeros_like(array) for name, array in found.items()}
        return found | {"readable": np.array(readable, dtype=np.uint8)}

    def _given(self, examples: Labelled) -> NDArray[np.uint8]:
        logits, finite = self._logits(examples.images)
        given = (logits.argmax(axis=1) == examples.labels.numpy()) & finite
        return np.asarray(given, dtype=np.uint8)

    def _logits(self, images: Tensor) -> tuple[NDArray[np.float32], bool]:
        with torch.no_grad():
            parts = [self._model(chunk).float() for chunk in torch.split(images, CHUNK)]
        logits = torch.cat(parts).numpy()
        finite = bool(np.isfinite(logits).all())
        return (logits if finite else np.zeros_like(logits)), finite

    def _distance(self, state: State, original: State) -> tuple[float, float]:
        """Compute the distance of all parameters to the original's, and the norm of these."""
        pairs = [(state[name].double(), original[name].double()) for name in self._parameters]
        moved = sum(float(((mine - start) ** 2).sum()) for mine, start in pairs)
        norm = sum(float((start**2).sum()) for _, start in pairs)
        return moved**0.5, norm**0.5

    def _relearned(self, state: State) -> Iterator[Arrays]:
        """Fine-tune on retain examples only, in an order that is the same for every model; read it on the way."""
        recipe = self._recipe
        self._load(state)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            optimizer = torch.optim.SGD(self._model.parameters(), recipe.learning_rate, momentum=recipe.momentum)
            for step, batch in zip(range(1, 1 + max(recipe.steps)), self._batches(), strict=False):
                self._model.train()
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(self._model(batch.images), batch.labels)
                loss.backward()
                nn.utils.clip_grad_norm_(self._model.parameters(), recipe.largest_gradient)
                optimizer.step()
                if step in recipe.steps:
                    self._model.eval()
                    yield self._margins(self._sides())
        self._model.eval()

    def _batches(self) -> Iterator[Labelled]:
        """Yield batches of the retain set for ever, in a new order each time."""
        random = np.random.default_rng([self._seed, self._recipe.copies])
        size = min(self._recipe.batch_size, len(self._retain.labels))
        while True:
            order = random.permutation(len(self._retain.labels))
            for first in range(0, len(order) - size + 1, size):
                yield self._retain.take(order[first : first + size])


def rounded(state: State, bits: int) -> dict[str, Tensor]:
    """Round the weights of every layer to 2^bits - 1 levels, symmetric about 0, with a scale for each output channel.

    Biases and buffers, which have one dimension, stay as they are.
    """
    levels = 2 ** (bits - 1) - 1
    return {name: _rounded(value, levels) if _is_weight(value) else value for name, value in state.items()}


def _is_weight(value: Tensor) -> bool:
    return value.is_floating_point() and value.ndim > 1 and value.numel() > 0


def _rounded(value: Tensor, levels: int) -> Tensor:
    rows = value.double().reshape(len(value), -1)
    scale = rows.abs().amax(dim=1, keepdim=True) / levels
    near = torch.round(rows / torch.where(scale > 0, scale, torch.ones_like(scale))) * scale
    return near.clamp(-FLOAT32_MAX, FLOAT32_MAX).reshape(value.shape).to(value.dtype)


def _moved(images: Tensor, down: int, right: int) -> Tensor:
    """Move images [n, channels, height, width], or flat square ones; pixels at the edge fill what is left free."""
    if images.ndim == 2:
        side = math.isqrt(images.shape[1])
        return _moved(images.reshape(-1, 1, side, side), down, right).reshape(images.shape)
    height, width = images.shape[2:]
    rows = torch.arange(height).sub(down).clamp(0, height - 1)
    columns = torch.arange(width).sub(right).clamp(0, width - 1)
    return images[:, :, rows][:, :, :, columns]


def _stacked(rows: Sequence[Arrays], prefix: str) -> Arrays:
    return {prefix + name: np.stack([row[name] for row in rows]) for name in rows[0]}
