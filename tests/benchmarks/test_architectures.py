"""Architectures: what a bundle keeps of them stands alone, and sees the same inputs as training did."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from services.benchmarks.architecture import ARCHITECTURES, Architecture
from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.examples import Examples, Pixels
from services.benchmarks.torchvision_operators import import_torchvision
from services.worker.runner.model import build_model, examples

RNG = np.random.default_rng(0)
PARAMETERS = {  # counted by hand for images of 3 x 32 x 32 and 10 classes
    "logistic": 3072 * 10 + 10,
    "unit_logistic": 3072 * 10,
    "mlp": 3072 * 64 + 64 + 64 * 10 + 10,
    "convnet": (27 * 16 + 16) + (144 * 32 + 32) + (288 * 64 + 64) + 64 * 4 * 4 * 10 + 10,
    "resnet_small": (27 * 16 + 32)
    + (2 * 2304 + 2 * 32)
    + (4608 + 9216 + 512 + 3 * 64)
    + (18432 + 36864 + 2048 + 3 * 128)
    + 650,
    "resnet18": 11_689_512 - 1000 * 513 + 10 * 513,  # torchvision's documented number, with another head
}


def shapes_of(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_source_stands_alone_and_builds_the_same_model(name: str, tmp_path: Path) -> None:
    """Executed from its text alone, and as a sandbox does it."""
    import_torchvision()
    architecture = Architecture(name, (3, 32, 32), 10)
    source = architecture.source()
    assert "services" not in source
    namespace: dict[str, Any] = {"__name__": "architecture"}
    exec(compile(source, name, "exec"), namespace)
    path = tmp_path / "architecture.py"
    path.write_text(source)
    expected = shapes_of(architecture())
    models = []
    for build in (namespace["build"], lambda: build_model(path), architecture):
        torch.manual_seed(5)
        models.append(build().eval())
    images = torch.from_numpy(RNG.normal(size=(2, 3, 32, 32)).astype(np.float32))
    for model in models:
        assert shapes_of(model) == expected
        assert torch.equal(model(images), models[0](images))
    assert models[0](images).shape == (2, 10)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_architectures_have_as_many_parameters_as_counted_by_hand(name: str) -> None:
    model = Architecture(name, (3, 32, 32), 10)()
    assert sum(value.numel() for value in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 7), (2, 1, 1)])
@pytest.mark.parametrize("name", ["convnet", "resnet_small"])
def test_the_convolutional_nets_take_images_of_any_size(name: str, shape: tuple[int, int, int]) -> None:
    model = Architecture(name, shape, 4)().eval()
    assert model(torch.zeros(2, *shape)).shape == (2, 4)


def torchvisions_resnet18(classes: int) -> nn.Module:
    import_torchvision()
    from torchvision.models import resnet18

    model: nn.Module = resnet18(num_classes=classes)
    return model


def test_resnet18_is_torchvisions() -> None:
    assert shapes_of(Architecture("resnet18", (3, 32, 32), 7)()) == shapes_of(torchvisions_resnet18(7))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("resnet18", (1, 28, 28)), ("vit", (1, 32, 32)), ("vit", (3, 30, 30)), ("vit", (3, 32, 28))],
)
def test_images_that_do_not_fit_are_refused(name: str, shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="needs"):
        Architecture(name, shape, 10)()


def test_the_transformer_cuts_images_into_patches() -> None:
    shapes = shapes_of(Architecture("vit", (3, 32, 32), 10)())
    assert shapes["conv_proj.weight"] == (192, 3, 4, 4)
    assert shapes["encoder.pos_embedding"] == (1, 65, 192)  # 8 x 8 patches and the class token
    assert shapes["heads.head.weight"] == (10, 192)


def test_only_nets_of_linear_layers_are_trained_in_lockstep() -> None:
    linear = {name for name in ARCHITECTURES if Architecture(name, (3, 32, 32), 10).is_linear_algebra()}
    assert linear == {"logistic", "mlp", "unit_logistic"}


def test_every_definition_has_an_architecture() -> None:
    assert {definition.architecture for definition in DEFINITIONS.values()} <= set(ARCHITECTURES)


def test_importing_torchvision_twice_is_harmless() -> None:
    import_torchvision()
    import_torchvision()
    assert torchvisions_resnet18(3)(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


@pytest.mark.parametrize("standardised", [True, False])
def test_a_sandbox_sees_stored_bytes_as_training_saw_them(tmp_path: Path, standardised: bool) -> None:
    """Bit for bit, so that a model's logits do not depend on who reads the images."""
    images = RNG.integers(0, 256, (300, 3, 8, 8), dtype=np.uint8)
    images[0], images[1] = 0, 255
    pixels = Pixels.standardising(images) if standardised else None
    trained_on = Examples(images, RNG.integers(0, 9, 300), subjects=np.arange(300), pixels=pixels)
    arrays = trained_on.arrays()
    save_file(arrays, tmp_path / "retain.safetensors")

    inputs, labels = examples(tmp_path / "retain.safetensors")

    assert arrays["image"].dtype == np.uint8
    assert torch.equal(inputs, trained_on.inputs(slice(None)))
    assert labels.tolist() == trained_on.labels.tolist()


def test_a_sandbox_sees_stored_floats_as_they_are(tmp_path: Path) -> None:
    features = RNG.normal(size=(40, 6)).astype(np.float32)
    trained_on = Examples(features, RNG.integers(0, 3, 40))
    save_file(trained_on.arrays(), tmp_path / "retain.safetensors")
    inputs, _ = examples(tmp_path / "retain.safetensors")
    np.testing.assert_array_equal(inputs.numpy(), features)
    assert torch.equal(inputs, trained_on.inputs(slice(None)))
