"""What people, and torch, do to the loaders, datasets and batches that a submission gets."""

import copy
import io
import itertools
import pickle  # noqa: TID251 - what a DataLoader does to a dataset and its batches
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten
from torch.utils.data import ConcatDataset, DataLoader, Subset, WeightedRandomSampler, default_collate, random_split
from torch.utils.data._utils.collate import default_convert

from services.worker.runner.loaders import Batch, ExampleSet, Loader

COUNT = 150


def example_set(count: int = COUNT) -> ExampleSet:
    """Make images whose pixels tell their position."""
    return ExampleSet(torch.arange(count * 4).float().view(count, 4), torch.arange(count) % 10)


def assert_same(one: Any, other: Batch) -> None:
    """Compare in both dialects: as a pair, and by name."""
    images, labels = one
    torch.testing.assert_close((images, labels), tuple(other), rtol=0, atol=0)
    assert dict(one).keys() == {"image", "age_group"}
    assert one["image"] is images
    assert one["age_group"] is labels


def saved(batch: Batch) -> Any:
    file = io.BytesIO()
    torch.save(batch, file)
    file.seek(0)
    return torch.load(file, weights_only=False)  # noqa: TID251 - our own bytes


def flattened(batch: Batch) -> Any:
    leaves, structure = tree_flatten(batch)
    assert len(leaves) == 2
    return tree_unflatten(leaves, structure)


