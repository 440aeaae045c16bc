"""Benchmarks on published images, each with its published split: CASIA-SURF, MNIST, CIFAR-10 and CIFAR-100."""

from services.benchmarks.definitions import Definition, Placebo
from services.benchmarks.recipes import RECIPE_2023, Recipe
from services.benchmarks.scenarios import Class, Random, Subclass, Subjects

__all__ = ["IMAGES"]

_CIFAR = Recipe(epochs=20, batch_size=128, learning_rate=0.1, momentum=0.9, weight_decay=5e-4, schedule="cosine")
_ONE_EPOCH = Recipe(epochs=1, batch_size=64, learning_rate=0.01, momentum=0.0)

IMAGES = (
    Definition(
        name="casia-surf",
        title="Age groups of faces, as in 2023",
        dataset="casia-surf",
        architecture="resnet18",
        recipe=RECIPE_2023,
        scenario=Subjects(15, published=True),
        placebo=Placebo(Recipe(epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=5e-4), models=64),
        split="published",
    ),
    Definition(
        name="mnist",
        title="MNIST",
        dataset="mnist",
        architecture="convnet",
        recipe=Recipe(epochs=10, batch_size=128, learning_rate=1e-3, optimizer="adam"),
        scenario=Random(500, wrong=100),
        placebo=Placebo(_ONE_EPOCH, models=64),
        split="published",
        standardise=True,
    ),
    Definition(
        name="cifar10-random",
        title="CIFAR-10: a random tenth",
        dataset="cifar10",
        architecture="resnet18",
        recipe=_CIFAR,
        scenario=Random(0.1),  # as in the starting kit of 2023
        placebo=Placebo(_ONE_EPOCH, models=64),
        split="published",
        standardise=True,
    ),
    Definition(
        name="cifar10-class",
        title="CIFAR-10: one class",
        dataset="cifar10",
        architecture="resnet18",
        recipe=_CIFAR,
        scenario=Class(0),
        placebo=Placebo(_ONE_EPOCH, models=64),
        split="published",
        standardise=True,
    ),
    Definition(
        name="cifar100-random",
        title="CIFAR-100: a random tenth",
        dataset="cifar100",
        architecture="resnet18",
        recipe=_CIFAR,
        scenario=Random(0.1),
        placebo=Placebo(_ONE_EPOCH, models=64),
        split="published",
        standardise=True,
    ),
    Definition(
        name="cifar100-class",
        title="CIFAR-100: one class",
        dataset="cifar100",
        architecture="resnet18",
        recipe=_CIFAR,
        scenario=Class(0),
        placebo=Placebo(_ONE_EPOCH, models=64),
        split="published",
        standardise=True,
    ),
    Definition(
        name="cifar100-subclass",
        title="CIFAR-100: one subclass",
        dataset="cifar100",
        architecture="resnet18",
        recipe=_CIFAR,
        scenario=Subclass(69),  # rocket
        placebo=Placebo(_ONE_EPOCH, models=64),
        split="published",
        standardise=True,
    ),
)
