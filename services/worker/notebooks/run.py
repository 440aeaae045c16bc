"""One notebook, from its first cell to the readings of its checkpoints.

There are three sandboxes, and none trusts the one before. The notebook's sandbox ends before anyone looks at its files.
The intake holds no data and turns each pickled checkpoint into plain tensors. The measurer reads these. Intake and
measurer work at the same time, each on a different checkpoint.
"""

import contextlib
import os
import queue
import shutil
import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.core.models import FailureKind
from services.worker import failures
from services.worker.answers import integer, parsed
from services.worker.clearing import new_directory, sweep_away
from services.worker.failures import RunFailed, SandboxText
from services.worker.notebooks.checkpoints import IntakeProcess
from services.worker.notebooks.layout import benchmark_layout, dry_layout, mock_layout
from services.worker.notebooks.limits import Mode, NotebookLimits
from services.worker.notebooks.usage import look_through
from services.worker.resources import MIN_FREE_BYTES
from services.worker.runner.plain import open_plain
from services.worker.sandbox.base import Exited, Limits, Mount, OutputLine, Sandboxed, Spec
from services.worker.station import PAUSE_S, Paused, SeedResult, Station, Traces

__all__ = ["disk_needed", "run_notebook"]

INPUT = "/kaggle/input"
COMPETITION = "neurips-2023-machine-unlearning"
MOCK = "mock-cifar10-data"
START_TIMEOUT_S = 120.0
CHECK_EVERY_S = 0.2
USAGE_EVERY_S = 5.0
SPARE_BYTES = 1024**3  # of disk, beside checkpoints, for whatever a notebook writes
MAX_EXECUTED_BYTES = 8 * 1024**2
SCRATCH_BYTES = 2 * 1024**3
WRITABLE = ("working", "tmp", "temp", "out")
LOOSE = ("tmp", "working", "temp")  # where notebooks write checkpoints, before they pack them
PACKED_SHARE = 4  # a packed checkpoint takes more than this part of a model in full precision
WITHOUT_REPORT = 256  # a status that no process has: the runner ended without its last report
COPIES = 2  # of each checkpoint: in /kaggle/tmp, and in submission.zip


def disk_needed(station: Station, limits: NotebookLimits) -> int:
    """Return how many bytes of disk a run may take: each checkpoint twice, in full precision."""
    return COPIES * limits.written * station.model_bytes + SPARE_BYTES


def run_notebook(
    station: Station, limits: NotebookLimits, cache: Path, traces: Traces
) -> Generator[SeedResult, None, None]:
    """Run `slot.submission/notebook.ipynb`, then yield the readings of its checkpoints as they come, in any order.

    Whenever there are more checkpoints, `traces.on_written` is called with their number. A dry run ends with a
    `submission.zip`; a rehearsal also once it has made enough checkpoints, which the intake then judges. Neither yields
    readings. Raises RunFailed, Stopped, or NotForNotebooks.
    """
    if not station.sandbox.has_file_system:
        raise RunFailed(
            FailureKind.REJECTED,
            "Notebooks need Docker (they expect Kaggle's directory layout). Run `lethe setup --again` to enable it, "
            "or submit a module instead.",
        )
    inputs = [_layout(station, limits, cache), mock_layout(cache)]
    kaggle = _fresh(station.slot.root / "kaggle", station.slot.notebook_user)
    try:
        process = station.sandbox.start(_spec(station, limits, kaggle, inputs, on_log=traces.on_log))
        watch = _Watch(station, limits, process, kaggle, traces)
        watch.run()
        working = _packed(kaggle, limits.seeds) if traces.ended_early else kaggle / "working"
        archive = working / "submission.zip"
        if not archive.is_file() or archive.is_symlink():
            left = f"the notebook left no submission.zip in its working directory; it wrote {watch.written} checkpoints"
            raise failures.bad_archive(SandboxText(left))
        traces.unlearned = watch.written > 0 or archive.stat().st_size > station.model_bytes // PACKED_SHARE
        if limits.mode is not Mode.DRY:
            sweep_away(kaggle / "tmp")
            yield from _read(station, limits, working, traces)
    finally:
        sweep_away(kaggle)


