"""Builds a benchmark: split, oracle, original model, fitness, bundle.

A killed build can continue: until the bundle is complete, its secret and every finished chunk of models stay beside the
destination. Machines can also share the work: each trains some of the oracle's seeds into a separate directory, and the
build then uses the models in these directories.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from safetensors.numpy import load_file

from services.benchmarks.anchors import measure_anchors
from services.benchmarks.architecture import Architecture
from services.benchmarks.cutting import Cut
from services.benchmarks.definitions import Progress
from services.benchmarks.disk import Disk, check_room, plan_disk
from services.benchmarks.farm import Farm
from services.benchmarks.fitness import fitness_of
from services.benchmarks.measuring import Trained, measure
from services.benchmarks.oracle import train_without_diverged
from services.benchmarks.order import Order
from services.benchmarks.packing import pack_checkpoints
from services.benchmarks.remarks import remarks_on
from services.benchmarks.resuming import only_build, secret_of
from services.benchmarks.starts import one_original, originals_of_all_seeds
from services.benchmarks.training import chunk_size, initialise
from services.benchmarks.workshop import ANCHORS, ORACLE, Workshop
from services.benchmarks.writing import Built, write_bundle
from services.core.bundle.directory import Bundle
from services.core.errors import BadInput, Conflict
from services.core.seeds import derive_seed

__all__ = [
    "UNTRAINED_MODELS",
    "AlreadyBuilt",
    "BadSeeds",
    "architecture_of",
    "build_benchmark",
    "plan_of",
    "train_part",
]

ORACLES = (ORACLE, "second oracle")
UNTRAINED_MODELS = 8


class AlreadyBuilt(Conflict):
    code = "already_built"


class BadSeeds(BadInput):
    code = "bad_seeds"


def build_benchmark(
    order: Order,
    destination: Path,
    *,
    parts: Sequence[Path] = (),
    progress: Progress = lambda *_: None,
    announce: Callable[[Disk], None] = lambda _: None,
    remark: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Build a benchmark in `destination`, with the models that `train_part` wrote to other directories.

    `remark` gets what is noticed in the data, before any training. An unfit benchmark is built too, and its manifest
    says why it is unfit. Raises AlreadyBuilt, BuildRunning, NoRoom,
    Interrupted or DivergedOracle.
    """
    with only_build(destination) as work:
        if destination.exists():
            shutil.rmtree(work, ignore_errors=True)
            raise AlreadyBuilt(
                f"{destination} already exists. Delete it to build again, or choose another directory with --out."
            )
        _require_placebo(order)
        secret = secret_of(work, order.secret)
        whole = order.cut(secret)
        remarks = remarks_on(order.dataset, whole)
        for one in remarks:
            remark(one)
        architecture = architecture_of(order, whole)
        disk = plan_of(order, architecture, whole)
        announce(disk)
        check_room(disk, work)
        _take_up(parts, work / "models")
        bundle = work / "bundle"
        shutil.rmtree(bundle, ignore_errors=True)
        with Farm(architecture, whole.splits, work / "models") as farm:
            _build(Workshop(order, secret, whole, architecture, farm, progress), bundle, disk, remarks)
        if order.keep_checkpoints:
            (work / "checkpoints.zip").rename(destination.with_name(f"{destination.name}.checkpoints.zip"))
        bundle.rename(destination)
        shutil.rmtree(work, ignore_errors=True)
    return Bundle(destination)


def train_part(order: Order, destination: Path, first: int, last: int, *, progress: Progress = lambda *_: None) -> None:
    """Train the seeds from `first` to below `last` of both oracles into a directory that a build can use.

    The order must have the secret of that build. Raises BadSeeds, NoRoom or Interrupted.
    """
    assert order.secret is not None
    whole = order.cut(order.secret)
    architecture = architecture_of(order, whole)
    size = chunk_size(architecture)
    if not 0 <= first < last or first % size:
        raise BadSeeds(
            f"{first}:{last} is not a valid range of seeds. Models are trained {size} at a time, so give a first seed "
            f"that is a multiple of {size} and below the last."
        )
    with only_build(destination) as work:
        check_room(plan_of(replace(order, seeds=last - first), architecture, whole), work)
        with Farm(architecture, whole.splits, destination) as farm:
            shop = Workshop(order, order.secret, whole, architecture, farm, progress)
            for oracle in ORACLES:
                shop.retrain(oracle, shop.seeds(oracle, last)[first:], first)
        shutil.rmtree(work, ignore_errors=True)


def architecture_of(order: Order, whole: Cut) -> Architecture:
    """Return the architecture of an order, for the images and classes of its data."""
    return Architecture(order.definition.architecture, tuple(order.dataset.images.shape[1:]), whole.classes)


