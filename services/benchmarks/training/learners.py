"""Models in training, all by the same steps: one net, or many in lockstep, stacked along a leading axis."""

import structlog
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from services.benchmarks.examples import Examples
from services.benchmarks.recipes import Recipe
from services.benchmarks.training.models import Build, Stacked, count_of, one_of, skeleton
from services.benchmarks.training.recorded import Recorded
from services.benchmarks.training.steps import class_weights, make_optimizer
from services.benchmarks.training.unfolding import unfold_convolutions

__all__ = ["Alone", "Learner", "Lockstep", "UnfoldedLockstep"]

log = structlog.get_logger()


class Learner:
    """Models in training on the device where they lie."""

    def __init__(self, build: Build, models: Stacked, examples: Examples, recipe: Recipe) -> None:
        self.recipe = recipe
        self.device = next(iter(models.values())).device
        self.template = skeleton(build).train()
        self.count = len(examples)
        self.shown = examples.on(self.device)
        labels = torch.from_numpy(examples.labels)
        classes = 1 + int(labels.max())
        self.weights = class_weights(recipe, labels, classes).to(self.device)
        self.labels = labels.to(self.device)
        self.parameters = self.take(models)
        self.optimizer = make_optimizer(recipe, self.parameters)

    def take(self, models: Stacked) -> list[Tensor]:
        """Load the models; return the parameters for the optimizer."""
        raise NotImplementedError

    def loss(self, batch: Tensor) -> Tensor:
        """Add up the models' losses on a batch of indexes [models, batch]; models share no parameters."""
        raise NotImplementedError

    def state(self) -> Stacked:
        """Return the current models."""
        raise NotImplementedError

    def step(self, batch: Tensor) -> None:
        """Change the models by one batch of indexes [models, batch]."""
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(batch).backward()
        self.optimizer.step()

    @property
    def recorded(self) -> bool:
        """Tell whether steps are replayed as a CUDA graph."""
        return False

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs, labels and the weight of each example in its model's loss."""
        labels = self.labels[chosen]
        weights = self.weights[labels]
        shares = weights / weights.sum(dim=-1, keepdim=True)
        return self.shown.inputs(chosen), labels, shares


class Lockstep(Learner):
    """All models in one call of each layer: vmap makes products batched, and convolutions grouped.

    On CUDA the gradients of a whole batch are recorded once as a graph and then replayed.
    """

    _recording: Recorded | None = None
    _refused = False

    def take(self, models: Stacked) -> list[Tensor]:
        learned = {name for name, _ in self.template.named_parameters()}
        self.models = {name: value.requires_grad_(name in learned) for name, value in models.items()}
        self.buffers = [value for name, value in self.models.items() if name not in learned]
        return [value for name, value in self.models.items() if name in learned]

    def loss(self, batch: Tensor) -> Tensor:
        inputs, labels, shares = self.batch(batch)
        return _cross_entropy(vmap(self._forward)(self.models, inputs), labels, shares)

    def step(self, batch: Tensor) -> None:
        if self.device.type == "cuda" and batch.shape[1] == self.recipe.batch_size and not self._refused:
            self._record(batch)
        if self._recording is None or batch.shape != self._recording.shape:
            super().step(batch)
            return
        self._recording.replay(batch)
        self.optimizer.step()

    @property
    def recorded(self) -> bool:
        return self._recording is not None

    def _record(self, batch: Tensor) -> None:
        """Record a step once, or note that the device cannot; its kernels are then started one by one."""
        if self._recording is not None:
            return
        try:
            self._recording = Recorded(self.loss, batch, self.parameters, self.buffers)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self._refused = True
            log.warning("step_not_recorded", error=str(error).splitlines()[:1])

    def _forward(self, state: Stacked, inputs: Tensor) -> Tensor:
        logits: Tensor = functional_call(self.template, state, (inputs,))
        return logits

    def state(self) -> Stacked:
        return {name: value.detach().clone() for name, value in self.models.items()}


class UnfoldedLockstep(Lockstep):
    """Models in lockstep whose convolutions are batched matrix products, too."""

    def take(self, models: Stacked) -> list[Tensor]:
        unfold_convolutions(self.template)
        return super().take(models)


class Alone(Learner):
    """One model."""

    def take(self, models: Stacked) -> list[Tensor]:
        assert count_of(models) == 1
        self.template.load_state_dict(one_of(models, 0), assign=True)
        return list(self.template.parameters())

    def loss(self, batch: Tensor) -> Tensor:
        inputs, labels, shares = self.batch(batch[0])
        return _cross_entropy(self.template(inputs), labels, shares)

    def state(self) -> Stacked:
        return {name: value.detach().clone()[None] for name, value in self.template.state_dict().items()}


def _cross_entropy(logits: Tensor, labels: Tensor, shares: Tensor) -> Tensor:
    """Add up share * cross-entropy. torch's function takes 6 times as long on many rows with few classes."""
    own = logits.gather(-1, labels[..., None])[..., 0]
    return ((torch.logsumexp(logits, dim=-1) - own) * shares).sum()
