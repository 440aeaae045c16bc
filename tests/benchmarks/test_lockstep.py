"""Lockstep of convolutional nets, as a GPU trains them: its steps are those of one model after another."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from torch import Tensor, nn
from torch.func import functional_call, vmap

from services.benchmarks.architecture import ARCHITECTURES, Architecture
from services.benchmarks.catalogue import find_definition
from services.benchmarks.cutting import cut
from services.benchmarks.examples import Examples, Pixels, Splits
from services.benchmarks.farm import Farm, Job, models_beside
from services.benchmarks.recipes import Recipe
from services.benchmarks.training import Stacked, Way, initialise, train
from services.benchmarks.training.recorded import Recorded
from services.benchmarks.training.steps import learning_rates, orders
from services.benchmarks.training.train import evenly, in_groups
from services.benchmarks.training.unfolding import unfold_convolutions
from tests.definitions import recipe_of

LOCKSTEP = [Way.GROUPED, Way.UNFOLDED]
SMALL = Architecture("resnet_small", (3, 8, 8), 4)
SGD = Recipe(epochs=2, batch_size=8, learning_rate=0.01, momentum=0.9, weight_decay=1e-3)
ADAM = replace(SGD, optimizer="adam", learning_rate=1e-3, schedule="cosine", class_weights="inverse-count")


def photos(count: int, side: int, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    pixels = Pixels(scale=(0.02, 0.01, 0.015), shift=(-2.5, -1.0, -2.0))
    return Examples(rng.integers(0, 256, (count, 3, side, side), np.uint8), rng.integers(0, 4, count), pixels=pixels)


def trained(build: Architecture, examples: Examples, seeds: list[int], recipe: Recipe, way: Way | None) -> Stacked:
    start = initialise(build, seeds)
    return train(build, start, examples=examples, seeds=seeds, recipe=recipe, way=way, validation=photos(6, 8, 9))


def assert_close(found: Stacked, expected: Stacked, *, tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        torch.testing.assert_close(found[name], value, rtol=tolerance, atol=tolerance)


def distance(one: Stacked, other: Stacked) -> float:
    learned = [name for name, _ in SMALL().named_parameters()]
    return sum(float((one[name] - other[name]).square().sum()) for name in learned) ** 0.5


@settings(max_examples=8, deadline=None)
@given(
    way=st.sampled_from(LOCKSTEP),
    recipe=st.sampled_from([SGD, ADAM, replace(SGD, weights="best-validation")]),
    count=st.integers(9, 26),
    seeds=st.lists(st.integers(0, 1000), min_size=1, max_size=4, unique=True),
)
def test_a_small_resnet_in_lockstep_equals_the_plain_loop(
    way: Way, recipe: Recipe, count: int, seeds: list[int]
) -> None:
    """Batches of unequal size too, a last single example, and the buffers of the normalisation.

    Adam moves a weight whose gradient is rounding alone as far as any other, so there the whole way is compared.
    """
    examples = photos(count, 8)
    expected = trained(SMALL, examples, seeds, recipe, Way.ALONE)
    found = trained(SMALL, examples, seeds, recipe, way)
    if recipe.optimizer == "sgd":
        assert_close(found, expected, tolerance=1e-4)
    else:
        start = initialise(SMALL, seeds)
        assert distance(found, expected) < 0.02 * distance(expected, start)
        assert torch.equal(found["bn1.num_batches_tracked"], expected["bn1.num_batches_tracked"])


@pytest.mark.parametrize("way", LOCKSTEP)
def test_a_step_of_resnet18_in_lockstep_equals_the_plain_loop(way: Way) -> None:
    build, examples = Architecture("resnet18", (3, 32, 32), 4), photos(8, 32)
    recipe = replace(SGD, epochs=1)
    expected = trained(build, examples, [3, 4], recipe, Way.ALONE)
    assert_close(trained(build, examples, [3, 4], recipe, way), expected, tolerance=1e-3)
    assert expected["bn1.num_batches_tracked"].tolist() == [1, 1]


@settings(max_examples=25, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    bias=st.booleans(),
)
def test_an_unfolded_convolution_is_the_convolution(
    kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], bias: bool
) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 5, kernel, stride, padding, bias=bias).double()
    images = torch.randn(3, 4, 2, 7, 6, dtype=torch.float64, requires_grad=True)
    state = {name: torch.stack([value, 2 * value, value - 1]) for name, value in layer.state_dict().items()}

    def outputs(net: nn.Module) -> Tensor:
        found: Tensor = vmap(lambda own, batch: functional_call(net, own, (batch,)))(state, images)
        return found

    expected = outputs(layer)
    (gradient,) = torch.autograd.grad(expected.square().sum(), images)
    found = outputs(unfold_convolutions(layer))
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found.square().sum(), images)[0], gradient)


def test_grouped_and_dilated_convolutions_stay_what_they_are() -> None:
    layers = [nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, 3, dilation=2), nn.Conv2d(4, 4, 3, padding="same")]
    unfold_convolutions(nn.Sequential(*layers))
    assert {type(layer) for layer in layers} == {nn.Conv2d}


def test_nets_with_attention_or_dropout_are_trained_alone() -> None:
    """A model must depend on its own seed only, and dropout in lockstep would draw for all models at once."""
    stacks = {name for name in ARCHITECTURES if Architecture(name, (3, 32, 32), 10).stacks()}
    assert stacks == set(ARCHITECTURES) - {"vit"}


def test_groups_are_halved_until_they_fit_and_nothing_is_trained_twice() -> None:
    asked, released = [], []

    def work(first: int, last: int) -> Stacked:
        asked.append((first, last))
        if last - first > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return {"models": torch.arange(first, last)}

    done = in_groups(10, 8, work, lambda: released.append(len(asked)))
    assert torch.cat([group["models"] for group in done]).tolist() == list(range(10))
    assert asked[:3] == [(0, 8), (0, 4), (0, 2)]
    assert released == [1, 2]


def test_too_little_memory_for_one_model_is_an_error() -> None:
    def work(first: int, last: int) -> Stacked:
        raise torch.OutOfMemoryError(f"{first} to {last}")

    with pytest.raises(torch.OutOfMemoryError, match="0 to 1"):
        in_groups(5, 4, work)


@given(count=st.integers(1, 1000), most=st.integers(1, 600))
def test_groups_are_few_and_equally_large(count: int, most: int) -> None:
    size = evenly(count, most)
    assert 1 <= size <= most
    assert -(-count // size) == -(-count // most)


def test_a_cpu_trains_digits_bit_for_bit_as_ever() -> None:
    """What is done for a GPU must not change a benchmark that is built on CPUs: the same products in the same order."""
    digits = find_definition("digits")
    whole = cut(digits, digits.read(None, cache=Path()))
    retain, recipe = whole.splits.retain, replace(recipe_of(digits), epochs=2)
    build = Architecture("mlp", tuple(retain.images.shape[1:]), whole.classes)
    seeds = list(range(70))
    found = train(build, initialise(build, seeds), examples=retain, seeds=seeds, recipe=recipe)
    parts = [lockstep_by_hand(build, retain, chunk, recipe) for chunk in (seeds[:64], seeds[64:])]
    expected = {name: torch.cat([part[name] for part in parts]) for name in found}
    assert digest_of(found) == digest_of(expected)


def lockstep_by_hand(build: Architecture, examples: Examples, seeds: list[int], recipe: Recipe) -> Stacked:
    models = {name: value.requires_grad_() for name, value in initialise(build, seeds).items()}
    images, labels = torch.from_numpy(examples.images).float(), torch.from_numpy(examples.labels)
    optimizer = torch.optim.SGD(list(models.values()), lr=recipe.learning_rate, momentum=recipe.momentum, fused=True)
    net = build().train()
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    for _ in learning_rates(recipe):
        for batch in orders(generators, len(labels), recipe):
            optimizer.zero_grad()
            logits = vmap(lambda own, inputs: functional_call(net, own, (inputs,)))(models, images[batch])
            own = logits.gather(-1, labels[batch][..., None])[..., 0]
            shares = torch.ones_like(own) / torch.ones_like(own).sum(dim=-1, keepdim=True)
            ((torch.logsumexp(logits, dim=-1) - own) * shares).sum().backward()
            optimizer.step()
    return {name: value.detach() for name, value in models.items()}


def digest_of(models: Stacked) -> str:
    digest = hashlib.sha256()
    for name in sorted(models):
        digest.update(name.encode() + models[name].numpy().tobytes())
    return digest.hexdigest()


def test_chunks_trained_together_leave_the_files_of_single_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU trains many chunks at once. Machines with and without one share the work, so files must not tell."""
    splits = Splits(photos(20, 8), photos(4, 8, 1), photos(4, 8, 2), photos(6, 8, 3))
    job, seeds = Job(replace(SGD, epochs=1), keep_models=True), [5, 6, 7]
    seen: list[int] = []
    with Farm(SMALL, splits, tmp_path / "alone") as farm:
        alone = farm.run(job, seeds)
    monkeypatch.setattr("services.benchmarks.farm._Shop.together", lambda *_: 2)
    with Farm(SMALL, splits, tmp_path / "together") as farm:
        together = farm.run(job, seeds, seen.append)
    assert [file.name for file in together] == [file.name for file in alone]
    assert seen == [0, 2, 3]
    for own, other in zip(together, alone, strict=True):
        assert load_file(own).keys() == load_file(other).keys()
        for name, value in load_file(models_beside(own)).items():
            np.testing.assert_allclose(value, load_file(models_beside(other))[name], rtol=1e-4, atol=1e-5)


class Graph:
    """Stands in for a CUDA graph where there is no CUDA: replays change nothing."""

    replays = 0

    def replay(self) -> None:
        self.replays += 1


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def graph(_: Any) -> Iterator[None]:
        yield

    class Stream:
        def wait_stream(self, other: Any) -> None: ...

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())


@pytest.mark.usefixtures("no_cuda")
def test_recording_a_step_changes_neither_parameters_nor_buffers() -> None:
    """Steps before the recording would count as batches of the normalisation. The recording itself runs here, once."""
    weight, seen = torch.tensor([2.0], requires_grad=True), torch.zeros(1)

    def loss(batch: Tensor) -> Tensor:
        with torch.no_grad():
            seen.add_(1)
        return (weight * batch.float()).sum()

    recorded = Recorded(loss, torch.tensor([[3, 4]]), [weight], [seen])
    recorded.replay(torch.tensor([[5, 6]]))
    assert (weight.item(), seen.item()) == (2.0, 1.0)
    assert weight.grad is not None and weight.grad.item() == 7.0
    assert recorded._batch.tolist() == [[5, 6]]
