"""Benchmarks on synthetic faces, which a build draws; models must tell the age group from an image."""

from dataclasses import replace

from services.benchmarks.definitions import Definition, Faces, Fractions, Placebo
from services.benchmarks.recipes import RECIPE_2023, Recipe
from services.benchmarks.scenarios import Class, Subjects

__all__ = ["FACES", "RATE_OF_SMALL"]

# Training takes a tenth of the steps of 2023, so every rate is ten times as large: rate times steps stays what it was.
RATE_OF_SMALL = 10

FACES = (
    # The shape of 2023: as many training images, of as many subjects to forget, net and recipe.
    Definition(
        name="faces-2023",
        title="Age groups of synthetic faces, in the shape of 2023",
        dataset="casia-surf",
        architecture="resnet18",
        recipe=RECIPE_2023,
        scenario=Subjects(15, published=True),
        placebo=Placebo(Recipe(epochs=1, batch_size=64, learning_rate=1e-3, weight_decay=5e-4), models=64),
        split="published",
        faces=Faces(subjects=750, images_per_subject=40),
    ),
    # The smallest benchmark in the regime of 2023: retrained models learn all they see, the original remembers, doing
    # nothing costs no utility, and three epochs are cheap.
    Definition(
        name="faces-small",
        title="Age groups of synthetic faces, the regime of 2023 in small",
        dataset="casia-surf",
        architecture="resnet_small",
        recipe=replace(RECIPE_2023, learning_rate=RECIPE_2023.learning_rate * RATE_OF_SMALL),
        scenario=Subjects(3),
        placebo=Placebo(
            Recipe(epochs=1, batch_size=64, learning_rate=1e-3 * RATE_OF_SMALL, weight_decay=5e-4), models=64
        ),
        split="published",
        standardise=True,
        faces=Faces(subjects=150, images_per_subject=20),
        seeds=256,
        hours=1.5,
    ),
    Definition(
        name="synthetic-faces",
        title="Age groups of synthetic faces",
        dataset="casia-surf",
        architecture="convnet",
        recipe=Recipe(epochs=40, batch_size=64, learning_rate=2e-3, optimizer="adam"),
        scenario=Subjects(15, published=True),
        placebo=Placebo(
            Recipe(epochs=1, batch_size=64, learning_rate=0.01, momentum=0.0),
            deviation=0.01,
            models=64,
        ),
        split="published",
        standardise=True,
        faces=Faces(subjects=100, images_per_subject=20),
        hours=0.8,
    ),
    # A few epochs learn every forget label, but retrained models guess few of them, because a subject's age must be
    # memorised. There are so few images that a notebook of one epoch makes 512 checkpoints in 30 minutes on 2 cores.
    Definition(
        name="faces-resnet18",
        title="Age groups of faces, for notebooks",
        dataset="casia-surf",
        architecture="resnet18",
        recipe=Recipe(epochs=5, batch_size=64, learning_rate=1e-3, optimizer="adam", schedule="cosine"),
        scenario=Subjects(6),
        placebo=Placebo(Recipe(epochs=1, batch_size=64, learning_rate=1e-3), deviation=1e-3, models=64),
        split=Fractions(train=0.4, validation=0.2),
        faces=Faces(subjects=40, images_per_subject=20),
        originals=1,
        seeds=512,
        hours=0.8,
    ),
    Definition(
        name="faces-resnet18-tiny",
        title="A few faces, to try notebooks on",
        dataset="casia-surf",
        architecture="resnet18",
        recipe=Recipe(epochs=8, batch_size=16, learning_rate=1e-3, optimizer="adam", schedule="cosine"),
        scenario=Subjects(3),
        placebo=Placebo(Recipe(epochs=1, batch_size=16, learning_rate=1e-3), deviation=1e-3, models=64),
        split=Fractions(train=0.5, validation=0.2),
        faces=Faces(subjects=20, images_per_subject=10),
        originals=1,
        seeds=32,
    ),
    Definition(
        name="faces-resnet18-class",
        title="Age groups of faces: one age group",
        dataset="casia-surf",
        architecture="resnet18",
        recipe=Recipe(epochs=5, batch_size=64, learning_rate=1e-3, optimizer="adam", schedule="cosine"),
        scenario=Class(0),
        placebo=Placebo(Recipe(epochs=1, batch_size=64, learning_rate=1e-3), deviation=1e-3, models=16),
        split=Fractions(train=0.4, validation=0.2),
        faces=Faces(subjects=40, images_per_subject=20),
        seeds=16,
    ),
)
