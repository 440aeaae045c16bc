"""Race lockstep training against two loops that train one model at a time: `python -m benches.oracle_speed`.

The same recipe on the same retain set: the net of the digits benchmark. The first loop is written as the 2023
evaluation wrote it, with a DataLoader over single examples; the second is tuned, over tensors, with one thread. All
three must reach the same accuracy on the test set.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from services.benchmarks.build import cut
from services.benchmarks.definitions import DEFINITIONS, Definition
from services.benchmarks.farm import Job, train_from_scratch
from services.benchmarks.lockstep import stacked_logits

Train = Callable[[list[int]], dict[str, Tensor]]  # seeds -> stacked models


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=512, help="models in lockstep")
    parser.add_argument("--loop-models", type=int, default=6, help="models of each loop")
    options = parser.parse_args()
    definition = DEFINITIONS["digits"]
    _, splits = cut(definition)
    images, labels = (torch.from_numpy(splits["retain"][part]) for part in ("image", "label"))
    test_images, test_labels = (splits["test"][part] for part in ("image", "label"))
    cores = os.cpu_count() or 1
    sides: list[tuple[str, Train, int, int]] = [
        (
            "DataLoader loop, as in 2023",
            lambda seeds: _each(definition, seeds, images, labels, _loader_loop),
            cores,
            options.loop_models,
        ),
        (
            "tuned loop, one thread",
            lambda seeds: _each(definition, seeds, images, labels, _tensor_loop),
            1,
            options.loop_models,
        ),
        (
            "lockstep on all cores (ours)",
            lambda seeds: _lockstep(definition, seeds, images, labels),
            cores,
            options.models,
        ),
    ]
    print("                               threads  models   ms/model   accuracy   ours is faster")
    results = []
    for name, run, threads, count in sides:
        torch.set_num_threads(threads)
        run([10_000])  # the first call imports and compiles
        start = time.perf_counter()
        models = run(list(range(count)))
        milliseconds = (time.perf_counter() - start) * 1e3 / count
        logits = stacked_logits(definition.build, models, torch.from_numpy(test_images)).numpy()
        accuracy = float(np.mean(logits.argmax(axis=2) == test_labels))
        results.append((name, threads, count, milliseconds, accuracy))
    ours = results[-1][3]
    for name, threads, count, milliseconds, accuracy in results:
        ratio = "" if name == results[-1][0] else f"{milliseconds / ours:.1f} x"
        print(f"{name:30} {threads:7d} {count:7d} {milliseconds:10.1f} {accuracy:10.2%}   {ratio:>14}")


def _lockstep(definition: Definition, seeds: list[int], images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    job = Job(definition.build, images.numpy(), labels.numpy(), definition.recipe)
    with tempfile.TemporaryDirectory() as store:
        return train_from_scratch(job, seeds, store=Path(store))


def _each(
    definition: Definition,
    seeds: list[int],
    images: Tensor,
    labels: Tensor,
    loop: Callable[[Definition, nn.Module, Tensor, Tensor], None],
) -> dict[str, Tensor]:
    states = []
    for seed in seeds:
        torch.manual_seed(seed)
        net = definition.build()
        loop(definition, net, images, labels)
        states.append({name: value.detach() for name, value in net.state_dict().items()})
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def _loader_loop(definition: Definition, net: nn.Module, images: Tensor, labels: Tensor) -> None:
    recipe = definition.recipe
    loader = DataLoader(TensorDataset(images, labels), batch_size=recipe.batch_size, shuffle=True)
    optimizer = torch.optim.SGD(
        net.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    criterion = nn.CrossEntropyLoss()
    net.train()
    for _ in range(recipe.epochs):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(net(inputs), targets)
            loss.backward()
            optimizer.step()


def _tensor_loop(definition: Definition, net: nn.Module, images: Tensor, labels: Tensor) -> None:
    recipe = definition.recipe
    optimizer = torch.optim.SGD(
        net.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        foreach=True,
    )
    for _ in range(recipe.epochs):
        for batch in torch.randperm(len(labels)).split(recipe.batch_size):
            optimizer.zero_grad(set_to_none=True)
            cross_entropy(net(images[batch]), labels[batch]).backward()
            optimizer.step()


if __name__ == "__main__":
    main()
