"""What `make baselines` submits: every file as it is, and retraining with the benchmark's own recipe."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn, optim

from baselines import retrain
from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.recipes import RECIPE_2023
from services.cli.demo import BASELINES, baseline_files, plan
from services.core.errors import BadInput
from services.core.submission import file as submission_file
from studies.baselines.entries import find_entries, with_recipe

DIGITS = DEFINITIONS["digits"].recipe.as_dict()
SOURCE = (BASELINES / "retrain.py").read_text()


def module_of(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(source, "retrain.py", "exec"), names)
    return names


def test_every_file_is_an_entry_and_the_references_come_first() -> None:
    entries = find_entries(DIGITS)

    assert [entry.name for entry in entries[:2]] == ["retrain", "identity"]
    assert {entry.name for entry in entries} == {path.stem for path in BASELINES.glob("*.py")} - {"__init__"}
    for path, entry in zip(baseline_files()[1:], entries[1:], strict=True):
        assert path.read_bytes() == entry.source


def test_a_demo_of_all_baselines_submits_every_file_once() -> None:
    contests = plan(all_baselines=True)

    submitted = [file for contest in contests for file in contest.files]
    assert sorted(submitted) == sorted(file for file in BASELINES.rglob("*.py") if file.name != "__init__.py")
    assert all(contest.benchmark in DEFINITIONS for contest in contests)
    assert len({contest.phase for contest in contests}) == len(contests)


def test_retraining_ships_with_the_recipe_of_digits() -> None:
    assert {name: DIGITS[name] for name in retrain.RECIPE} == retrain.RECIPE


def test_retraining_gets_the_recipe_of_the_benchmark() -> None:
    source = with_recipe(SOURCE, RECIPE_2023.as_dict())

    recipe = module_of(source)["RECIPE"]
    assert recipe == {name: RECIPE_2023.as_dict()[name] for name in retrain.RECIPE}
    submission_file.check("retrain.py", source.encode())
    assert with_recipe(source, DIGITS) == with_recipe(SOURCE, DIGITS)


@pytest.mark.parametrize(
    "recipe", [{}, {**DIGITS, "weights": "best-validation"}, {**DIGITS, "loss": "focal"}], ids=["none", "kept", "loss"]
)
def test_a_recipe_that_retraining_cannot_follow_is_refused(recipe: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="cannot say the recipe"):
        with_recipe(SOURCE, recipe)


def test_retraining_with_another_recipe_takes_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weighted classes, Adam, a cosine, and a single example left over, against the same written plainly."""
    recipe = {**retrain.RECIPE, "epochs": 3, "optimizer": "adam", "learning_rate": 0.01, "weight_decay": 5e-3}
    monkeypatch.setattr(retrain, "RECIPE", {**recipe, "schedule": "cosine", "class_weights": "inverse-count"})
    images, labels = torch.randn(9, 4), torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2])
    loader = list(zip(images.split(4), labels.split(4), strict=True))  # 4, 4 and 1
    net = nn.Linear(4, 3)
    torch.manual_seed(5)
    retrain.unlearning(net, loader, None, None)

    plain = nn.Linear(4, 3)
    torch.manual_seed(5)
    plain.reset_parameters()
    optimizer = optim.Adam(plain.parameters(), lr=0.01, weight_decay=5e-3)
    cosine = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    for _ in range(3):
        for chosen in (slice(0, 4), slice(4, 9)):
            optimizer.zero_grad()
            each = nn.functional.cross_entropy(plain(images[chosen]), labels[chosen], reduction="none")
            weights = torch.tensor([1 / 4, 1 / 3, 1 / 2])[labels[chosen]]
            ((weights * each).sum() / weights.sum()).backward()
            optimizer.step()
        cosine.step()
    torch.testing.assert_close(net.weight, plain.weight)
    assert not net.training


def test_a_resnet_starts_as_torchvisions_does() -> None:
    class ResNet(nn.Sequential):
        pass

    torch.manual_seed(0)
    net = ResNet(nn.Conv2d(8, 64, 3), nn.Flatten(), nn.Linear(64, 2))
    retrain.start_anew(net)

    convolution = net[0].weight
    assert isinstance(convolution, torch.Tensor)
    assert convolution.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)


def test_files_of_ones_own_can_be_entries(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("x = 1\n")

    (entry,) = find_entries({}, [file])

    assert (entry.name, entry.source) == ("mine", b"x = 1\n")
