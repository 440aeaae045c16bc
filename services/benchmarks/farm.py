"""Trains many models on all cores, and never trains the same model twice.

One process with one thread trains each chunk: two processes with a thread each train more models than one process with
two. On a GPU, this process trains the models of many chunks in lockstep, and writes the same files. A finished chunk is
written to disk as measurements (and as models, if the job keeps them), under a name that depends on everything that
determines the models. So a killed build continues where it stopped, machines can share the work, and models of another
recipe are never used.
"""

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_models
from safetensors.torch import save_file as save_models

from services.benchmarks.architecture import Architecture
from services.benchmarks.examples import Examples, Splits
from services.benchmarks.measuring import forget_logits_of, measure
from services.benchmarks.recipes import NoisyDescent, Recipe
from services.benchmarks.training import Stacked, chunk_size, initialise, most_together, perturb, repeat, train
from services.core.errors import LetheError
from services.core.processes import end_with_parent

__all__ = ["Farm", "Interrupted", "Job", "models_beside"]

Arrays = dict[str, NDArray[Any]]
Chunks = Sequence[tuple[list[int], Path]]  # the seeds of each, and its file
DATA = ".data"  # suffix of the files from which processes read their data


class Interrupted(LetheError):
    """A training process died. Finished models are kept."""

    code = "training_interrupted"
    status = 500


@dataclass(frozen=True, slots=True)
class Job:
    """How to train models of one kind from their seeds, and what to keep of them."""

    recipe: Recipe | NoisyDescent
    trained_on: Literal["retain", "everything"] = "retain"
    start: Path | None = None  # a file of models; all runs start from its first one. None: from scratch
    deviation: float = 0.0  # standard deviation of the noise added to a start's weights
    keep: Literal["measurements", "forget_logits"] = "measurements"
    keep_models: bool = False


