"""The same weights in other dress: taken if they fit exactly, else refused with what was found and what to do.

One rule serves a notebook's checkpoints and the model that a module returns, so most cases are tried through both.
"""

import copy
import io
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.optim.swa_utils import AveragedModel

from services.worker.runner import dress, tensors
from services.worker.runner.intake import BadMember, SubmittedArchive
from services.worker.runner.model import arrays_of

MEMBER = "unlearned_checkpoint_0.pth"


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.layer = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
        self.fc = nn.Linear(4, 10)


def make() -> Net:
    torch.manual_seed(5)
    net = Net()
    with torch.no_grad():
        net.state_dict()["bn.running_mean"] += torch.randn(4)
        net.state_dict()["bn.num_batches_tracked"] += 7
    return net


NET = make()
STATE = NET.state_dict()
SPECS = tensors.specs_of({name: value.numpy() for name, value in STATE.items()})


def taken_in(saved: Any, place: Path) -> dict[str, np.ndarray]:
    """Read what `torch.save` writes of it, as the intake does."""
    pickled = io.BytesIO()
    torch.save(saved, pickled)
    with zipfile.ZipFile(place / "submission.zip", "w") as archive:
        archive.writestr(MEMBER, pickled.getvalue())
    intake = SubmittedArchive(place / "submission.zip", SPECS, 1, take_first=False)
    intake.convert(0, place / "plain")
    return tensors.load(str(place / "plain"))


def assert_same(found: dict[str, np.ndarray], state: dict[str, torch.Tensor]) -> None:
    assert tensors.specs_of(found) == SPECS
    for name, value in state.items():
        np.testing.assert_array_equal(found[name], value.numpy(), err_msg=name)


def compiled(net: nn.Module) -> nn.Module:
    return torch.compile(net, backend="eager")  # type: ignore[return-value]


def compiled_layer(net: Net) -> Net:
    net.layer = torch.compile(net.layer, backend="eager")  # type: ignore[assignment]
    return net


