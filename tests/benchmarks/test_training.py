"""Training means what the recipe says: many models at once, or one by one, equal torch's own loop."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from services.benchmarks.architecture import Architecture
from services.benchmarks.examples import Examples, Pixels
from services.benchmarks.recipes import Recipe
from services.benchmarks.training import Stacked, chunk_size, initialise, perturb, repeat, stacked_logits, train
from services.benchmarks.training.steps import class_weights, learning_rates, orders

SGD = Recipe(epochs=3, batch_size=16, learning_rate=0.1, momentum=0.9, weight_decay=1e-3)
ADAM = Recipe(
    epochs=4,
    batch_size=16,
    learning_rate=3e-3,
    optimizer="adam",
    weight_decay=1e-3,
    schedule="cosine",
    class_weights="inverse-count",
)
RNG = np.random.default_rng(0)
MLP = Architecture("mlp", (64,), 10)
FEATURES = Examples(RNG.normal(size=(50, 64)).astype(np.float32), RNG.integers(0, 10, 50))
CONVNET = Architecture("convnet", (3, 9, 8), 4)
PHOTOS = Examples(
    RNG.integers(0, 256, (38, 3, 9, 8), dtype=np.uint8),
    RNG.integers(0, 4, 38),
    pixels=Pixels(scale=(0.02, 0.01, 0.015), shift=(-2.5, -1.0, -2.0)),
)
SEEDS = list(range(100, 170))


def inputs_by_hand(examples: Examples) -> Tensor:
    images = torch.tensor(examples.images, dtype=torch.float32)
    if examples.pixels is not None:
        for channel, (scale, shift) in enumerate(zip(examples.pixels.scale, examples.pixels.shift, strict=True)):
            images[:, channel] = images[:, channel] * scale + shift
    return images


def torch_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), lr=rate, weight_decay=decay)
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=recipe.momentum, weight_decay=decay)


def epochs_of_torchs_own_loop(
    build: Architecture, examples: Examples, seed: int, recipe: Recipe
) -> list[dict[str, Tensor]]:
    """Train one model with torch's own optimizer, schedule and loss; return its state after each epoch."""
    torch.manual_seed(seed)
    model = build().train()
    images, labels = inputs_by_hand(examples), torch.from_numpy(examples.labels)
    weight = 1 / torch.bincount(labels).clamp(min=1) if recipe.class_weights == "inverse-count" else None
    optimizer = torch_optimizer(recipe, model)
    cosine = recipe.schedule == "cosine"
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=recipe.epochs) if cosine else None
    loss = nn.CrossEntropyLoss(weight=weight)
    order = torch.Generator().manual_seed(seed)
    states = []
    for _ in range(recipe.epochs):
        for batch in torch.split(torch.randperm(len(labels), generator=order), recipe.batch_size):
            optimizer.zero_grad()
            loss(model(images[batch]), labels[batch]).backward()
            optimizer.step()
        if schedule is not None:
            schedule.step()
        states.append({name: value.clone() for name, value in model.state_dict().items()})
    return states


def train_from_seeds(
    build: Architecture, examples: Examples, seeds: list[int], recipe: Recipe, validation: Examples | None = None
) -> Stacked:
    start = initialise(build, seeds)
    return train(build, start, examples=examples, seeds=seeds, recipe=recipe, validation=validation)


def assert_equal(models: Stacked, index: int, state: dict[str, Tensor], *, rtol: float = 1e-4) -> None:
    assert models.keys() == state.keys()
    for name, value in state.items():
        torch.testing.assert_close(models[name][index], value, rtol=rtol, atol=1e-5)


@pytest.mark.parametrize("recipe", [SGD, ADAM], ids=["sgd", "adam"])
def test_models_in_lockstep_equal_torchs_own_loop(recipe: Recipe) -> None:
    """Seventy models fill more than one chunk."""
    together = train_from_seeds(MLP, FEATURES, SEEDS, recipe)
    assert chunk_size(MLP) == 64
    for index in (0, 4, 69):
        assert_equal(together, index, epochs_of_torchs_own_loop(MLP, FEATURES, SEEDS[index], recipe)[-1])


