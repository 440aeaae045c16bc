"""Models under stress: rounding, perturbed copies, relearning, and models that were made to break the stage."""

import numpy as np
import pytest
import torch
from torch import nn

from services.benchmarks.stressing import Labelled, Stress, StressRecipe, rounded

RECIPE = StressRecipe(steps=(3, 6), batch_size=8)
LEARNING = {f"relearned_{name}" for name in ("forget_margin", "forget_given", "control_margin", "control_given")}


def labelled(count: int, seed: int) -> Labelled:
    random = torch.Generator().manual_seed(seed)
    return Labelled(torch.randn(count, 16, generator=random), torch.randint(0, 3, (count,), generator=random))


def build() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))


def stage(seed: int = 7) -> Stress:
    parts = {"forget": labelled(9, 0), "controls": labelled(11, 1), "retain": labelled(40, 2)}
    return Stress(build(), RECIPE, seed, **parts, poison=labelled(5, 3))


def state(scale: float = 1.0) -> dict[str, torch.Tensor]:
    return {name: value.clone() * scale for name, value in build().state_dict().items()}


def test_weights_are_rounded_to_symmetric_levels_of_each_output_channel() -> None:
    weight = torch.tensor([[1.0, -0.5, 0.26, 0.0], [100.0, 7.0, -8.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    found = rounded({"weight": weight, "bias": torch.tensor([0.123])}, bits=4)  # 7 levels on each side
    expected = [[1.0, -4 / 7, 2 / 7, 0.0], [100.0, 0.0, -100 / 7, 0.0], [0.0] * 4]
    torch.testing.assert_close(found["weight"], torch.tensor(expected))
    assert found["bias"].item() == pytest.approx(0.123)


def test_a_reading_depends_on_checkpoint_and_secret_only() -> None:
    first = stage().read(state(), state(), relearn=True)
    another = stage()
    another.read(state(3.0), state(), relearn=True)  # an earlier model leaves no trace
    torch.rand(5)
    again = another.read(state(), state(), relearn=True)
    for name in first.keys() - {"seconds"}:
        assert np.array_equal(first[name], again[name]), name
    elsewhere = stage(seed=8).read(state(), state(), relearn=True)
    assert np.array_equal(first["forget_margin"][:3], elsewhere["forget_margin"][:3])  # clean and rounded
    assert not np.array_equal(first["forget_margin"][3], elsewhere["forget_margin"][3])  # copies are drawn
    assert not np.array_equal(first["relearned_forget_margin"], elsewhere["relearned_forget_margin"])


def test_rows_are_the_model_roundings_copies_and_moments_of_relearning() -> None:
    found = stage().read(state(), state(), relearn=True)
    assert found["forget_margin"].shape == (1 + 2 + 4, 9)
    assert found["control_given"].shape == (1 + 2 + 4, 11)
    assert found["relearned_forget_margin"].shape == (2, 9)
    assert found["poison_given"].shape == (5,)
    assert stage().read(state(), state(), relearn=False).keys().isdisjoint(LEARNING)


def test_distance_is_that_of_the_weights_to_the_own_original() -> None:
    found = stage().read(state(1.5), state(), relearn=False)["distance"]
    norm = float(sum((value.double() ** 2).sum() for value in state().values()) ** 0.5)
    assert found == pytest.approx([norm / 2, norm], rel=1e-6)


def test_relearning_learns_the_retain_set() -> None:
    parts = {"forget": labelled(9, 0), "controls": labelled(40, 2), "retain": labelled(40, 2)}
    recipe = StressRecipe(steps=(1, 200), batch_size=8, learning_rate=0.1)
    given = Stress(build(), recipe, 7, **parts).read(state(), state(), relearn=True)["relearned_control_given"]
    assert given[1].mean() > given[0].mean() + 0.2


@pytest.mark.parametrize("scale", [0.0, 1e-42, 3e37, 1e18], ids=["zero", "subnormal", "huge", "large"])
def test_models_made_to_break_it_give_finite_numbers_and_are_called_unreadable(scale: float) -> None:
    hostile = {name: value.clamp(-1, 1) * scale for name, value in state().items()}
    found = stage().read(hostile, state(), relearn=True)
    for name, array in found.items():
        assert np.isfinite(array).all(), name
    for prefix in ("", "relearned_"):
        unreadable = found[f"{prefix}readable"] == 0
        assert not found[f"{prefix}forget_margin"][unreadable].any()
    if scale == 3e37:
        assert not found["readable"].any()
