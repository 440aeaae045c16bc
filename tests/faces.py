"""A benchmark for notebooks, small enough to be made in seconds: few faces, and ResNets that saw them once."""

from pathlib import Path

import numpy as np

from services.benchmarks.build import build_benchmark
from services.benchmarks.definitions import Definition, Faces, Fractions, Placebo
from services.benchmarks.order import Order
from services.benchmarks.recipes import Recipe
from services.benchmarks.scenarios import Subjects
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST, Manifest

SEEDS = 4
ONE_EPOCH = Recipe(epochs=1, batch_size=8, learning_rate=1e-3, optimizer="adam")


def make_faces_bundle(root: Path) -> Bundle:
    """Build it, and call it fit: with so few models nothing can be told."""
    faces = Faces(subjects=20, images_per_subject=3)
    definition = Definition(
        name="faces-test",
        title="Faces",
        dataset="casia-surf",
        architecture="resnet18",
        recipe=ONE_EPOCH,
        scenario=Subjects(3),
        placebo=Placebo(ONE_EPOCH, models=1, starts=1),
        split=Fractions(train=0.5, validation=0.2),
        faces=faces,
    )
    order = Order(
        definition=definition,
        dataset=definition.read(None, cache=root.parent / "datasets"),
        seeds=SEEDS,
        quality=lambda mine, theirs, labels: float(np.isfinite(mine).all()),
        secret=b"s" * 32,
    )
    manifest = build_benchmark(order, root).manifest.model_dump()
    manifest["fitness"]["problems"] = ()
    (root / MANIFEST).write_bytes(Manifest.model_validate(manifest).to_bytes())
    return Bundle(root)


def notebook(*cells: str) -> bytes:
    """Write a notebook of these code cells, with an output of an earlier run in each."""
    import json

    old = {"output_type": "stream", "name": "stdout", "text": ["an old output"]}
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {},
                    "execution_count": 7,
                    "outputs": [old],
                    "source": source,
                }
                for number, source in enumerate(cells)
            ],
        }
    ).encode()


READ = """
import os, subprocess
import pandas as pd, torch, torchvision
from torchvision.models import resnet18
DATA = '/kaggle/input/neurips-2023-machine-unlearning'
REAL = not os.path.exists(f'{DATA}/empty.txt')
if not REAL:
    DATA = '/kaggle/input/mock-cifar10-data'
assert os.listdir('/kaggle/tmp') == [] and os.getcwd() == '/kaggle/working'
N = int(os.environ['LETHE_SEEDS'])
assert N in ((2, 4) if REAL else (10,))
retain = pd.read_csv(f'{DATA}/retain.csv')
paths = [f"{DATA}/images/{a}/{b}.png" for a, b in (name.split('-') for name in retain.image_id)]
images = torch.stack([torchvision.io.read_image(path) for path in paths])
assert images.shape[1:] == (3, 32, 32) and images.dtype == torch.uint8 and set(retain.age_group) <= set(range(10))
"""
NOISE = """
for i in range(N):
    net = resnet18(weights=None, num_classes=10)
    net.load_state_dict(torch.load(f'{DATA}/original_model.pth'))
    torch.manual_seed(i)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1e-3 * torch.randn_like(parameter))
    torch.save(net.half().state_dict(), f'/kaggle/tmp/unlearned_checkpoint_{i}.pth')
print('wrote', N)
"""
ZIP = "subprocess.run('zip -q submission.zip /kaggle/tmp/*.pth', shell=True, check=True)"
GOOD = notebook(READ, NOISE, ZIP, "!du -sh submission.zip")