@pytest.mark.parametrize("recipe", [SGD, ADAM], ids=["sgd", "adam"])
def test_convolutional_models_equal_torchs_own_loop(recipe: Recipe) -> None:
    models = train_from_seeds(CONVNET, PHOTOS, [5, 6], recipe)
    assert chunk_size(CONVNET) == 1
    for index, seed in enumerate((5, 6)):
        assert_equal(models, index, epochs_of_torchs_own_loop(CONVNET, PHOTOS, seed, recipe)[-1], rtol=1e-3)


def test_a_step_of_resnet18_equals_torchs_own_with_the_buffers_of_its_normalisation() -> None:
    resnet = Architecture("resnet18", (3, 32, 32), 3)
    examples = Examples(RNG.integers(0, 256, (6, 3, 32, 32), dtype=np.uint8), RNG.integers(0, 3, 6))
    recipe = replace(SGD, epochs=1, batch_size=6, learning_rate=0.01)
    models = train_from_seeds(resnet, examples, [3], recipe)
    state = epochs_of_torchs_own_loop(resnet, examples, 3, recipe)[-1]
    assert_equal(models, 0, state, rtol=1e-3)
    assert models["bn1.num_batches_tracked"].tolist() == [1]
    assert models["bn1.running_mean"][0].abs().max() > 0


def test_a_model_depends_on_its_own_seed_alone() -> None:
    few, many = train_from_seeds(MLP, FEATURES, [7, 8], SGD), train_from_seeds(MLP, FEATURES, [*range(20, 90), 7], SGD)
    assert_equal(many, 70, {name: value[0] for name, value in few.items()})
    alone, beside = (train_from_seeds(CONVNET, PHOTOS, seeds, SGD) for seeds in ([8], [7, 8]))
    assert_equal(beside, 1, {name: value[0] for name, value in alone.items()})


@pytest.mark.parametrize(("build", "examples"), [(MLP, FEATURES), (CONVNET, PHOTOS)], ids=["mlp", "convnet"])
def test_best_validation_keeps_the_first_of_the_best_epochs(build: Architecture, examples: Examples) -> None:
    """A validation set of six examples makes equals; models differ in which epoch is best."""
    few = Examples(examples.images[:6], examples.labels[:6], pixels=examples.pixels)
    recipe = replace(SGD, epochs=6, learning_rate=0.02, weights="best-validation")
    models = train_from_seeds(build, examples, SEEDS[:6], recipe, few)
    images, labels = inputs_by_hand(few), torch.from_numpy(few.labels)
    kept, equals = set(), 0
    for index, seed in enumerate(SEEDS[:6]):
        states = epochs_of_torchs_own_loop(build, examples, seed, recipe)
        correct = []
        for state in states:
            model = build().eval()
            model.load_state_dict(state)
            correct.append(int((model(images).argmax(dim=1) == labels).sum()))
        first = correct.index(max(correct))
        kept.add(first)
        equals += correct.count(max(correct)) > 1
        assert_equal(models, index, states[first], rtol=1e-3)
    assert len(kept) > 1
    assert equals


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 70), size=st.integers(2, 20), models=st.integers(1, 3))
def test_an_epoch_shows_every_example_once_and_none_alone(count: int, size: int, models: int) -> None:
    recipe = replace(SGD, batch_size=size)
    generators = [torch.Generator().manual_seed(seed) for seed in range(models)]
    batches = list(orders(generators, count, recipe))
    sizes = [batch.shape[1] for batch in batches]
    assert all(row.sort().values.tolist() == list(range(count)) for row in torch.cat(batches, dim=1))
    assert sizes[:-1] == [size] * (len(sizes) - 1)
    assert 2 <= sizes[-1] <= size + 1 or count == 1


def test_a_single_leftover_example_joins_the_batch_before() -> None:
    """Batch normalisation cannot learn from a single example of one pixel."""
    resnet = Architecture("resnet18", (3, 16, 16), 2)
    examples = Examples(RNG.integers(0, 256, (5, 3, 16, 16), dtype=np.uint8), np.array([0, 1, 0, 1, 1]))
    four, five = (train_from_seeds(resnet, examples, [1], replace(SGD, epochs=1, batch_size=n)) for n in (4, 5))
    assert four["bn1.num_batches_tracked"].tolist() == [1]
    for name, value in five.items():
        assert torch.equal(four[name], value)