def plan_of(order: Order, architecture: Architecture, whole: Cut) -> Disk:
    """Compute the disk space of a whole build."""
    placebo, size = order.definition.placebo, chunk_size(architecture)
    originals = len(order.original_seeds(b"")) if placebo else order.seeds + 1
    starts = order.originals if placebo else order.seeds
    never_saw = max(placebo.starts, order.placebos) if placebo else 0
    runs = min(placebo.models, order.seeds) * (placebo.starts + originals) if placebo else 0
    return plan_disk(
        architecture(),
        whole.splits,
        whole.classes,
        seeds=order.seeds + size,  # including diverged models and their replacements
        placebo_models=runs,
        kept_models=originals + (never_saw + order.originals - 1 if placebo else 0) + ANCHORS * order.robustness,
        originals=(starts if starts > 1 else 0) + order.placebos,
        pack=order.keep_checkpoints,
    )


def _build(shop: Workshop, root: Path, disk: Disk, remarks: Sequence[str]) -> None:
    """Train all models, judge the benchmark, and write the bundle."""
    order, splits = shop.order, shop.cut.splits
    oracle, second = (_retrain(shop, name) for name in ORACLES)
    placebo = order.definition.placebo
    if placebo is None:
        start = originals_of_all_seeds(shop, oracle[0], second[0])
    else:
        start = one_original(shop, oracle[0], placebo)
    fitness = fitness_of(
        splits,
        original=start.measured,
        oracle=oracle[0],
        second_oracle=second[0],
        placebos=start.placebos,
        quality=order.quality,
        min_placebo_ratio=order.min_placebo_ratio,
        certified=placebo is None,
    )
    untrained = initialise(shop.architecture, shop.seeds("untrained", UNTRAINED_MODELS))
    write_bundle(
        root,
        Built(
            name=order.name or order.definition.name,
            definition=order.definition,
            scenario_text=order.scenario_text,
            drawn_for=order.drawn_for,
            original_draw=start.draw,
            dataset=order.dataset,
            cut=shop.cut,
            architecture=shop.architecture,
            secret=shop.secret,
            original={name: value[0] for name, value in start.original.items()},
            originals=start.originals,
            placebos=start.kept,
            measured={
                "oracle": oracle[0].measurements,
                "second_oracle": second[0].measurements,
                "original": start.measured.measurements,
                "untrained": Trained.from_arrays([measure(shop.architecture, untrained, splits)]).measurements,
            }
            | ({} if start.kept_measured is None else {"placebo": start.kept_measured.measurements}),
            replaced=oracle[1] + second[1],
            fitness=fitness,
            disk=disk,
            remarks=remarks,
            anchors=measure_anchors(shop, start) if order.robustness else None,
        ),
    )
    if order.keep_checkpoints:
        _pack(shop, root.with_name("checkpoints.zip"), {"oracle": oracle[0], "second_oracle": second[0]})


def _require_placebo(order: Order) -> None:
    if order.robustness and order.definition.placebo is None:
        raise BadInput(
            f"{order.definition.name} is certified, and its runs start from an original each, so there are no anchors "
            "for the robustness stage. Leave out --robustness."
        )


def _retrain(shop: Workshop, stage: str) -> tuple[Trained, int]:
    """Retrain an oracle without diverged models. Its seeds derive from the name of the stage."""
    purpose, count = shop.order.purpose(stage), shop.order.seeds
    return train_without_diverged(
        lambda seeds: Trained.from_arrays([load_file(file) for file in shop.retrain(stage, seeds)]),
        seeds=shop.seeds(stage, count),
        spare=lambda number: derive_seed(shop.secret, purpose, count + number),
    )


def _pack(shop: Workshop, archive: Path, oracles: dict[str, Trained]) -> None:
    stage = "packing checkpoints"
    pack_checkpoints(
        archive,
        sorted(shop.farm.store.glob("*.models")),
        {name: trained.measurements for name, trained in oracles.items()},
        progress=lambda done, total: shop.progress(stage, done, total),
    )


def _take_up(parts: Sequence[Path], store: Path) -> None:
    """Copy the models of other machines. Files are named by content, so models of another build are never used."""
    store.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if not part.is_dir():
            raise BadInput(
                f"{part} is not a directory. Give a directory that `lethe benchmark build --seeds 0:256 --out …` wrote."
            )
        for file in part.iterdir():
            if file.suffix in {".safetensors", ".models"} and not (store / file.name).exists():
                partial = store / f"{file.name}.partial"
                shutil.copyfile(file, partial)
                partial.replace(store / file.name)
