"""What every baseline owes: it stands alone, is explained, runs on any architecture, and stays within its loaders."""

import ast
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from baselines import retrain
from services.core.submission import file as submission_file
from tests.baselines.small import Splits, digits, everything, flat, run, small_net, splits

FOLDER = Path(__file__).parents[2] / "baselines"
FILES = [path for path in sorted(FOLDER.rglob("*.py")) if path.name != "__init__.py"]
NAMES = [path.stem for path in FILES if path.parent == FOLDER]
DETERMINISTIC = {"ssd", "lfssd", "assd", "potion", "identity"}
DRAWN = [name for name in NAMES if name not in DETERMINISTIC]
OUTSIDE = {"os", "sys", "io", "pathlib", "subprocess", "socket", "shutil", "importlib", "ctypes", "gc", "inspect"}
REACHING = {"open", "exec", "eval", "compile", "__import__", "globals", "breakpoint", "input"}


@pytest.fixture
def random_images() -> Splits:
    """70 small images of 5 classes; 65 and 5 of them leave a single one over in batches of 64."""
    torch.manual_seed(0)
    return splits(torch.randn(70, 3, 16, 16), torch.randint(5, (70,)), torch.arange(70) < 5)


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baselines.potion.TRIES", 5)
    monkeypatch.setattr("baselines.langevin_noisy.STEPS", 3)
    monkeypatch.setattr("baselines.winner_1_contrastive.ROUNDS", 2)
    monkeypatch.setattr("baselines.winner_7_layerwise.RATES", (2e-4,) * 5)
    for constant in ("l1_sparse.EPOCHS", "salun.EPOCHS", "rum.FINETUNE_EPOCHS", "rum.SALUN_EPOCHS"):
        monkeypatch.setattr(f"baselines.{constant}", 2)
    monkeypatch.setitem(retrain.RECIPE, "epochs", 2)


def method(name: str) -> Any:
    return importlib.import_module(f"baselines.{name}")


def check(name: str, net: nn.Module, data: Splits) -> None:
    examples = [tensor.clone() for loader in data for tensor in everything(loader)]
    after = run(method(name), net, data)
    before, state = net.state_dict(), after.state_dict()
    assert {key: value.shape for key, value in before.items()} == {key: value.shape for key, value in state.items()}
    assert all(torch.isfinite(value).all() for value in state.values())
    assert name == "identity" or not after.training
    for tensor, kept in zip((tensor for loader in data for tensor in everything(loader)), examples, strict=True):
        assert torch.equal(tensor, kept)
    if name not in DETERMINISTIC:
        assert not torch.equal(flat(net), flat(after))


@pytest.mark.parametrize("name", NAMES)
def test_method_runs_on_the_digits_perceptron(name: str) -> None:
    check(name, *digits())


@pytest.mark.parametrize("name", NAMES)
def test_method_runs_on_a_convnet(name: str, random_images: Splits) -> None:
    check(name, small_net("convnet"), random_images)


@pytest.mark.parametrize("name", NAMES)
def test_method_runs_on_resnet18_where_a_batch_has_a_single_image(name: str, random_images: Splits) -> None:
    check(name, small_net("resnet18"), random_images)


@pytest.mark.parametrize("name", DRAWN)
def test_runs_of_methods_with_chance_differ(name: str) -> None:
    net, data = digits()
    assert not torch.equal(flat(run(method(name), net, data, seed=1)), flat(run(method(name), net, data, seed=2)))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(FOLDER)) for path in FILES])
def test_entry_reaches_nothing_outside_its_loaders(path: Path) -> None:
    submission_file.check(path.name, path.read_bytes())
    allowed = {"torch", "numpy", *sys.stdlib_module_names} - OUTSIDE
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] in allowed for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and str(node.module).split(".")[0] in allowed
        elif isinstance(node, ast.Name):
            assert node.id not in REACHING
        elif isinstance(node, ast.Attribute):
            assert node.attr not in {"load", "save", "hub", "tofile", "fromfile", "__globals__", "__builtins__"}


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(FOLDER)) for path in FILES])
def test_entry_is_explained_and_short(path: Path) -> None:
    text = path.read_text()
    explained = ast.get_docstring(ast.parse(text)) or ""
    for word in ("Idea:", "Source:", "Defaults:", "Cost:"):
        assert word in explained
    assert re.search(r"^ {4}\S", explained, re.MULTILINE), "a formula, indented"
    assert len(text.splitlines()) <= 110
    assert ("Deterministic" in explained) == (path.stem in DETERMINISTIC)