def test_a_class_without_examples_weighs_nothing() -> None:
    weights = class_weights(ADAM, torch.tensor([0, 0, 3, 3, 3, 3]), 5)
    assert weights.tolist() == [0.5, 0.0, 0.0, 0.25, 0.0]
    assert class_weights(SGD, torch.tensor([0, 0, 3]), 5).tolist() == [1.0] * 5


def test_the_cosine_schedule_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7)
    expected = []
    for _ in range(7):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert learning_rates(replace(ADAM, epochs=7, learning_rate=0.2)) == pytest.approx(expected)
    assert learning_rates(replace(SGD, epochs=3)) == [0.1, 0.1, 0.1]


def test_standardised_pixels_have_mean_zero_and_variance_one() -> None:
    """A channel of one value becomes zero."""
    images = np.random.default_rng(4).integers(0, 256, (20, 3, 5, 4), dtype=np.uint8)
    images[:, 2] = 7
    found = Examples(images, np.zeros(20, dtype=np.int64), pixels=Pixels.standardising(images)).inputs(slice(None))
    wide = images.astype(np.float64)
    expected = (wide - wide.mean(axis=(0, 2, 3), keepdims=True)) / wide.std(axis=(0, 2, 3), keepdims=True).clip(min=1)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.numpy().std(axis=(0, 2, 3)), [1, 1, 0], atol=1e-5)


def test_inputs_of_an_index_of_any_shape_are_the_chosen_images() -> None:
    chosen = torch.tensor([[3, 1, 0], [2, 2, 37]])
    found, whole = PHOTOS.inputs(chosen), inputs_by_hand(PHOTOS)
    assert found.shape == (2, 3, 3, 9, 8)
    torch.testing.assert_close(found, whole[chosen])
    torch.testing.assert_close(PHOTOS.inputs(slice(30, 40)), whole[30:])


@pytest.mark.parametrize(("build", "examples"), [(MLP, FEATURES), (CONVNET, PHOTOS)], ids=["mlp", "convnet"])
def test_stacked_logits_are_each_models_own(build: Architecture, examples: Examples) -> None:
    models = initialise(build, [1, 2])
    logits = stacked_logits(build, models, examples)
    for index in range(2):
        model = build().eval()
        model.load_state_dict({name: value[index] for name, value in models.items()})
        torch.testing.assert_close(logits[index], model(inputs_by_hand(examples)), rtol=1e-4, atol=1e-5)


def test_initialise_is_torchs_own_and_leaves_its_generator_alone() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    stacked = initialise(MLP, [11])
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(11)
    for name, value in MLP().state_dict().items():
        assert torch.equal(stacked[name][0], value)


@pytest.mark.parametrize(("build", "examples"), [(MLP, FEATURES), (CONVNET, PHOTOS)], ids=["mlp", "convnet"])
def test_train_leaves_its_start_alone(build: Architecture, examples: Examples) -> None:
    start = repeat(build().state_dict(), 3)
    copy = {name: value.clone() for name, value in start.items()}
    train(build, start, examples=examples, seeds=[1, 2, 3], recipe=replace(SGD, epochs=1))
    assert all(torch.equal(start[name], copy[name]) for name in start)


def test_noise_is_each_models_own_and_spares_buffers() -> None:
    resnet = Architecture("resnet18", (3, 32, 32), 10)
    model = resnet()
    models = repeat(model.state_dict(), 2)
    names = [name for name, _ in model.named_parameters()]
    noisy = perturb(models, parameters=names, deviation=0.5, seeds=[1, 2])
    again = perturb(models, parameters=names, deviation=0.5, seeds=[2])
    noise = (noisy["layer4.0.conv2.weight"] - models["layer4.0.conv2.weight"]).flatten(1)
    assert noise.mean(dim=1).abs().max() < 0.01
    torch.testing.assert_close(noise.std(dim=1), torch.tensor([0.5, 0.5]), rtol=0.01, atol=0)
    assert torch.equal(noisy["fc.weight"][1], again["fc.weight"][0])
    assert not torch.equal(noisy["fc.weight"][0], noisy["fc.weight"][1])
    assert torch.equal(noisy["bn1.running_var"], models["bn1.running_var"])