WRAPPED: dict[str, Callable[[Net], nn.Module]] = {
    "data parallel": nn.DataParallel,
    "compiled": compiled,
    "compiled, then parallel": lambda net: nn.DataParallel(compiled(net)),
    "a compiled layer": compiled_layer,
    "averaged": AveragedModel,
    "averaged and parallel": lambda net: nn.DataParallel(AveragedModel(net)),
    "of another class": lambda net: nn.ModuleDict({"model": net}),
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_a_wrapper_is_taken_off(wrap: Callable[[Net], nn.Module], tmp_path: Path) -> None:
    wrapped = wrap(make())
    assert_same(taken_in(wrapped.state_dict(), tmp_path), STATE)
    assert_same(arrays_of(wrapped, SPECS), STATE)


SAVED: dict[str, Any] = {
    "under state_dict": {"state_dict": STATE},
    "under model, beside other things": {"epoch": 3, "model": STATE, "best": 0.5, "optimizer": {"state": {}}},
    "twice wrapped": {"checkpoint": {"model_state_dict": {f"module.{name}": value for name, value in STATE.items()}}},
    "Lightning's": {"state_dict": {f"model.{name}": value for name, value in STATE.items()}, "epoch": 1},
    "parameters": {name: nn.Parameter(v, requires_grad=v.is_floating_point()) for name, v in STATE.items()},
    "pairs": [*NET.named_parameters(), *NET.named_buffers()],
    "a dict of pairs": dict([*NET.named_parameters(), *NET.named_buffers()]),
    "ordered": OrderedDict(reversed(STATE.items())),
    "not contiguous": {
        name: value.repeat_interleave(2, 0)[::2] if value.dim() else value for name, value in STATE.items()
    },
    "channels last": {
        name: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value
        for name, value in STATE.items()
    },
    "views": {name: torch.stack([value, value])[1] for name, value in STATE.items()},
    "float64": copy.deepcopy(NET).double().state_dict(),
    "a counter in floats": STATE | {"bn.num_batches_tracked": torch.tensor(7.0)},
    "a counter in 32 bits": STATE | {"bn.num_batches_tracked": torch.tensor(7, dtype=torch.int32)},
}


@pytest.mark.parametrize("saved", SAVED.values(), ids=SAVED)
def test_the_same_values_in_another_form_are_taken(saved: Any, tmp_path: Path) -> None:
    assert_same(taken_in(saved, tmp_path), STATE)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precisions_are_widened(dtype: torch.dtype, tmp_path: Path) -> None:
    net = copy.deepcopy(NET).to(dtype)
    rounded = {name: value.to(STATE[name].dtype) for name, value in net.state_dict().items()}
    assert_same(taken_in(net.state_dict(), tmp_path), rounded)
    assert_same(arrays_of(net, SPECS), rounded)


def test_masks_of_pruning_are_multiplied(tmp_path: Path) -> None:
    net = make()
    for layer in (net.conv, net.fc):
        prune.l1_unstructured(layer, "weight", amount=0.5)
    masked = net.state_dict()
    taken, returned = taken_in(masked, tmp_path), arrays_of(nn.DataParallel(net), SPECS)
    for layer in (net.conv, net.fc):
        prune.remove(layer, "weight")
    assert_same(taken, net.state_dict())
    assert_same(returned, net.state_dict())
    assert (taken["fc.weight"] == 0).mean() == 0.5


def parametrized() -> dict[str, Any]:
    net = make()
    parametrizations.weight_norm(net.fc)
    return net.state_dict()


def instead_of_weight(**tensors_: torch.Tensor) -> dict[str, torch.Tensor]:
    """Give the last layer other tensors instead of its weight, under the names that hooks of old torch use."""
    others = {name: value for name, value in STATE.items() if name != "fc.weight"}
    return others | {f"fc.{name}": value for name, value in tensors_.items()}


WEIGHT = STATE["fc.weight"]


class Whole:
    """Stands for a model of a class that only the participant has."""


NAMED = dict(NET.named_parameters())
REFUSED: dict[str, tuple[Any, list[str]]] = {
    "a whole model": (NET, ["Net", "whole model", "state_dict()"]),
    "a whole model of torch's own": (nn.Linear(4, 10), ["torch.nn.modules.linear.Linear", "state_dict()"]),
    "a whole model and more": ({"model": NET, "epoch": 3}, ["Net", "state_dict()"]),
    "an object": ({"fc.weight": Whole()}, ["Whole"]),
    "arrays of numpy": ({name: value.numpy() for name, value in STATE.items()}, ["numpy", "state_dict()"]),
    "a number of numpy beside it": ({"model": STATE, "best": np.float64(0.5)}, ["numpy", "state_dict()"]),
    "parameters alone": (NAMED, ["3 of 11 tensors are missing: bn.num_batches_tracked, bn.running_mean", "buffers"]),
    "pairs of parameters alone": (list(NET.named_parameters()), ["3 of 11", "named_parameters() leaves out buffers"]),
    "tensors without names": (list(NET.parameters()), ["list of 8 tensors without names", "state_dict()"]),
    "one tensor": (torch.zeros(3), ["Tensor, not a state dict"]),
    "something else": ({"loss": [0.1], "epoch": 3}, ["none of the architecture's 11 tensors", "epoch, loss"]),
    "two state dicts": ({"model": STATE, "ema": STATE}, ["2 state dicts", "['model']", "['ema']"]),
    "weight_norm": (
        instead_of_weight(weight_g=WEIGHT[:, :1], weight_v=WEIGHT),
        ["fc.weight_g, fc.weight_v", "remove_weight_norm"],
    ),
    "its successor": (parametrized(), ["parametrization", "remove_parametrizations"]),
    "spectral_norm": (
        instead_of_weight(weight_orig=WEIGHT, weight_u=WEIGHT[:, 0], weight_v=WEIGHT[0]),
        ["remove_spectral_norm"],
    ),
    "other masks": (
        instead_of_weight(weight_orig=WEIGHT, weight_mask=torch.full((10, 4), 0.5)),
        ["fc.weight_mask", "prune.remove"],
    ),
    "only some names wrapped": (
        STATE | {"other.bias": torch.zeros(1)},
        ["other.bias is not part of the architecture"],
    ),
    "seven classes": (
        STATE | {"fc.weight": torch.zeros(7, 4), "fc.bias": torch.zeros(7)},
        ["tensor fc.", "[7", "the architecture has [10"],
    ),
    "fractions of a counter": (STATE | {"bn.num_batches_tracked": torch.tensor(7.5)}, ["num_batches_tracked", "int64"]),
    "too large for the precision": (
        copy.deepcopy(STATE) | {"fc.bias": torch.full((10,), 1e300, dtype=torch.float64)},
        ["tensor fc.bias contains NaN or infinite"],
    ),
}


@pytest.mark.parametrize(("saved", "words"), REFUSED.values(), ids=REFUSED)
def test_the_rest_is_refused_with_what_was_found_and_what_to_do(saved: Any, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(BadMember) as caught:
        taken_in(saved, tmp_path)
    message = str(caught.value)
    assert message.startswith(MEMBER)
    for word in words:
        assert word in message
    for advice in ("weights_only", "safe_globals", "trust", "will likely succeed"):
        assert advice not in message
    assert len(message) < 700


def test_a_returned_model_of_another_architecture_is_told_by_its_names() -> None:
    net = make()
    net.head = nn.Linear(2, 2)
    with pytest.raises(tensors.BadTensors, match=r"2 names are not part .*: head\.bias, head\.weight; return a model"):
        arrays_of(net, SPECS)
    parametrizations.weight_norm(net.fc)
    with pytest.raises(tensors.BadTensors, match="remove_parametrizations"):
        arrays_of(net, SPECS)


@given(parts=st.lists(st.sampled_from(["module", "_orig_mod", "net", "model"]), max_size=4), rounds=st.integers(0, 2))
def test_any_common_prefix_within_any_dicts_changes_nothing(parts: list[str], rounds: int) -> None:
    saved: Any = {".".join([*parts, name]): value for name, value in STATE.items()}
    for _ in range(rounds):
        saved = {"epoch": 1, "inner": saved}
    assert_same(dress.plain_arrays(saved, SPECS, remedy=""), STATE)


def test_names_that_would_become_one_are_not_mixed_up() -> None:
    saved = STATE | {"module.fc.bias": torch.zeros(10)}
    with pytest.raises(tensors.BadTensors, match=r"module\.fc\.bias is not part"):
        dress.plain_arrays(saved, SPECS, remedy="save it")


def test_shapes_are_compared_before_anything_is_computed() -> None:
    """A product of these would take 40 terabytes."""
    huge = torch.zeros(1, 1).expand(10**6, 10**7)
    with pytest.raises(tensors.BadTensors, match="weight_orig"):
        dress.plain_arrays(instead_of_weight(weight_orig=huge, weight_mask=huge), SPECS, remedy="save it")
    with pytest.raises(tensors.BadTensors, match="shape"):
        dress.plain_arrays(instead_of_weight(weight=huge), SPECS, remedy="save it")
