"""Many models at once equal one model at a time."""

import pytest
import torch
from torch import nn

from services.benchmarks.architectures import mlp
from services.benchmarks.lockstep import Stacked, initialise, repeat, stacked_logits, train
from services.benchmarks.recipes import Recipe

RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.1, momentum=0.9, weight_decay=1e-3)
IMAGES = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
LABELS = torch.randint(0, 10, (50,), generator=torch.Generator().manual_seed(1))


def train_one_at_a_time(seed: int) -> nn.Module:
    """The plain loop, with torch's own optimizer."""
    torch.manual_seed(seed)
    model = mlp.build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    order = torch.Generator().manual_seed(seed)
    for _ in range(RECIPE.epochs):
        for batch in torch.split(torch.randperm(50, generator=order), 16):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(IMAGES[batch]), LABELS[batch]).backward()
            optimizer.step()
    return model


def train_together(seeds: list[int]) -> Stacked:
    start = initialise(mlp.build, seeds)
    return train(mlp.build, start, images=IMAGES, labels=LABELS, seeds=seeds, recipe=RECIPE)


@pytest.mark.parametrize("index", [0, 4, 69])
def test_model_trained_in_lockstep_equals_the_plain_loop(index: int) -> None:
    seeds = list(range(100, 170))
    together = train_together(seeds)
    alone = train_one_at_a_time(seeds[index])
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(together[name][index], value, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        logits = stacked_logits(mlp.build, together, IMAGES)[index]
        torch.testing.assert_close(logits, alone(IMAGES), rtol=1e-3, atol=1e-4)


def test_model_depends_on_its_own_seed_alone() -> None:
    few, many = train_together([7, 8]), train_together([*range(20, 90), 7])
    for name in few:
        torch.testing.assert_close(few[name][0], many[name][70], rtol=1e-4, atol=1e-5)


def test_initialise_is_torchs_own_and_leaves_its_generator_alone() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    stacked = initialise(mlp.build, [11])
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(11)
    for name, value in mlp.build().state_dict().items():
        assert torch.equal(stacked[name][0], value)


def test_train_leaves_its_start_alone() -> None:
    start = repeat(mlp.build().state_dict(), 3)
    copy = {name: value.clone() for name, value in start.items()}
    train(mlp.build, start, images=IMAGES, labels=LABELS, seeds=[1, 2, 3], recipe=RECIPE)
    assert all(torch.equal(start[name], copy[name]) for name in start)
