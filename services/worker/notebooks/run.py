"""One notebook, from its first cell to the readings of its checkpoints.

Three sandboxes, one after another or side by side, none of which trusts the one before: the notebook's own, which ends
before anything that it left is looked at; the intake, which holds no data and turns each pickled checkpoint into plain
tensors; and the measurer. IntakeProcess and measurer work at the same time, each on a checkpoint of its own.
"""

import contextlib
import itertools
import json
import os
import queue
import re
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.core.queue.lifecycle import DRY_RUN_CHECKPOINTS
from services.worker import failures
from services.worker.failures import RunFailed
from services.worker.measuring import MeasurerProcess
from services.worker.notebooks.intake import IntakeProcess
from services.worker.notebooks.layout import benchmark_layout, dry_layout, mock_layout
from services.worker.sandbox.base import Exited, Limits, Mount, OutputLine, Sandbox, Sandboxed, Spec
from services.worker.slots import NOBODY, Slot, empty_directory
from services.worker.supervisor import SeedResult, Stopped

__all__ = ["NotebookLimits", "NotebookRun", "disk_needed", "run_notebook"]

INPUT = "/kaggle/input"
COMPETITION = "neurips-2023-machine-unlearning"
MOCK = "mock-cifar10-data"
START_TIMEOUT_S = 120.0
CHECK_EVERY_S = 0.2
USAGE_EVERY_S = 5.0
SPARE_BYTES = 1024**3  # of disk, beside checkpoints, for whatever a notebook writes
MAX_EXECUTED_BYTES = 8 * 1024**2
SCRATCH_BYTES = 2 * 1024**3
CHECKPOINT = re.compile(r"unlearned_checkpoint_\d{1,6}\.pth")
COPIES = 2  # of each checkpoint: in /kaggle/tmp, and in submission.zip


@dataclass(frozen=True, slots=True)
class NotebookLimits:
    """What the phase allows one notebook."""

    seeds: int  # N, the checkpoints that it must write
    timeout_s: float  # wall clock of the whole run
    memory_bytes: int
    data_hidden: bool
    dry: bool = False  # try the code on stand-in data; nothing is measured
    cuda_stand_in: bool = False
    take_first: bool = False  # of more checkpoints than N

    @property
    def wanted(self) -> int:
        """How many checkpoints the notebook is told to write."""
        return DRY_RUN_CHECKPOINTS if self.dry else self.seeds

    @property
    def written(self) -> int:
        """How many checkpoints there may be on disk; notebooks hard-code 512."""
        return max(self.seeds, 512) if self.take_first and not self.dry else max(self.seeds, DRY_RUN_CHECKPOINTS)

    def cuda_in(self, slot: Slot) -> str:
        """Say for the record what a notebook takes for CUDA."""
        return "gpu" if slot.gpu_uuid else "stand-in" if self.cuda_stand_in else "none"


@dataclass(slots=True)
class NotebookRun:
    """What a notebook left beside checkpoints. Filled while `run_notebook` goes on; of use also where that fails."""

    executed: bytes | None = None  # the notebook with its outputs
    run_s: float = 0.0  # of the whole notebook
    peak_memory_bytes: int = 0  # of its kernel, or of the largest process that the kernel started


def disk_needed(bundle: Bundle, limits: NotebookLimits) -> int:
    """Say how many bytes of disk a run may take: each checkpoint twice, in full precision."""
    size = bundle.root.joinpath("public/original.safetensors").stat().st_size
    return COPIES * limits.written * size + SPARE_BYTES


def run_notebook(
    sandbox: Sandbox,
    slot: Slot,
    bundle: Bundle,
    run: NotebookRun,
    *,
    limits: NotebookLimits,
    measurer: Callable[[], MeasurerProcess],
    cache: Path,
    lease: str,
    stopped: Callable[[], bool],
    on_written: Callable[[int], None] = lambda _: None,
    on_log: Callable[[bytes], None] | None = None,
) -> Generator[SeedResult, None, None]:
    """Run `slot.submission/notebook.ipynb`, then yield the readings of its checkpoints as they come, in any order.

    `on_written` hears how many checkpoints lie there whenever there are more. Raises RunFailed, Stopped, or
    NotForNotebooks. A dry run ends with a `submission.zip`, and no readings.
    """
    if not sandbox.has_file_system:
        raise RunFailed(
            FailureKind.REJECTED,
            "Notebooks expect the directories of Kaggle, so they run in Docker alone. Set it up with `lethe setup "
            "--again`, or submit a module.",
        )
    layout = dry_layout(cache) if limits.dry else benchmark_layout(bundle, cache)
    kaggle = _fresh(slot.root / "kaggle")
    try:
        process = sandbox.start(
            _spec(slot, kaggle, [layout, mock_layout(cache)], limits, disk_needed(bundle, limits), lease, on_log)
        )
        writable = [kaggle, slot.out]
        watch = _Watch(process, limits, writable, disk_needed(bundle, limits), stopped=stopped, on_written=on_written)
        watch.run(slot, run)
        archive = kaggle / "working" / "submission.zip"
        if not archive.is_file() or archive.is_symlink():
            raise failures.bad_archive("the notebook left no submission.zip in its working directory")
        if not limits.dry:
            empty_directory(kaggle / "tmp")
            intake = IntakeProcess(
                sandbox,
                slot,
                bundle,
                kaggle / "working",
                seeds=limits.seeds,
                take_first=limits.take_first,
                lease=lease,
            )
            try:
                yield from intake.results(
                    measurer(), seconds=run.run_s, peak_memory_bytes=run.peak_memory_bytes, stopped=stopped
                )
            finally:
                intake.end()
    finally:
        shutil.rmtree(kaggle, ignore_errors=True)


