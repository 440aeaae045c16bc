"""Training many models from scratch on all cores, and never the same one twice.

Models are trained in chunks, each in lockstep by one process with one thread: two processes with a thread each train
more small nets than one process with two. A finished chunk is written to disk under a name that says what it was
trained from, so a build that was killed goes on where it stopped, and never takes up the models of another recipe.
"""

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from services.benchmarks.lockstep import CHUNK, Build, Stacked, initialise, train
from services.benchmarks.recipes import Recipe
from services.core.errors import LetheError

__all__ = ["Interrupted", "Job", "train_from_scratch"]


class Interrupted(LetheError):
    """A training process died. What was finished is kept."""

    code = "training_interrupted"
    status = 500


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What all models of one kind are trained from."""

    build: Build
    images: NDArray[np.float32]  # [n, ...]
    labels: NDArray[np.int64]  # [n]
    recipe: Recipe

    def name(self, seeds: Sequence[int]) -> str:
        """Name the file of these seeds' models after everything that they depend on."""
        digest = hashlib.sha256(json.dumps([self.recipe.as_dict(), self.build.__module__, *seeds]).encode())
        digest.update(self.images.tobytes())
        digest.update(self.labels.tobytes())
        return f"{digest.hexdigest()[:32]}.safetensors"


def train_from_scratch(
    job: Job, seeds: Sequence[int], *, store: Path, progress: Callable[[int], None] = lambda _: None
) -> Stacked:
    """Train one model per seed, or take those that `store` holds already; `progress` gets the models there so far.

    Raises Interrupted when a process died, as for want of memory.
    """
    store.mkdir(parents=True, exist_ok=True)
    chunks = [list(seeds[first : first + CHUNK]) for first in range(0, len(seeds), CHUNK)]
    files = [store / job.name(chunk) for chunk in chunks]
    missing = [(chunk, file) for chunk, file in zip(chunks, files, strict=True) if not _is_whole(file, len(chunk))]
    done = len(seeds) - sum(len(chunk) for chunk, _ in missing)
    progress(done)
    for count in _train_missing(job, missing):
        done += count
        progress(done)
    parts = [load_file(file) for file in files]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _train_missing(job: Job, missing: Sequence[tuple[list[int], Path]]) -> Iterator[int]:
    """Train chunks on all cores; yield the number of models of each as it is finished."""
    processes = min(os.cpu_count() or 1, len(missing))
    if processes <= 1:
        for chunk, file in missing:
            yield _train_chunk(job, chunk, file)
        return
    # spawned, since torch's threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        try:
            futures = [pool.submit(_train_chunk, job, chunk, file) for chunk, file in missing]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise Interrupted(
                "A training process was killed, perhaps for want of memory. Run the same command again: finished "
                "models are kept."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _train_chunk(job: Job, seeds: list[int], file: Path) -> int:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        models = train(
            job.build,
            initialise(job.build, seeds),
            images=torch.from_numpy(job.images),
            labels=torch.from_numpy(job.labels),
            seeds=seeds,
            recipe=job.recipe,
        )
    finally:
        torch.set_num_threads(threads)
    partial = file.with_suffix(f".partial-{os.getpid()}")
    save_file({name: value.contiguous() for name, value in models.items()}, partial)
    partial.replace(file)
    return len(seeds)


def _is_whole(file: Path, models: int) -> bool:
    """Tell whether a file holds all models of its chunk: only whole ones are ever renamed to their name."""
    try:
        return all(len(value) == models for value in load_file(file).values())
    except (OSError, SafetensorError):
        return False
