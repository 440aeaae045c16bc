"""Running a submission on this machine without a server: the same sandbox, supervision and measuring as a worker's."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.models import Device
from services.core.settings import Settings
from services.core.submission.file import unpack
from services.worker.backends import make_sandbox
from services.worker.measuring import MeasurerProcess
from services.worker.notebooks import NotebookLimits, NotebookRun, run_notebook
from services.worker.sandbox.base import Sandbox, SandboxUnavailable
from services.worker.seeds import derive_seeds
from services.worker.slots import Slot, make_slots, stage_code
from services.worker.supervisor import RunLimits, Seed, SeedResult, Stopped, run_seeds
from services.worker.workplace import workplace

__all__ = ["LocalRun", "run_locally", "run_notebook_locally"]

SEED_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class LocalRun:
    """The measurements of all seeds, in seed order, and what they cost."""

    measurements: Measurements
    run_s: float  # mean wall clock of one unlearning run
    wall_s: float
    peak_memory_bytes: int  # of the largest process of any run
    provenance: dict[str, str]


def run_locally(
    settings: Settings,
    bundle: Bundle,
    *,
    filename: str,
    data: bytes,
    limits: RunLimits,
    seed_key: bytes | None = None,
    device: Device | None = None,
    on_seed: Callable[[], None] = lambda: None,
) -> LocalRun:
    """Run every seed, side by side in as many slots as the machine has on a device: on a GPU where it has one.

    Raises RunFailed for the first seed that fails, and SandboxUnavailable.
    """
    started = time.monotonic()
    with workplace(settings.data_dir, "evaluate") as work:
        slots = _slots_on(device, make_slots(settings, work))
        for slot in slots:
            unpack(filename, data, slot.submission)
        seeds = derive_seeds(seed_key or secrets.token_bytes(SEED_KEY_BYTES), range(limits.seeds))
        with closing(make_sandbox(settings, work, stage_code(work))) as sandbox:
            results = _Job(sandbox, slots, bundle, seeds, limits, on_seed, threading.Event()).results()
    results.sort(key=lambda result: result.index)
    return LocalRun(
        measurements=Measurements.stack([result.blob for result in results]),
        run_s=sum(result.run_s for result in results) / len(results),
        wall_s=time.monotonic() - started,
        peak_memory_bytes=max(result.peak_memory_bytes for result in results),
        provenance=sandbox.provenance(),
    )


def run_notebook_locally(
    settings: Settings,
    bundle: Bundle,
    *,
    data: bytes,
    limits: NotebookLimits,
    run: NotebookRun,
    on_written: Callable[[int], None] = lambda _: None,
    on_seed: Callable[[], None] = lambda: None,
    on_log: Callable[[bytes], None] | None = None,
) -> tuple[list[SeedResult], dict[str, str]]:
    """Run a notebook in the first slot; return its checkpoints' readings in order, and where it ran.

    `run` is filled as it goes on. Raises RunFailed, NotForNotebooks or SandboxUnavailable.
    """
    with workplace(settings.data_dir, "notebook") as work:
        slot = make_slots(settings.model_copy(update={"worker_slots": 1}), work)[0]
        unpack("notebook.ipynb", data, slot.submission)
        with closing(make_sandbox(settings, work, stage_code(work))) as sandbox:
            measurers: list[MeasurerProcess] = []
            results: list[SeedResult] = []

            def measurer() -> MeasurerProcess:
                measurers.append(MeasurerProcess(sandbox, slot, bundle))
                return measurers[-1]

            try:
                for result in run_notebook(
                    sandbox,
                    slot,
                    bundle,
                    run,
                    limits=limits,
                    measurer=measurer,
                    cache=settings.bundle_cache,
                    lease="local-notebook",
                    stopped=lambda: False,
                    on_written=on_written,
                    on_log=on_log,
                ):
                    results.append(result)
                    on_seed()
            finally:
                for one in measurers:
                    one.end()
            results.sort(key=lambda result: result.index)
            return results, sandbox.provenance() | {"cuda": limits.cuda_in(slot)}


def _slots_on(device: Device | None, slots: Sequence[Slot]) -> list[Slot]:
    """Choose the slots of one device; without a wish those of the first slot's, where the GPUs are."""
    wanted = device or slots[0].device
    chosen = [slot for slot in slots if slot.device is wanted]
    if not chosen:
        raise SandboxUnavailable(f"No slot here has a {wanted.value.upper()}; `lethe doctor` says what there is.")
    return chosen


@dataclass(frozen=True, slots=True)
class _Job:
    sandbox: Sandbox
    slots: Sequence[Slot]
    bundle: Bundle
    seeds: Sequence[Seed]
    limits: RunLimits
    on_seed: Callable[[], None]
    failed: threading.Event

    def results(self) -> list[SeedResult]:
        """Deal the seeds out to slots in turn; when one slot fails, stop the others and raise its failure."""
        with ThreadPoolExecutor(len(self.slots)) as pool:
            futures = [pool.submit(self._run, slot) for slot in self.slots]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise next((error for error in errors if not isinstance(error, Stopped)), errors[0])
        return [result for future in futures for result in future.result()]

    def _run(self, slot: Slot) -> list[SeedResult]:
        own = self.seeds[self.slots.index(slot) :: len(self.slots)]
        try:
            return self._run_seeds(slot, own) if own else []
        except BaseException:
            self.failed.set()
            raise

    def _run_seeds(self, slot: Slot, seeds: Sequence[Seed]) -> list[SeedResult]:
        measurer = MeasurerProcess(self.sandbox, slot, self.bundle)
        results = []
        try:
            for result in run_seeds(
                self.sandbox,
                slot,
                self.bundle,
                measurer=measurer,
                seeds=seeds,
                limits=self.limits,
                lease=f"local-{slot.number}",
                stopped=self.failed.is_set,
            ):
                results.append(result)
                self.on_seed()
        finally:
            measurer.end()
        return results
