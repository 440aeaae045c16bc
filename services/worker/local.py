"""Running a submission on this machine without a server: the same sandbox, supervision and measuring as a worker's."""

import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.bundle.stress import StressReadings
from services.core.models import Device
from services.core.settings import Settings
from services.core.submission.file import unpack
from services.core.submission.source import UNTOLD_PYTHON, Python
from services.worker.backends import make_sandbox
from services.worker.kinds import Kind, Module, Notebook
from services.worker.measurers import Measurers
from services.worker.notebooks import NotebookLimits
from services.worker.sandbox.base import LOG_TAIL_BYTES, Sandbox, SandboxUnavailable
from services.worker.seeds import derive_seeds
from services.worker.slots import Slot, make_slots, stage_code
from services.worker.station import OWN, Place, SeedResult, SeedTime, Station, Stopped, Traces
from services.worker.supervisor import RunLimits
from services.worker.workplace import workplace

__all__ = ["LocalRun", "LocalWorker", "local_worker", "run_notebook_locally"]

SEED_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class LocalRun:
    """The measurements of all seeds, in seed order, with the time and memory of the runs."""

    measurements: Measurements
    run_s: float  # mean wall clock of one unlearning run
    peak_memory_bytes: int  # of the largest process of any run
    provenance: dict[str, str]
    stress: StressReadings | None = None  # if the limits ask for it
    placebo: Measurements | None = None  # of placebo runs, if there were any
    times: Sequence[SeedTime] = ()  # of all seeds, in seed order


class LocalWorker:
    """Runs modules one after another, each in all slots of one device at once.

    It keeps its sandbox and warm measurers from one submission to the next, as a worker does.
    """

    def __init__(self, sandbox: Sandbox, measurers: Measurers, slots: Sequence[Slot]) -> None:
        self._sandbox, self._measurers, self._slots = sandbox, measurers, slots

    def provenance(self, place: Place = OWN) -> dict[str, str]:
        """Describe sandbox and environment, also of runs that fail."""
        return place.described(self._sandbox.provenance())

    def run(
        self,
        bundle: Bundle,
        *,
        filename: str,
        data: bytes,
        limits: RunLimits,
        seed_key: bytes | None = None,
        place: Place = OWN,
        python: Python = UNTOLD_PYTHON,
        traces: Traces | None = None,
        on_seed: Callable[[], None] = lambda: None,
        order: Sequence[int] | None = None,
        placebos: int = 0,
        trained: Collection[int] = (),
    ) -> LocalRun:
        """Run every seed of a submission, or those in `order` in that order; measure each model.

        The first `placebos` seeds also get a placebo run, if the benchmark has placebo models; beside the `trained`
        ones a run of the trainer in `limits` is timed.
        However the runs end, `traces` then has the end of their printed output.
        Raises RunFailed for the first seed that fails, and SandboxUnavailable.
        """
        indexes = range(limits.seeds) if order is None else order
        seeds = derive_seeds(
            seed_key or secrets.token_bytes(SEED_KEY_BYTES), indexes, placebos=placebos, trained=trained
        )
        module, failed = Module(limits, seeds), threading.Event()
        for slot in self._slots:
            slot.clear()
            unpack(filename, data, slot.submission, python)
        stations = [
            Station(self._sandbox, self._measurers, slot, bundle, f"local-{slot.number}", failed.is_set, place)
            for slot in self._slots
        ]
        results = _side_by_side(module, stations, failed, traces or Traces(), on_seed)
        return LocalRun(
            measurements=Measurements.stack([result.blob for result in results]),
            run_s=sum(result.run_s for result in results) / len(results),
            peak_memory_bytes=max(result.peak_memory_bytes for result in results),
            provenance=module.provenance(stations[0]),
            stress=_stressed(results),
            placebo=_placebo(results),
            times=[result.time for result in results],
        )


def _stressed(results: Sequence[SeedResult]) -> StressReadings | None:
    found = [(result.stress, result.index) for result in results if result.stress]
    return StressReadings.stack(*zip(*found, strict=True)) if found else None


def _placebo(results: Sequence[SeedResult]) -> Measurements | None:
    found = [result.placebo for result in results if result.placebo]
    return Measurements.stack(found) if found else None


@contextmanager
def local_worker(settings: Settings, device: Device | None = None) -> Iterator[LocalWorker]:
    """Open a worker on one device; by default on the GPUs if the machine has any. Raises SandboxUnavailable."""
    with workplace(settings.make_data_dir(), "evaluate") as work:
        slots = _slots_on(device, make_slots(settings, work))
        with _opened(settings, work) as (sandbox, measurers):
            yield LocalWorker(sandbox, measurers, slots)


def run_notebook_locally(
    settings: Settings,
    bundle: Bundle,
    *,
    data: bytes,
    limits: NotebookLimits,
    place: Place = OWN,
    traces: Traces,
    on_seed: Callable[[], None] = lambda: None,
) -> tuple[list[SeedResult], dict[str, str]]:
    """Run a notebook in the first slot; return its checkpoints' readings in order, and its provenance.

    Raises RunFailed, NotForNotebooks or SandboxUnavailable.
    """
    notebook = Notebook(limits, settings.bundle_cache)
    with workplace(settings.make_data_dir(), "notebook") as work:
        slot = make_slots(settings.model_copy(update={"worker_slots": 1}), work)[0]
        unpack("notebook.ipynb", data, slot.submission)
        with _opened(settings, work) as (sandbox, measurers):
            station = Station(sandbox, measurers, slot, bundle, "local-notebook", lambda: False, place)
            return _results(notebook, station, traces, on_seed), notebook.provenance(station)


@contextmanager
def _opened(settings: Settings, work: Path) -> Iterator[tuple[Sandbox, Measurers]]:
    with closing(make_sandbox(settings, work, stage_code(work))) as sandbox, closing(Measurers(sandbox)) as measurers:
        yield sandbox, measurers


def _results(kind: Kind, station: Station, traces: Traces, on_seed: Callable[[], None]) -> list[SeedResult]:
    """Run a submission at one station; return its readings in the order of their seeds."""
    results = []
    with closing(kind.run(station, traces)) as readings:
        for result in readings:
            results.append(result)
            on_seed()
    return sorted(results, key=lambda result: result.index)


def _side_by_side(
    module: Module,
    stations: Sequence[Station],
    failed: threading.Event,
    traces: Traces,
    on_seed: Callable[[], None],
) -> list[SeedResult]:
    """Deal the seeds out to stations in turn; if one fails, stop the others through `failed` and raise its failure."""

    parts = [Traces() for _ in stations]

    def run(part: int) -> list[SeedResult]:
        own = module.share(part, len(stations))
        try:
            return _results(own, stations[part], parts[part], on_seed) if own.seeds else []
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(len(stations)) as pool:
        futures = [pool.submit(run, part) for part in range(len(stations))]
    traces.printed = "".join(part.printed for part in parts)[-LOG_TAIL_BYTES:]
    errors = [error for future in futures if (error := future.exception()) is not None]
    if errors:
        raise next((error for error in errors if not isinstance(error, Stopped)), errors[0])
    return sorted((result for future in futures for result in future.result()), key=lambda result: result.index)


def _slots_on(device: Device | None, slots: Sequence[Slot]) -> list[Slot]:
    """Choose the slots of one device; by default the device of the first slot, which gets a GPU if there is one."""
    wanted = device or slots[0].device
    chosen = [slot for slot in slots if slot.device is wanted]
    if not chosen:
        raise SandboxUnavailable(
            f"This machine has no {wanted.value.upper()} slot. Run `lethe doctor` to see what it has."
        )
    return chosen
