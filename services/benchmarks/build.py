"""Building a benchmark: split, oracle, original model, fitness, bundle.

A build goes on where it was killed: its secret and every chunk of models that was finished lie beside the destination
until the bundle is whole. So machines can share the work: each trains some of the oracle's seeds into a directory of
its own, and the build that is given these directories takes up what they hold.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_models

from services.benchmarks.architecture import Architecture
from services.benchmarks.cutting import Cut, cut
from services.benchmarks.datasets import Dataset
from services.benchmarks.definitions import Definition, Placebo, Progress
from services.benchmarks.disk import Disk, check_room, plan_disk
from services.benchmarks.farm import Farm, Job, models_beside
from services.benchmarks.fitness import (
    MIN_FORGET_ACCURACY,
    MIN_PLACEBO_RATIO,
    ForgettingQuality,
    Placebos,
    fitness_of,
    forget_accuracy,
    quality_of,
)
from services.benchmarks.measuring import Trained, measure
from services.benchmarks.oracle import derive_seed, derive_seeds, train_without_diverged
from services.benchmarks.packing import pack_checkpoints
from services.benchmarks.recipes import NoisyDescent
from services.benchmarks.resuming import only_build, secret_of
from services.benchmarks.training import Stacked, chunk_size, initialise
from services.benchmarks.writing import Built, write_bundle
from services.core.bundle import Bundle
from services.core.errors import BadInput, Conflict

__all__ = ["AlreadyBuilt", "Order", "build_benchmark", "train_part"]

ORACLES = ("oracle", "second oracle")
UNTRAINED_MODELS = 8
MOST_ORIGINALS = 10  # drawn from a secret until one is fit


class AlreadyBuilt(Conflict):
    code = "already_built"


class BadSeeds(BadInput):
    code = "bad_seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be built.

    The oracle's seeds derive from the secret (random when None), which is forgotten: only its hash stays in the
    manifest. With `drawn_for`, the split, the forget set and the original model derive from the secret too, others for
    each name: what a final phase is judged on is settled, and hidden, before a competition begins, and whoever is told
    the secret afterwards can check it.
    """

    definition: Definition
    dataset: Dataset
    seeds: int  # models in each oracle
    quality: ForgettingQuality
    name: str | None = None  # of the bundle; None: the definition's
    scenario_text: str | None = None  # as given on a command line, where the definition's own was replaced
    secret: bytes | None = None
    drawn_for: str | None = None
    min_placebo_ratio: float = MIN_PLACEBO_RATIO
    keep_checkpoints: bool = False

    def purpose(self, what: str) -> str:
        """Name what a seed is for, so that no two of a secret's seeds are alike."""
        return what if self.drawn_for is None else f"{self.drawn_for}|{what}"

    def cut(self, secret: bytes) -> Cut:
        """Cut the dataset."""
        drawn = None if self.drawn_for is None else derive_seed(secret, self.purpose("split"), 0)
        return cut(self.definition, self.dataset, drawn_from=drawn)

    def original_seeds(self, secret: bytes) -> list[int]:
        """Give the seeds of the original models to try, the first fit one of which is taken."""
        if self.drawn_for is None:
            return [self.definition.original_seed]
        return derive_seeds(secret, self.purpose("original"), MOST_ORIGINALS)


def build_benchmark(
    order: Order,
    destination: Path,
    *,
    parts: Sequence[Path] = (),
    progress: Progress = lambda *_: None,
    announce: Callable[[Disk], None] = lambda _: None,
) -> Bundle:
    """Build a benchmark into `destination`, taking up what `train_part` put into other directories.

    A benchmark that is not fit is built all the same, and says so in its manifest. Raises AlreadyBuilt, BuildRunning,
    NoRoom, Interrupted or DivergedOracle.
    """
    if destination.exists():
        raise AlreadyBuilt(f"{destination} exists. Delete it to build anew, or choose another place with --out.")
    with only_build(destination) as work:
        secret = secret_of(work, order.secret)
        whole = order.cut(secret)
        architecture = _architecture(order, whole)
        disk = _plan(order, architecture, whole)
        announce(disk)
        check_room(disk, work)
        _take_up(parts, work / "models")
        bundle = work / "bundle"
        shutil.rmtree(bundle, ignore_errors=True)
        with Farm(architecture, whole.splits, work / "models") as farm:
            _Building(order, secret, whole, architecture, farm, progress).build(bundle, disk)
        if order.keep_checkpoints:
            (work / "checkpoints.zip").rename(destination.with_name(f"{destination.name}.checkpoints.zip"))
        bundle.rename(destination)
        shutil.rmtree(work, ignore_errors=True)
    return Bundle(destination)