def _layout(station: Station, limits: NotebookLimits, cache: Path) -> Path:
    """Make what the notebook sees in the place of the competition's data."""
    match limits.mode:
        case Mode.DRY:
            return dry_layout(cache)
        case Mode.REHEARSAL:
            return mock_layout(cache)
        case Mode.FULL:
            return benchmark_layout(station.bundle, cache)


def _read(station: Station, limits: NotebookLimits, working: Path, traces: Traces) -> Iterator[SeedResult]:
    """Have the intake read the checkpoints; those of a rehearsal are not measured."""
    intake = IntakeProcess(station, limits, working)
    try:
        if limits.mode is Mode.REHEARSAL:
            intake.judge()
        else:
            yield from intake.results(run_s=traces.run_s, peak_memory_bytes=traces.peak_memory_bytes)
    finally:
        intake.end()


def _loose(kaggle: Path, index: int) -> Path | None:
    """Find a checkpoint that a notebook has written where notebooks do, but not packed yet."""
    places = (kaggle / name / f"unlearned_checkpoint_{index}.pth" for name in LOOSE)
    return next((place for place in places if place.is_file() and not place.is_symlink()), None)


def _packed(kaggle: Path, seeds: int) -> Path:
    """Pack the first checkpoints of a notebook that was ended before it did so; return the archive's directory.

    Raises RunFailed if one cannot be read, which only the notebook can bring about.
    """
    directory = kaggle / "packed"
    directory.mkdir()
    with zipfile.ZipFile(directory / "submission.zip", "w") as packed:
        for index in range(seeds):
            if (place := _loose(kaggle, index)) is None:
                continue  # it is gone again, and the intake says so
            try:
                source = open_plain(place)
            except OSError as error:
                raise failures.bad_archive(SandboxText(f"{place.name} cannot be read: {error.strerror}")) from error
            with source, packed.open(place.name, "w", force_zip64=True) as member:
                shutil.copyfileobj(source, member)
    return directory


def _fresh(kaggle: Path, user: int) -> Path:
    """Make the directories that a notebook may write to, empty."""
    new_directory(kaggle)
    for name in WRITABLE:
        (kaggle / name).mkdir()
        if os.geteuid() == 0:
            os.chown(kaggle / name, user, user)
    return kaggle


def _spec(
    station: Station,
    limits: NotebookLimits,
    kaggle: Path,
    inputs: Sequence[Path],
    *,
    on_log: Callable[[bytes], None] | None,
) -> Spec:
    slot, (layout, mock) = station.slot, inputs
    submission, out = Mount(slot.submission, "/lethe/submission"), Mount(kaggle / "out", "/lethe/out", writable=True)
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
            memory_bytes=limits.memory_bytes,
            cpus=slot.cpus,
            file_bytes=disk_needed(station, limits),
            scratch_bytes=SCRATCH_BYTES,
        ),
        label=station.label,
        image=station.place.image_id,
        scratch=slot.scratch,
        user=slot.notebook_user,
        loopback=True,
        gpu_uuid=slot.gpu_uuid,
        on_log=on_log,
    )