@dataclass(slots=True, eq=False)
class _Shop:
    """The architecture and the data of a training process."""

    build: Architecture
    splits: Splits
    _everything: list[Examples] = field(default_factory=list)

    def examples(self, job: Job) -> Examples:
        """Return the training set of a job."""
        if job.trained_on == "retain":
            return self.splits.retain
        if not self._everything:
            self._everything.append(self.splits.retain.joined(self.splits.forget))
        return self._everything[0]

    def work(self, job: Job, chunks: Chunks) -> int:
        """Train the models of some chunks together, and write what the job keeps of each; return how many there are."""
        seeds = [seed for chunk, _ in chunks for seed in chunk]
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            models = train(
                self.build,
                self._start(job, seeds),
                examples=self.examples(job),
                seeds=seeds,
                recipe=job.recipe,
                validation=self.splits.validation,
            )
            kept = self._kept(job, models)
        finally:
            torch.set_num_threads(threads)
        first = 0
        for chunk, file in chunks:
            own = slice(first, first + len(chunk))
            if job.keep_models:
                whole = {name: value[own].cpu().contiguous() for name, value in models.items()}
                _write(save_models, whole, models_beside(file))
            _write(save_file, {name: np.ascontiguousarray(value[own]) for name, value in kept.items()}, file)
            first = own.stop
        return len(seeds)

    def together(self, job: Job) -> int:
        """Return how many models this process trains in lockstep on its GPU; 0 if processes had better share them."""
        lockstep = torch.cuda.is_available() and isinstance(job.recipe, Recipe) and self.build.stacks()
        return most_together(self.build) if lockstep else 0

    def compute(self, work: "Work", task: Any, file: Path) -> int:
        """Work on one task with one thread, and write its arrays."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            _write(save_file, work(self.build, self.splits, task), file)
        finally:
            torch.set_num_threads(threads)
        return 1

    def _start(self, job: Job, seeds: Sequence[int]) -> Stacked:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if job.start is None:
            models = initialise(self.build, seeds)
        else:
            models = repeat({name: value[0] for name, value in load_models(job.start).items()}, len(seeds))
            names = [name for name, _ in self.build().named_parameters()]
            models = perturb(models, parameters=names, deviation=job.deviation, seeds=seeds)
        return {name: value.to(device) for name, value in models.items()}

    def _kept(self, job: Job, models: Stacked) -> Arrays:
        if job.keep == "forget_logits":
            return {"forget_logits": forget_logits_of(self.build, models, self.splits.forget)}
        return measure(self.build, models, self.splits)


Work = Callable[[Architecture, Splits, Any], Arrays]
_shop: _Shop | None = None  # of this process, if it belongs to a pool


class Farm:
    """A pool of training processes for one build. Use it in a `with` statement."""

    def __init__(self, build: Architecture, splits: Splits, store: Path) -> None:
        self.store = store
        self._shop = _Shop(build, splits)
        self._pool: ProcessPoolExecutor | None = None
        self._data_sha256 = _hash_of(splits)
        store.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        for file in self.store.glob(f"*{DATA}"):
            file.unlink()

    def run(self, job: Job, seeds: Sequence[int], progress: Callable[[int], None] = lambda _: None) -> list[Path]:
        """Train one model per seed, or find it in the store; return the files of all chunks, in order.

        `progress` gets the number of finished models. Raises Interrupted if a process died, for example for lack of
        memory.
        """
        size = chunk_size(self._shop.build)
        chunks = [list(seeds[first : first + size]) for first in range(0, len(seeds), size)]
        files = self.files_of(job, chunks)
        missing = [
            (chunk, file) for chunk, file in zip(chunks, files, strict=True) if not _is_whole(job, file, len(chunk))
        ]
        done = len(seeds) - sum(len(chunk) for chunk, _ in missing)
        progress(done)
        for count in self._work(job, missing):
            done += count
            progress(done)
        return files

    def compute(
        self, work: Work, tasks: Sequence[tuple[Any, Path]], progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Have each task worked on by a process that has the data, and write the resulting arrays to the task's file.

        Files that are there stay. `progress` gets the number of finished tasks. Raises Interrupted.
        """
        missing = [(task, file) for task, file in tasks if not file.exists()]
        done = len(tasks) - len(missing)
        progress(done)
        if min(os.cpu_count() or 1, len(missing)) <= 1:
            finished: Iterator[int] = (self._shop.compute(work, task, file) for task, file in missing)
        else:
            finished = self._side_by_side([(_compute, work, task, file) for task, file in missing])
        for count in finished:
            done += count
            progress(done)

    def files_of(self, job: Job, chunks: Sequence[Sequence[int]]) -> list[Path]:
        """Name the file of each chunk by a hash of everything on which its models depend."""
        start = None if job.start is None else hashlib.sha256(job.start.read_bytes()).hexdigest()
        described = asdict(job) | {"start": start, "architecture": self._shop.build.source()}
        common = hashlib.sha256(json.dumps(described, sort_keys=True).encode() + self._data_sha256).digest()
        return [
            self.store / f"{hashlib.sha256(common + json.dumps(list(chunk)).encode()).hexdigest()[:32]}.safetensors"
            for chunk in chunks
        ]

    def _work(self, job: Job, missing: Chunks) -> Iterator[int]:
        """Train the missing chunks; yield the number of models of each part of them when it is finished."""
        size = chunk_size(self._shop.build)
        parts = in_parts(missing, max(1, self._shop.together(job) // size))
        if self._shop.together(job) or min(os.cpu_count() or 1, len(parts)) <= 1:
            for part in parts:
                yield self._shop.work(job, part)
            return
        yield from self._side_by_side([(_work, job, part) for part in parts])

    def _side_by_side(self, calls: Sequence[tuple[Any, ...]]) -> Iterator[int]:
        """Make calls in the pool; yield what each returns when it is finished."""
        try:
            futures = [self._started().submit(*call) for call in calls]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise Interrupted(
                "A training process was killed, perhaps for lack of memory. Run the same command again; it keeps the "
                "finished models."
            ) from error

    def _started(self) -> ProcessPoolExecutor:
        """Return the pool, started on first use. It spawns processes, because torch's threads do not survive a fork."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                os.cpu_count() or 1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_open_shop,
                initargs=(self._shop.build, self._write_data()),
            )
        return self._pool

    def _write_data(self) -> dict[str, Path]:
        """Write the data to files for the processes; a pipe would block forever if a process died early."""
        files = {}
        for name, examples in self._shop.splits.named().items():
            files[name] = self.store / f"{name}{DATA}"
            _write(save_file, examples.arrays(), files[name])
        return files


def in_parts(chunks: Chunks, size: int) -> list[Chunks]:
    """Divide chunks into parts of `size`; the last one may be smaller."""
    return [chunks[first : first + size] for first in range(0, len(chunks), size)]


def models_beside(file: Path) -> Path:
    """Name the file for a chunk's models, if the job keeps them."""
    return file.with_suffix(".models")


def _open_shop(build: Architecture, data: dict[str, Path]) -> None:
    end_with_parent()
    global _shop  # noqa: PLW0603 - each process reads the data only once
    _shop = _Shop(build, Splits(**{name: Examples.of_arrays(load_file(file)) for name, file in data.items()}))


def _work(job: Job, chunks: Chunks) -> int:
    assert _shop is not None
    return _shop.work(job, chunks)


def _compute(work: Work, task: Any, file: Path) -> int:
    assert _shop is not None
    return _shop.compute(work, task, file)


def _write(save: Callable[[Any, Path], None], arrays: dict[str, Any], file: Path) -> None:
    partial = file.with_name(f"{file.name}.partial-{os.getpid()}")
    save(arrays, partial)
    partial.replace(file)


def _is_whole(job: Job, file: Path, models: int) -> bool:
    """Tell whether a file contains all models of its chunk. Only complete files get their final name."""
    try:
        found = all(len(value) == models for value in load_file(file).values())
        if job.keep_models:
            found &= all(len(value) == models for value in load_file(models_beside(file)).values())
    except (OSError, SafetensorError):
        return False
    return found


def _hash_of(splits: Splits) -> bytes:
    digest = hashlib.sha256()
    for name, examples in splits.named().items():
        for key, array in sorted(examples.arrays().items()):
            digest.update(f"{name}|{key}|{array.dtype}|{array.shape}|".encode())
            digest.update(array.data)
    return digest.digest()