def train_part(order: Order, destination: Path, first: int, last: int, *, progress: Progress = lambda *_: None) -> None:
    """Train the seeds from `first` to below `last` of both oracles into a directory that a build can take up.

    The order must have the secret that the build will have. Raises BadSeeds, NoRoom or Interrupted.
    """
    assert order.secret is not None
    whole = order.cut(order.secret)
    architecture = _architecture(order, whole)
    size = chunk_size(architecture)
    if not 0 <= first < last or first % size:
        raise BadSeeds(
            f"{first}:{last} is no range of seeds: models are trained {size} at a time, so the first must be a "
            f"multiple of {size}, and below the last."
        )
    with only_build(destination) as work, Farm(architecture, whole.splits, destination) as farm:
        check_room(_plan(replace(order, seeds=last - first), architecture, whole), work)
        building = _Building(order, order.secret, whole, architecture, farm, progress)
        for oracle in ORACLES:
            seeds = derive_seeds(order.secret, order.purpose(oracle), last)[first:]
            building.train(building.job(keep_models=order.keep_checkpoints), seeds, oracle)
    shutil.rmtree(destination.with_name(f"{destination.name}.building"), ignore_errors=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    """Where unlearning starts, and how that was judged."""

    original: Stacked  # of one model
    originals: Stacked | None  # one for each seed, in certified benchmarks
    measured: Trained
    draw: int
    placebos: Placebos


@dataclass(slots=True, eq=False)
class _Building:
    """One build under way."""

    order: Order
    secret: bytes
    cut: Cut
    architecture: Architecture
    farm: Farm
    progress: Progress

    def build(self, root: Path, disk: Disk) -> None:
        order, splits = self.order, self.cut.splits
        oracle, second = (self._retrain(name) for name in ORACLES)
        placebo = order.definition.placebo
        start = self._originals(oracle[0], second[0]) if placebo is None else self._original(oracle[0], placebo)
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
        untrained = initialise(
            self.architecture, derive_seeds(self.secret, order.purpose("untrained"), UNTRAINED_MODELS)
        )
        write_bundle(
            root,
            Built(
                name=order.name or order.definition.name,
                definition=order.definition,
                scenario_text=order.scenario_text,
                drawn_for=order.drawn_for,
                original_draw=start.draw,
                dataset=order.dataset,
                cut=self.cut,
                architecture=self.architecture,
                secret=self.secret,
                original={name: value[0] for name, value in start.original.items()},
                originals=start.originals,
                measured={
                    "oracle": oracle[0].measurements,
                    "second_oracle": second[0].measurements,
                    "original": start.measured.measurements,
                    "untrained": Trained.from_arrays([measure(self.architecture, untrained, splits)]).measurements,
                },
                replaced=oracle[1] + second[1],
                fitness=fitness,
                disk=disk,
            ),
        )
        if order.keep_checkpoints:
            self._pack(root.with_name("checkpoints.zip"), {"oracle": oracle[0], "second_oracle": second[0]})

    def job(self, *, keep_models: bool) -> Job:
        return Job(self.order.definition.recipe, keep_models=keep_models)

    def train(self, job: Job, seeds: Sequence[int], stage: str) -> list[Path]:
        return self.farm.run(job, seeds, lambda done: self.progress(stage, done, len(seeds)))

    def _measured(self, job: Job, seeds: Sequence[int], stage: str) -> Trained:
        return Trained.from_arrays([load_file(file) for file in self.train(job, seeds, stage)])

    def _retrain(self, stage: str) -> tuple[Trained, int]:
        """Retrain an oracle, none of it diverged; its stage is also what its seeds derive from."""
        purpose, count = self.order.purpose(stage), self.order.seeds
        job = self.job(keep_models=self.order.keep_checkpoints)
        return train_without_diverged(
            lambda seeds: self._measured(job, seeds, stage),
            seeds=derive_seeds(self.secret, purpose, count),
            spare=lambda number: derive_seed(self.secret, purpose, count + number),
        )

    def _original(self, oracle: Trained, placebo: Placebo) -> _Start:
        """Train the original model and judge it by the placebo; of several, take the first that is fit, or the best."""
        order, splits = self.order, self.cut.splits
        starts = [
            models_beside(self.train(self.job(keep_models=True), [seed], "models that never saw the forget set")[0])
            for seed in derive_seeds(self.secret, order.purpose("placebo start"), placebo.starts)
        ]
        placebos = tuple(
            self._placebo(placebo, start, f"placebo {number} of {len(starts)}", oracle)
            for number, start in enumerate(starts, start=1)
        )
        tried = []
        for draw, seed in enumerate(order.original_seeds(self.secret)):
            job = replace(self.job(keep_models=True), trained_on="everything")
            file = self.train(job, [seed], f"original model {draw + 1}")[0]
            model = Trained.from_arrays([load_file(file)])
            real = self._placebo(placebo, models_beside(file), f"fitness of original {draw + 1}", oracle)
            judged = Placebos(real, placebos)
            learned = forget_accuracy(model, splits) >= MIN_FORGET_ACCURACY
            tried.append(_Start(load_models(models_beside(file)), None, model, draw, judged))
            if learned and judged.ratio >= order.min_placebo_ratio:
                return tried[-1]
        return max(tried, key=lambda one: one.placebos.ratio)

    def _originals(self, oracle: Trained, second: Trained) -> _Start:
        """Learn an original for each seed, and one to show. Here the reference algorithm does nothing at all.

        What is published of a model gets noise; where unlearning starts from, which is secret, does not.
        """
        recipe = self.order.definition.recipe
        assert isinstance(recipe, NoisyDescent)
        job = Job(replace(recipe, published_sigma=0.0), trained_on="everything", keep_models=True)
        seeds = derive_seeds(self.secret, self.order.purpose("originals"), self.order.seeds + 1)
        files = self.train(job, seeds, "original models")
        chunks = [load_models(models_beside(file)) for file in files]
        models = {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}
        own = {name: value[:-1].contiguous() for name, value in models.items()}
        measured = Trained.from_arrays([measure(self.architecture, own, self.cut.splits)])
        judged = [
            quality_of(self.order.quality, one.measurements.forget_logits, oracle, self.cut.splits)
            for one in (measured, second)
        ]
        shown = {name: value[-1:] for name, value in models.items()}
        return _Start(shown, own, measured, 0, Placebos(judged[0], (judged[1],)))

    def _placebo(self, placebo: Placebo, start: Path, stage: str, oracle: Trained) -> float:
        """Compute F of the reference algorithm, run from one model."""
        job = Job(placebo.recipe, start=start, deviation=placebo.deviation, keep="forget_logits")
        count = min(placebo.models, self.order.seeds)
        files = self.train(job, derive_seeds(self.secret, self.order.purpose(stage), count), stage)
        logits = [load_file(file)["forget_logits"] for file in files]
        return quality_of(self.order.quality, np.concatenate(logits), oracle, self.cut.splits)

    def _pack(self, archive: Path, oracles: dict[str, Trained]) -> None:
        stage = "packing checkpoints"
        pack_checkpoints(
            archive,
            sorted(self.farm.store.glob("*.models")),
            {name: trained.measurements for name, trained in oracles.items()},
            progress=lambda done, total: self.progress(stage, done, total),
        )


def _architecture(order: Order, whole: Cut) -> Architecture:
    return Architecture(order.definition.architecture, tuple(order.dataset.images.shape[1:]), whole.classes)


def _plan(order: Order, architecture: Architecture, whole: Cut) -> Disk:
    placebo, size = order.definition.placebo, chunk_size(architecture)
    originals = len(order.original_seeds(b"")) if placebo else order.seeds + 1
    runs = min(placebo.models, order.seeds) * (placebo.starts + originals) if placebo else 0
    return plan_disk(
        architecture(),
        whole.splits,
        whole.classes,
        seeds=order.seeds + size,  # diverged ones and their replacements
        placebo_models=runs,
        kept_models=(placebo.starts if placebo else 0) + originals,
        pack=order.keep_checkpoints,
    )


def _take_up(parts: Sequence[Path], store: Path) -> None:
    """Copy what other machines trained; files are named after what they hold, so nothing foreign is ever used."""
    store.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if not part.is_dir():
            raise BadInput(f"{part} is no directory. Name what `lethe benchmark build --seeds 0:256 --out …` wrote.")
        for file in part.iterdir():
            if file.suffix in {".safetensors", ".models"} and not (store / file.name).exists():
                partial = store / f"{file.name}.partial"
                shutil.copyfile(file, partial)
                partial.replace(store / file.name)