@dataclass(slots=True)
class _Watch:
    """A notebook's sandbox, watched by our clock until its last cell; then everything in it is ended."""

    station: Station
    limits: NotebookLimits
    process: Sandboxed
    kaggle: Path
    traces: Traces
    written: int = 0  # checkpoints
    zipping: bool = False  # whether an archive was begun
    started: float = field(default_factory=time.monotonic)
    looked: float = field(default_factory=time.monotonic)
    seen: float = field(default_factory=time.monotonic)
    away_s: float = 0.0  # time in which nobody looked
    ready: bool = False

    def run(self) -> None:
        """Wait until the notebook ends. Raises Stopped, or RunFailed, which says why the notebook failed.

        Paused is raised if it took longer than its limit while nobody looked.
        """
        status: int | None = None
        out = self.kaggle / "out"
        try:
            while status is None:
                self._notice_pause()
                self._check_limits()
                self.traces.ended_early = self._has_enough()
                status = 0 if self.traces.ended_early else self._next_status()
        finally:
            self.traces.run_s = time.monotonic() - self.started
            self.process.end()
            self.traces.executed = _read_executed(out / "executed.ipynb")
        if status != 0:
            explained = failures.from_notebook_note(out / "note")
            raise explained or failures.notebook_ended(status)
        if self.away_s and self.traces.run_s > self.limits.timeout_s:
            raise Paused
        self._look()

    def _has_enough(self) -> bool:
        """Tell whether a rehearsal has made its checkpoints and begun another one, as notebooks with a fixed 512 do."""
        return self.limits.mode is Mode.REHEARSAL and all(
            _loose(self.kaggle, index) is not None for index in range(self.limits.seeds + 1)
        )

    def _notice_pause(self) -> None:
        """Credit the notebook with time in which we did not look."""
        now = time.monotonic()
        away_s, self.seen = now - self.seen, now
        if away_s > PAUSE_S:
            self.away_s += away_s

    def _check_limits(self) -> None:
        now = self.seen
        self.station.raise_if_stopped()
        if not self.ready and now - self.started > START_TIMEOUT_S:
            raise RunFailed(FailureKind.PLATFORM, f"The sandbox was not ready within {START_TIMEOUT_S:g} s.")
        if now - self.started - self.away_s > self.limits.timeout_s:
            self._look()
            raise failures.notebook_timeout(
                self.limits.timeout_s, written=self.written, wanted=self.limits.wanted, zipping=self.zipping
            )
        if now - self.looked > USAGE_EVERY_S:
            self.looked = now
            self._look()
        self._check_free_disk()
        self.process.check()

    def _look(self) -> None:
        """Check the disk against its limit, and report the number of checkpoints if it has grown."""
        found = look_through(self.kaggle)
        self.seen = time.monotonic()  # a notebook can make this slow, so it is no absence
        allowed = disk_needed(self.station, self.limits)
        if found is None or found.used_bytes > allowed:
            raise failures.too_much_output(f"wrote more than {allowed / 1e9:.1f} GB, or too many files")
        self.zipping = found.zipping
        written = min(found.checkpoints, self.limits.written)  # a notebook may give any number of files such names
        if written > self.written:
            self.written = written
            self.traces.on_written(written)

    def _check_free_disk(self) -> None:
        """End the notebook before the disk is full, also if it holds files that have no name any more."""
        free = _free_bytes(self.kaggle)
        if free < MIN_FREE_BYTES // 2:
            self.process.end()
            if _free_bytes(self.kaggle) - free > SPARE_BYTES:
                raise failures.too_much_output("filled the disk with files that it had deleted")
            self._look()
            raise RunFailed(FailureKind.PLATFORM, "The worker's disk is full.")

    def _next_status(self) -> int | None:
        """Wait a moment for a report of the runner; note its memory, and return its exit status if it has one."""
        try:
            output = self.process.outputs.get(timeout=CHECK_EVERY_S)
        except queue.Empty:
            return None
        if isinstance(output, Exited):
            if output.out_of_memory or self.process.out_of_memory():
                raise failures.notebook_out_of_memory(self.limits.memory_bytes)
            if not self.ready:
                raise failures.platform("The sandbox ended before it was ready.", self.process.log_tail())
            if output.from_outside:
                raise failures.platform("The sandbox was ended from outside.", self.process.log_tail())
            return output.code or WITHOUT_REPORT
        if not isinstance(output, OutputLine):
            raise failures.too_much_output("printed more than the limit")
        message = parsed(output.text)
        if not message:
            return WITHOUT_REPORT  # the runner did not write this line
        self.ready = True
        if "exit" not in message:
            return None
        self.traces.peak_memory_bytes = integer(message.get("peak_memory_bytes"), most=self.limits.memory_bytes)
        status = message["exit"] if type(message["exit"]) is int else WITHOUT_REPORT
        if status and self.process.out_of_memory():
            raise failures.notebook_out_of_memory(self.limits.memory_bytes)
        return status


def _read_executed(path: Path) -> bytes | None:
    with contextlib.suppress(OSError):
        data = failures.read_plain(path, MAX_EXECUTED_BYTES + 1)
        return data if len(data) <= MAX_EXECUTED_BYTES else None
    return None


def _free_bytes(directory: Path) -> int:
    return shutil.disk_usage(directory).free