DEEDS: dict[str, Callable[[Batch], Any]] = {
    "pickle": lambda batch: pickle.loads(pickle.dumps(batch)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "save": saved,
    "collate": lambda batch: Batch(*(value.flatten(0, 1) for value in default_collate([batch]))),
    "convert": default_convert,
    "pytree": flattened,
    "by name": lambda batch: Batch(**batch),
    "replace": lambda batch: batch._replace(image=batch.image),
    "device": lambda batch: batch.to("cpu"),
}


@pytest.mark.parametrize("deed", DEEDS)
@given(count=st.integers(0, 5), shape=st.lists(st.integers(1, 3), min_size=1, max_size=3), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_a_batch_is_the_same_after_what_torch_and_people_do_to_it(
    deed: str, count: int, shape: list[int], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    batch = Batch(torch.rand(count, *shape, generator=generator), torch.randint(10, (count,), generator=generator))

    assert_same(DEEDS[deed](batch), batch)


@given(
    count=st.integers(1, 12),
    batch_size=st.integers(1, 5),
    drop_last=st.booleans(),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=30, deadline=None)
def test_a_plain_loader_collates_what_slicing_gives(count: int, batch_size: int, drop_last: bool, order: Any) -> None:
    examples, indexes = example_set(count), list(range(count))
    order.shuffle(indexes)
    found = list(DataLoader(examples, batch_size, sampler=indexes, drop_last=drop_last))
    expected = [examples[indexes[first : first + batch_size]] for first in range(0, count, batch_size)]
    if drop_last:
        expected = [batch for batch in expected if len(batch.image) == batch_size]

    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_give_the_batches_that_a_loop_without_them_gives(method: str) -> None:
    loader = DataLoader(
        example_set(), 64, num_workers=2, persistent_workers=True, multiprocessing_context=method, timeout=120
    )
    for _ in range(2):
        for one, other in zip(loader, DataLoader(example_set(), 64), strict=True):
            assert_same(one, other)


def test_batches_are_read_by_name_like_a_dictionary() -> None:
    batch = example_set()[:3]

    assert ("image" in batch, "age_group" in batch, "label" in batch) == (True, True, False)
    assert batch.get("image") is batch.image
    assert (batch.get("label"), batch.get("label", 5)) == (None, 5)
    assert list(batch.keys()) == ["image", "age_group"]
    assert [name for name, _ in batch.items()] == ["image", "age_group"]
    assert all(one is other for one, other in zip(batch.values(), batch, strict=True))
    assert (len(batch), batch[0] is batch.image, batch[-1] is batch.age_group) == (2, True, True)
    with pytest.raises(KeyError, match="label: batches have image, age_group"):
        batch["label"]
    with pytest.raises(TypeError, match=r"dict\(batch\)"):
        batch["image"] = torch.zeros(3)


@pytest.mark.parametrize("index", [-1, np.int64(149), np.int32(-1), torch.tensor(149)])
def test_one_example_is_found_by_any_integer(index: Any) -> None:
    image, label = example_set()[index]

    assert (image.tolist(), label.item()) == ([596, 597, 598, 599], 9)


@pytest.mark.parametrize("index", [slice(2, 9, 3), [2, 5, 8], np.array([2, 5, 8]), torch.tensor([2, 5, 8])])
def test_several_examples_are_a_batch(index: Any) -> None:
    assert_same(
        example_set()[index], Batch(torch.stack([example_set()[i].image for i in (2, 5, 8)]), torch.tensor([2, 5, 8]))
    )


def test_a_dataset_ends_and_names_its_targets() -> None:
    examples = example_set()
    with pytest.raises(IndexError):
        examples[COUNT]
    assert len(list(examples)) == len(examples) == COUNT  # type: ignore[call-overload]
    assert examples.targets.tolist() == [i % 10 for i in range(COUNT)]


def labels_of(batches: Any) -> list[int]:
    return [int(label) for _, labels in batches for label in labels]


def weighted(examples: ExampleSet) -> DataLoader[Any]:
    weights = (examples.targets == 3).double()
    return DataLoader(examples, 8, sampler=WeightedRandomSampler(weights.tolist(), 20))


READINGS: dict[str, tuple[Callable[[ExampleSet], Any], Callable[[list[int]], bool]]] = {
    "subset": (lambda d: DataLoader(Subset(d, [3, 13, 23]), 2), lambda found: found == [3, 3, 3]),
    "concatenation": (lambda d: DataLoader(ConcatDataset([d, d]), 64), lambda found: len(found) == 2 * COUNT),
    "random split": (lambda d: DataLoader(random_split(d, [100, 50])[1], 7), lambda found: len(found) == 50),
    "weights": (weighted, lambda found: found == [3] * 20),
    "pinned": (lambda d: DataLoader(d, 64, pin_memory=True), lambda found: len(found) == COUNT),
    "without batches": (
        lambda d: ((image[None], label[None]) for image, label in DataLoader(d, batch_size=None)),
        lambda found: len(found) == COUNT,
    ),
    "last one dropped": (lambda d: DataLoader(d, 64, drop_last=True), lambda found: len(found) == 128),
    "sent elsewhere": (lambda d: DataLoader(pickle.loads(pickle.dumps(d)), 64), lambda found: len(found) == COUNT),
    "copied": (lambda d: DataLoader(copy.deepcopy(d), 64), lambda found: len(found) == COUNT),
    "copied loader": (lambda d: copy.deepcopy(Loader(d, shuffle=True)), lambda found: len(found) == COUNT),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.filterwarnings("ignore:'pin_memory' argument is set as true but no accelerator")
def test_a_dataset_feeds_whatever_torch_builds_on_it(reading: str) -> None:
    build, expected = READINGS[reading]

    assert expected(labels_of(build(example_set())))


def test_a_loader_is_read_again_and_by_two_at_once() -> None:
    loader = Loader(example_set(), shuffle=True)

    def images(batches: Any) -> Tensor:
        return torch.cat([batch["image"] for batch in batches])

    first, second = images(loader), images(loader)
    assert not torch.equal(first, second)
    assert torch.equal(first.sort(dim=0).values, second.sort(dim=0).values)
    pairs = list(zip(loader, loader, strict=True))
    assert len(pairs) == len(loader) == 3
    assert len(images(batch for batch, _ in pairs)) == COUNT
    cycled = list(itertools.islice(itertools.cycle(loader), 4))
    assert_same(cycled[3], cycled[0])


def test_what_people_hang_on_a_dataset_travels_with_it() -> None:
    examples = example_set()
    examples.transform = None  # type: ignore[attr-defined]

    assert vars(pickle.loads(pickle.dumps(examples))).keys() == {"images", "labels", "transform"}
