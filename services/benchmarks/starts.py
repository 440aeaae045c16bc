"""Trains the models where unlearning starts: one, a few that runs are spread over, or one for every seed."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_models

from services.benchmarks.definitions import Placebo
from services.benchmarks.farm import Job, models_beside
from services.benchmarks.fitness import MIN_FORGET_ACCURACY, Placebos, forget_accuracy, quality_of
from services.benchmarks.measuring import Trained, measure
from services.benchmarks.oracle import find_diverged
from services.benchmarks.recipes import NoisyDescent
from services.benchmarks.training import Stacked
from services.benchmarks.workshop import Workshop

__all__ = ["Start", "one_original", "originals_of_all_seeds"]


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """The model or models where unlearning starts, and the results of the placebo test."""

    original: Stacked  # one model
    originals: Stacked | None  # those that runs are spread over, stacked; None if all runs start from one
    measured: Trained
    draw: int
    placebos: Placebos
    kept: Stacked | None = None  # models that never saw the forget set, from which placebo runs start
    kept_measured: Trained | None = None


def one_original(shop: Workshop, oracle: Trained, placebo: Placebo) -> Start:
    """Train original models and judge them by the placebo test; return the first fit one, or else the best."""
    order, splits = shop.order, shop.cut.splits
    never_saw = shop.seeds("placebo start", max(placebo.starts, order.placebos))
    files = [
        shop.train(shop.job(keep_models=True), [seed], "models that never saw the forget set")[0]
        for seed in never_saw[: placebo.starts]
    ]
    starts = [models_beside(file) for file in files]
    placebos = tuple(
        _placebo_quality(shop, placebo, start, f"placebo {number} of {len(starts)}", oracle)
        for number, start in enumerate(starts, start=1)
    )
    tried = []
    for draw, seed in enumerate(order.original_seeds(shop.secret)):
        job = replace(shop.job(keep_models=True), trained_on="everything")
        file = shop.train(job, [seed], f"original model {draw + 1}")[0]
        model = Trained.from_arrays([load_file(file)])
        real = _placebo_quality(shop, placebo, models_beside(file), f"fitness of original {draw + 1}", oracle)
        judged = Placebos(real, placebos)
        learned = forget_accuracy(model, splits) >= MIN_FORGET_ACCURACY
        tried.append(Start(load_models(models_beside(file)), None, model, draw, judged))
        if learned and judged.ratio >= order.min_placebo_ratio:
            break
    else:
        tried.append(max(tried, key=lambda one: one.placebos.ratio))
    files += shop.train(shop.job(keep_models=True), never_saw[placebo.starts :], "starts of placebo runs")
    return _with_placebos(shop, _with_further(shop, tried[-1]), files)


def _with_further(shop: Workshop, first: Start) -> Start:
    """Train further originals, learned independently on the same data; runs are spread over all of them."""
    count = shop.order.originals - 1
    if not count:
        return first
    job = replace(shop.job(keep_models=True), trained_on="everything")
    files = shop.train(job, shop.seeds("further originals", count), "further originals")
    models = [load_models(models_beside(file)) for file in files]
    stacked = {name: torch.cat([value, *(one[name] for one in models)]) for name, value in first.original.items()}
    measured = Trained.from_arrays([first.measured.arrays(), *(load_file(file) for file in files)])
    return replace(first, originals={name: value.contiguous() for name, value in stacked.items()}, measured=measured)


def _with_placebos(shop: Workshop, start: Start, files: list[Path]) -> Start:
    """Keep models that never saw the forget set, except diverged ones: no run could start from these."""
    if not shop.order.placebos:
        return start
    measured = Trained.from_arrays([load_file(file) for file in files])
    diverged = set(find_diverged(measured))
    well = [place for place in range(len(measured.finite)) if place not in diverged][: shop.order.placebos]
    chunks = [load_models(models_beside(file)) for file in files]
    models = {name: torch.cat([chunk[name] for chunk in chunks])[well].contiguous() for name in chunks[0]}
    return replace(
        start,
        kept=models,
        kept_measured=Trained.from_arrays([{name: array[well] for name, array in measured.arrays().items()}]),
    )


def originals_of_all_seeds(shop: Workshop, oracle: Trained, second: Trained) -> Start:
    """Train one original model per seed, and one for the public part. The reference algorithm here does nothing.

    Models to publish get noise. The secret models where unlearning starts get none.
    """
    recipe = shop.order.definition.recipe
    assert isinstance(recipe, NoisyDescent)
    job = Job(replace(recipe, published_sigma=0.0), trained_on="everything", keep_models=True)
    files = shop.train(job, shop.seeds("originals", shop.order.seeds + 1), "original models")
    chunks = [load_models(models_beside(file)) for file in files]
    models = {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}
    own = {name: value[:-1].contiguous() for name, value in models.items()}
    measured = Trained.from_arrays([measure(shop.architecture, own, shop.cut.splits)])
    judged = [
        quality_of(shop.order.quality, one.measurements.forget_logits, oracle, shop.cut.splits)
        for one in (measured, second)
    ]
    shown = {name: value[-1:] for name, value in models.items()}
    return Start(shown, own, measured, 0, Placebos(judged[0], (judged[1],)))


def _placebo_quality(shop: Workshop, placebo: Placebo, start: Path, stage: str, oracle: Trained) -> float:
    """Compute F of the reference algorithm, run from one model."""
    job = Job(placebo.recipe, start=start, deviation=placebo.deviation, keep="forget_logits")
    files = shop.train(job, shop.seeds(stage, min(placebo.models, shop.order.seeds)), stage)
    logits = [load_file(file)["forget_logits"] for file in files]
    return quality_of(shop.order.quality, np.concatenate(logits), oracle, shop.cut.splits)
