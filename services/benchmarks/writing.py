"""Writes a bundle: its files, and the manifest that names them by hash."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save, save_file
from torch import Tensor

from services.benchmarks.anchors import Anchors
from services.benchmarks.architecture import Architecture
from services.benchmarks.cutting import Cut
from services.benchmarks.datasets import Dataset
from services.benchmarks.definitions import Definition
from services.benchmarks.disk import Disk
from services.benchmarks.measuring import probe_of
from services.benchmarks.recipes import NoisyDescent
from services.benchmarks.training.arithmetic import gpu_versions
from services.core.bundle.directory import REMARKS
from services.core.bundle.manifest import (
    MANIFEST,
    Counts,
    DiskUse,
    FileEntry,
    Fitness,
    Learning,
    Manifest,
    Origin,
    TensorSpec,
)
from services.core.bundle.measurements import Measurements
from services.core.distribution import installed_version

__all__ = ["Built", "write_bundle"]

_DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}
LIBRARIES = ("torch", "torchvision", "numpy", "scikit-learn", "pillow")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Built:
    """Everything needed to write a bundle."""

    name: str
    definition: Definition
    scenario_text: str | None
    drawn_for: str | None
    original_draw: int
    dataset: Dataset
    cut: Cut
    architecture: Architecture
    secret: bytes
    original: Mapping[str, Tensor]
    originals: Mapping[str, Tensor] | None  # stacked, one for each seed; None if all runs start from `original`
    placebos: Mapping[str, Tensor] | None  # stacked; None if no placebo audit is possible
    measured: Mapping[str, Measurements]
    replaced: int
    fitness: Fitness
    disk: Disk
    remarks: Sequence[str]
    anchors: Anchors | None = None  # of the robustness stage


def write_bundle(root: Path, built: Built) -> None:
    """Write a bundle into a new directory; write the manifest last."""
    for folder in ("public", "hidden"):
        (root / folder).mkdir(parents=True)
    (root / "public/architecture.py").write_text(built.architecture.source(), encoding="utf-8", newline="\n")
    save_file({name: value.numpy() for name, value in built.original.items()}, root / "public/original.safetensors")
    for name, models in (("originals", built.originals), ("placebos", built.placebos)):
        if models is not None:
            save_file({part: value.numpy() for part, value in models.items()}, root / f"hidden/{name}.safetensors")
    for name, examples in built.cut.splits.named().items():
        save_file(examples.arrays(), root / ("hidden" if name == "test" else "public") / f"{name}.safetensors")
    (root / "hidden/probe.safetensors").write_bytes(save({"index": probe_of(built.cut.splits)}))
    for name, measurements in built.measured.items():
        (root / f"hidden/{name}.safetensors").write_bytes(measurements.to_bytes())
    if built.anchors is not None:
        _write_anchors(root, built.anchors, built.cut)
    if built.remarks:
        (root / REMARKS).write_text(json.dumps(list(built.remarks), indent=1) + "\n", encoding="ascii", newline="\n")
    for path in root.rglob("*.safetensors"):
        path.chmod(0o644)  # a sandbox runs as another user
    (root / MANIFEST).write_bytes(_manifest(root, built).to_bytes())


def _write_anchors(root: Path, anchors: Anchors, cut: Cut) -> None:
    drawn = {"seed": np.array([anchors.seed]), "controls": anchors.controls}
    (root / "hidden/stress.safetensors").write_bytes(save(drawn))
    for name, readings in (("oracle", anchors.oracle), ("original", anchors.original)):
        (root / f"hidden/stress_{name}.safetensors").write_bytes(readings.to_bytes())
    if cut.poison is not None:
        save_file(cut.poison.arrays(), root / "hidden/poison.safetensors")


def _manifest(root: Path, built: Built) -> Manifest:
    definition, dataset, cut = built.definition, built.dataset, built.cut
    title = definition.title if built.drawn_for is None else f"{definition.title} ({built.drawn_for})"
    return Manifest(
        name=built.name,
        title=title,
        dataset=dataset.name,
        licence=dataset.licence,
        scenario=cut.scenario,
        split=cut.split,
        origin=Origin(
            definition=definition.name,
            scenario=built.scenario_text,
            drawn_for=built.drawn_for,
            original_draw=built.original_draw,
        ),
        classes=cut.classes,
        input_shape=built.architecture.input_shape,
        counts=Counts(**{name: len(examples) for name, examples in cut.splits.named().items()}),
        architecture=built.architecture.name,
        checkpoint=tuple(
            TensorSpec(name=name, dtype=_DTYPES[value.dtype], shape=tuple(value.shape))
            for name, value in sorted(built.original.items())
        ),
        recipe=definition.recipe.as_dict(),
        originals=1 if built.originals is None else len(next(iter(built.originals.values()))),
        placebos=0 if built.placebos is None else len(next(iter(built.placebos.values()))),
        learning=Learning(**asdict(definition.recipe)) if isinstance(definition.recipe, NoisyDescent) else None,
        oracle_seeds=len(built.measured["oracle"]),
        oracle_replaced=built.replaced,
        seed_commitment=hashlib.sha256(built.secret).hexdigest(),
        device="cuda" if torch.cuda.is_available() else "cpu",
        fitness=built.fitness,
        disk=DiskUse(building_bytes=built.disk.building, bundle_bytes=built.disk.bundle),
        robustness=None if built.anchors is None else built.anchors.described,
        versions={"lethe": installed_version()} | {package: version(package) for package in LIBRARIES} | gpu_versions(),
        files={str(path.relative_to(root)): _entry(path) for path in sorted(root.rglob("*")) if path.is_file()},
    )


def _entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(sha256=digest, size_bytes=path.stat().st_size)
