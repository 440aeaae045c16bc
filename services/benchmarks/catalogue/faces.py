"""Benchmarks on synthetic faces, which a build draws; models must tell the age group from an image."""

from services.benchmarks.definitions import Definition, Faces, Fractions, Placebo
from services.benchmarks.recipes import Recipe
from services.benchmarks.scenarios import Class, Subjects

__all__ = ["FACES"]

FACES = (
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
        seeds=512,
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
