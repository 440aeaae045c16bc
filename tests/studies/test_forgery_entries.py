"""The entries of the acceptance table on any benchmark: recipes, partial retraining, images by which forgeries aim."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from services.benchmarks.catalogue import DEFINITIONS
from services.core.submission.source import MAX_SOURCE_BYTES
from services.worker.runner.loaders import ExampleSet, Loader
from studies.forgery.entries import Group, honest_entries, other_recipes
from studies.forgery.modules import pinned

RECIPES = {name: DEFINITIONS[name].recipe.as_dict() for name in ("digits", "faces-small")}


def module_of(source: bytes) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(source, "entry.py", "exec"), names)
    return names


@pytest.mark.parametrize("name", RECIPES)
def test_each_other_recipe_changes_one_thing(name: str) -> None:
    recipe = RECIPES[name]
    found = other_recipes(recipe)
    assert len(found) == 6
    for title, change in found.items():
        assert all(recipe[key] != value for key, value in change.items() if key != "momentum"), title
        assert recipe.keys() >= change.keys()


@pytest.mark.parametrize("name", RECIPES)
def test_honest_entries_carry_the_recipe_of_the_benchmark(name: str) -> None:
    cases = honest_entries(RECIPES[name])
    assert len({case.entry.digest for case in cases}) == len(cases)
    for case in cases:
        if case.group is Group.PARTIAL:
            carried = module_of(case.entry.source)["RECIPE"]
            assert carried == {key: RECIPES[name][key] for key in carried}


def test_recipes_of_digits_are_those_of_the_published_table() -> None:
    assert list(other_recipes(RECIPES["digits"]).values()) == [
        {},
        {"epochs": 30},
        {"learning_rate": 0.05},
        {"weight_decay": 5e-4},
        {"optimizer": "adam", "learning_rate": 1e-3},
        {"schedule": "cosine"},
    ]


def test_partial_retraining_of_everything_trains_as_the_recipe_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Adam, weight decay, a schedule and class weights, as on faces; it learns the forget set that it keeps."""
    torch.manual_seed(0)
    recipe = {**RECIPES["faces-small"], "epochs": 150, "learning_rate": 0.02, "weight_decay": 0.0}
    case = next(case for case in honest_entries(recipe) if case.group is Group.PARTIAL)
    names = module_of(case.entry.source)
    images, labels = torch.randn(90, 24), torch.arange(90) % 3
    labels[60:80] = 0  # so that weights differ
    sets = ExampleSet(images[:80], labels[:80]), ExampleSet(images[80:], labels[80:])
    retain, forget = (Loader(examples, shuffle=True) for examples in sets)
    last = nn.Linear(64, 3)
    net = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), last)
    weights = names["class_weights"](net, retain)
    counts = labels[:80].bincount()

    assert weights.tolist() == pytest.approx((1.0 / counts).tolist())
    for kept, learns in ((1.0, True), (0.0, False)):
        monkeypatch.setitem(names, "KEPT", kept)
        last.bias.data[0] = -100.0  # the original's; a new start must not keep it
        names["unlearning"](net, retain, forget, forget)
        margin = net(images[:80]).detach().gather(1, labels[:80, None]).mean()
        assert float(margin) > 0
        hits = (net(images[80:]).argmax(dim=1) == labels[80:]).float().mean()
        assert (float(hits) > 0.85) == learns


def test_a_forgery_of_faces_fits_into_a_submission() -> None:
    """64 retrained models, 60 images, 8 age groups, as float16 in base64, and a name for each image."""
    logits = 4 * ((64 * 60 * 8 * 2 + 2) // 3)
    source = Path(pinned.__file__).stat().st_size
    assert logits + 60 * len(pinned.name_of(torch.zeros(3, 32, 32)) + '", "') + source < MAX_SOURCE_BYTES


def test_images_have_names_by_their_pixels() -> None:
    images = torch.from_numpy(np.random.default_rng(0).normal(size=(20, 3, 8, 8)).astype(np.float32))
    names = [pinned.name_of(image) for image in images]
    assert len(set(names)) == 20
    assert names[3] == pinned.name_of(images[3] + 1e-6)