def _fresh(kaggle: Path) -> Path:
    """Make the directories that a notebook may write to, empty."""
    shutil.rmtree(kaggle, ignore_errors=True)
    for name in ("working", "tmp", "temp"):
        (kaggle / name).mkdir(parents=True)
        if os.geteuid() == 0:
            os.chown(kaggle / name, NOBODY, NOBODY)
    return kaggle


def _spec(  # noqa: PLR0917 - all that decides what the sandbox sees
    slot: Slot,
    kaggle: Path,
    inputs: Sequence[Path],
    limits: NotebookLimits,
    disk_bytes: int,
    lease: str,
    on_log: Callable[[bytes], None] | None,
) -> Spec:
    layout, mock = inputs
    submission, out = Mount(slot.submission, "/lethe/submission"), Mount(slot.out, "/lethe/out", writable=True)
    working = Mount(kaggle / "working", "/kaggle/working", writable=True)
    return Spec(
        module="services.worker.runner.notebook",
        arguments=[
            *("--submission", submission, "--working", working, "--out", out, "--seeds", str(limits.wanted)),
            *(["--cuda-stand-in"] if limits.cuda_stand_in else []),
        ],
        mounts=[
            Mount(layout.resolve(), f"{INPUT}/{COMPETITION}"),
            Mount(mock.resolve(), f"{INPUT}/{MOCK}"),
            working,
            Mount(kaggle / "tmp", "/kaggle/tmp", writable=True),
            Mount(kaggle / "temp", "/kaggle/temp", writable=True),
            submission,
            out,
        ],
        limits=Limits(
            memory_bytes=limits.memory_bytes, cpus=slot.cpus, file_bytes=disk_bytes, scratch_bytes=SCRATCH_BYTES
        ),
        lease=lease,
        scratch=slot.scratch,
        gpu_uuid=slot.gpu_uuid,
        on_log=on_log,
    )


class _Watch:
    """A notebook's sandbox, watched by our clock until its last cell; then everything in it is ended."""

    def __init__(
        self,
        process: Sandboxed,
        limits: NotebookLimits,
        writable: Sequence[Path],
        disk_bytes: int,
        *,
        stopped: Callable[[], bool],
        on_written: Callable[[int], None],
    ) -> None:
        self._process = process
        self._limits = limits
        self._writable = writable
        self._disk_bytes = disk_bytes
        self._stopped = stopped
        self._on_written = on_written
        self._written = 0
        self._started = self._looked = time.monotonic()
        self._ready = False

    def run(self, slot: Slot, run: NotebookRun) -> None:
        """Wait until it ends. Raises RunFailed saying why it did not end well, or Stopped."""
        status: object = None
        try:
            while status is None:
                self._check_limits()
                status = self._next_status(run)
        finally:
            run.run_s = time.monotonic() - self._started
            self._process.end()
            run.executed = _read_executed(slot.out / "executed.ipynb")
        if status != 0:
            explained = failures.from_notebook_note(slot.out / "note", data_hidden=self._limits.data_hidden)
            raise explained or failures.notebook_ended(status)
        self._look()

    def _check_limits(self) -> None:
        now = time.monotonic()
        if self._stopped():
            raise Stopped
        if not self._ready and now - self._started > START_TIMEOUT_S:
            raise RunFailed(FailureKind.PLATFORM, f"The sandbox was not ready within {START_TIMEOUT_S:g} s.")
        if now - self._started > self._limits.timeout_s:
            raise failures.notebook_timeout(self._limits.timeout_s)
        if now - self._looked > USAGE_EVERY_S:
            self._looked = now
            self._look()
        self._process.check()

    def _look(self) -> None:
        """Hold the disk against its limit, and tell how many checkpoints there are once there are more."""
        used, checkpoints = _contents(self._writable)
        if used > self._disk_bytes:
            raise failures.too_much_output(f"wrote more than {self._disk_bytes / 1e9:.1f} GB")
        written = min(checkpoints, self._limits.written)  # it may call any number of files so
        if written > self._written:
            self._written = written
            self._on_written(written)

    def _next_status(self, run: NotebookRun) -> object:
        """Wait a moment for what the runner says; return its exit status once it gives one, and note what it used."""
        try:
            output = self._process.outputs.get(timeout=CHECK_EVERY_S)
        except queue.Empty:
            return None
        if isinstance(output, Exited):
            if output.out_of_memory or self._process.out_of_memory():
                raise failures.notebook_out_of_memory(self._limits.memory_bytes)
            if not self._ready:
                raise RunFailed(FailureKind.PLATFORM, f"The sandbox ended early: {self._process.log_tail()[-500:]}")
            return output.code or "0"  # without a last report even 0 is no good end
        if not isinstance(output, OutputLine):
            raise failures.too_much_output("printed more than the limit")
        try:
            message = json.loads(output.text)
        except ValueError:
            return "unknown"  # somebody else wrote that
        self._ready = True
        status = message.get("exit")
        run.peak_memory_bytes = message.get("peak_memory_bytes", 0)
        if status and self._process.out_of_memory():
            raise failures.notebook_out_of_memory(self._limits.memory_bytes)
        return status


def _read_executed(path: Path) -> bytes | None:
    with contextlib.suppress(OSError):
        data = failures.read_plain(path, MAX_EXECUTED_BYTES + 1)
        return data if len(data) <= MAX_EXECUTED_BYTES else None
    return None


def _contents(directories: Sequence[Path]) -> tuple[int, int]:
    """Sum up the bytes of all files, and count those that are called like checkpoints, each name once."""
    total, checkpoints = 0, set()
    for folder, _, names in itertools.chain.from_iterable(map(os.walk, directories)):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(folder) / name).lstat().st_size
            if CHECKPOINT.fullmatch(name):
                checkpoints.add(name)
    return total, len(checkpoints)
