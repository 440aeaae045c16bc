"""Race oracle training against two loops that train one model at a time: `python -m benches.oracle_speed`.

All three train the nets of several benchmarks by the same recipe on the same retain set. The first loop is written as
in the 2023 evaluation, with a DataLoader over single examples; the second is tuned, over tensors, with one thread. All
three must reach the same accuracy on the test set. If the machine has a GPU, all three train there.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from services.benchmarks.architecture import Architecture
from services.benchmarks.catalogue import find_definition
from services.benchmarks.cutting import cut
from services.benchmarks.definitions import Definition
from services.benchmarks.examples import Splits
from services.benchmarks.farm import Farm, Job, models_beside
from services.benchmarks.recipes import Recipe
from services.benchmarks.training import Stacked, stacked_logits
from services.benchmarks.training.steps import learning_rates

RACES = {"digits": (512, 6), "synthetic-faces": (8, 2), "faces-resnet18": (4, 2)}  # models of ours, and of each loop
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
Loop = Callable[[Recipe, nn.Module, Tensor, Tensor], None]


def main() -> None:
    """Print a table for each benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--benchmark",
        choices=list(RACES),
        action="append",
        help="benchmark whose net is trained; repeatable; default: all",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        for name in options.benchmark or list(RACES):
            _race(find_definition(name), Path(cache), *RACES[name])


def _race(definition: Definition, cache: Path, models: int, loop_models: int) -> None:
    whole = cut(definition, definition.read(None, cache=cache))
    splits = whole.splits
    build = Architecture(definition.architecture, tuple(splits.retain.images.shape[1:]), whole.classes)
    images, labels = splits.retain.inputs(slice(None)).to(DEVICE), torch.from_numpy(splits.retain.labels).to(DEVICE)
    cores = os.cpu_count() or 1
    print(f"\n{definition.name}: {definition.architecture}, {len(splits.retain)} images, {DEVICE}")
    print("                               threads  models   ms/model   accuracy   ours is faster")
    recipe = definition.recipe
    assert isinstance(recipe, Recipe)
    results = []
    for title, loop, threads in (
        ("DataLoader loop, as in 2023", _loader_loop, cores),
        ("tuned loop, one thread", _tensor_loop, 1),
    ):
        torch.set_num_threads(threads)
        _each(recipe, build, range(1000, 1001), images, labels, loop)  # the first call imports and compiles
        start = time.perf_counter()
        trained = _each(recipe, build, range(loop_models), images, labels, loop)
        spent = (time.perf_counter() - start) / loop_models
        results.append((title, threads, loop_models, spent, _accuracy(build, trained, splits)))
    spent, accuracy = _ours(recipe, build, splits, models)
    results.append(("on all cores (ours)", cores, models, spent, accuracy))
    for title, threads, count, seconds, reached in results:
        ratio = f"{seconds / spent:.1f} x" if seconds is not spent else ""
        print(f"{title:30} {threads:7d} {count:7d} {1e3 * seconds:10.1f} {reached:10.2%}   {ratio:>14}")


def _ours(recipe: Recipe, build: Architecture, splits: Splits, models: int) -> tuple[float, float]:
    """Train and measure as a build does; return seconds a model, and accuracy. Processes start before the clock."""
    job = Job(recipe, keep_models=True)
    with tempfile.TemporaryDirectory() as store, Farm(build, splits, Path(store)) as farm:
        farm.run(job, range(10_000, 10_000 + 65 * (os.cpu_count() or 1) if build.is_linear_algebra() else 10_004))
        start = time.perf_counter()
        files = farm.run(job, range(models))
        spent = (time.perf_counter() - start) / models
        parts = [load_file(models_beside(file)) for file in files]
    trained = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return spent, _accuracy(build, trained, splits)


def _accuracy(build: Architecture, models: Stacked, splits: Splits) -> float:
    found = stacked_logits(build, models, splits.test).argmax(dim=2).numpy()
    return float(np.mean(found == splits.test.labels))


def _each(  # noqa: PLR0917
    recipe: Recipe, build: Architecture, seeds: range, images: Tensor, labels: Tensor, loop: Loop
) -> Stacked:
    states = []
    for seed in seeds:
        torch.manual_seed(seed)
        net = build().to(DEVICE)
        loop(recipe, net, images, labels)
        states.append({name: value.detach().cpu() for name, value in net.state_dict().items()})
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def _optimizer(recipe: Recipe, net: nn.Module, *, foreach: bool | None = None) -> torch.optim.Optimizer:
    if recipe.optimizer == "adam":
        return torch.optim.Adam(
            net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, foreach=foreach
        )
    return torch.optim.SGD(
        net.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        foreach=foreach,
    )


def _loader_loop(recipe: Recipe, net: nn.Module, images: Tensor, labels: Tensor) -> None:
    loader = DataLoader(TensorDataset(images.cpu(), labels.cpu()), batch_size=recipe.batch_size, shuffle=True)
    optimizer = _optimizer(recipe, net)
    criterion = nn.CrossEntropyLoss()
    net.train()
    for rate in learning_rates(recipe):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(net(inputs.to(DEVICE)), targets.to(DEVICE))
            loss.backward()
            optimizer.step()


def _tensor_loop(recipe: Recipe, net: nn.Module, images: Tensor, labels: Tensor) -> None:
    optimizer = _optimizer(recipe, net, foreach=True)
    net.train()
    for rate in learning_rates(recipe):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for batch in torch.randperm(len(labels)).split(recipe.batch_size):
            optimizer.zero_grad(set_to_none=True)
            cross_entropy(net(images[batch]), labels[batch]).backward()
            optimizer.step()


if __name__ == "__main__":
    main()
