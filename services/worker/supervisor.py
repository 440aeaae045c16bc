"""Supervising one sandbox from outside: one seed at a time, by our clock.

The supervisor asks the launcher in the sandbox for a seed. The launcher reports once the process of that seed has
ended, nothing of it is left, and its checkpoint lies where no participant's code can see it. There it is measured while
the next seed runs. The supervisor also enforces every limit: a seed's deadline, its printed output.

If this process could not look for a while (the host stood still, or the database was away), nobody knows whether a seed
had its time. Such a pause extends the deadline; a run that took too long beside one gives the shard back.
"""

import contextlib
import itertools
import os
import queue
import secrets
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.worker import failures
from services.worker.failures import RunFailed, SandboxText
from services.worker.launcher import SLACK_BYTES, Launcher
from services.worker.measurers import MeasurerAnswer, MeasurerProcess, StressRequest
from services.worker.sandbox.base import Exited
from services.worker.station import PAUSE_S, Paused, SeedResult, Station, Traces

__all__ = ["RunLimits", "Seed", "run_seeds"]

START_TIMEOUT_S = 120.0
CHECK_EVERY_S = 0.1
MAX_WAITING = 4  # checkpoints that wait to be measured; bounds the disk a shard needs
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Seed:
    index: int
    value: int  # secret; the sandbox learns no index
    placebo: int | None = None  # the value of its placebo run, secret too; None if it has none


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The limits of a phase for one unlearning run."""

    seeds: int  # N of the evaluation, for messages
    seed_timeout_s: float
    memory_bytes: int
    data_hidden: bool
    robustness: bool = False  # put every model under stress


@dataclass(frozen=True, slots=True)
class _Run:
    """One call of a submission: a seed's own run from an original model, or its placebo run."""

    index: int
    value: int
    is_placebo: bool
    has_other: bool  # whether the seed has two runs


@dataclass(slots=True)
class _Running:
    seed: _Run
    token: str
    started: float  # monotonic
    away_s: float = 0.0  # time in which nobody looked


@dataclass(frozen=True, slots=True)
class _Done:
    """A successful run whose checkpoint is being measured."""

    seed: _Run
    run_s: float
    peak_memory_bytes: int


def run_seeds(
    station: Station, limits: RunLimits, seeds: Sequence[Seed], traces: Traces
) -> Generator[SeedResult, None, None]:
    """Run the submission in the station's slot once per seed; yield each model's reading as it is measured.

    However the runs end, `traces` then has the end of their printed output.
    Raises RunFailed at the first seed that fails, and Stopped.
    """
    measurer = station.measurer()
    launcher = Launcher(
        station.sandbox,
        station.slot,
        station.bundle.public,
        memory_bytes=limits.memory_bytes,
        label=station.label,
        image=station.place.image_id,
        has_originals=station.bundle.has_originals,
        on_log=traces.on_log,
    )
    try:
        yield from _Supervision(station, limits, launcher, measurer, _runs_of(seeds, station.bundle)).results()
    finally:
        launcher.end()
        traces.printed = launcher.log_tail()


def _runs_of(seeds: Sequence[Seed], bundle: Bundle) -> deque[_Run]:
    """List the runs of all seeds. The two of one seed follow each other in an order that nobody can foresee."""
    runs: deque[_Run] = deque()
    for seed in seeds:
        own = _Run(seed.index, seed.value, is_placebo=False, has_other=False)
        if seed.placebo is None or not bundle.has_placebos:
            runs.append(own)
            continue
        both = [replace(own, has_other=True), _Run(seed.index, seed.placebo, is_placebo=True, has_other=True)]
        runs.extend(both if secrets.randbits(1) else reversed(both))
    return runs


@dataclass(slots=True)
class _Supervision:
    """The state of one `run_seeds`."""

    station: Station
    limits: RunLimits
    launcher: Launcher
    measurer: MeasurerProcess
    pending: deque[_Run]
    running: _Running | None = None
    measuring: dict[str, _Done] = field(default_factory=dict)
    halves: dict[int, SeedResult] = field(default_factory=dict)  # of seeds one of whose two runs is measured
    looked: float = field(default_factory=time.monotonic)

    def results(self) -> Iterator[SeedResult]:
        self._await_ready()
        while self.pending or self.running or self.measuring:
            if self.pending and not self.running and len(self.measuring) < MAX_WAITING:
                self._dispatch(self.pending.popleft())
            if self.running:
                self._follow(self.running)
            yield from self._collect(wait=not self.running)

    def _await_ready(self) -> None:
        """Wait for the runner. No participant's code has run before it is ready, so a failure is the platform's."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            output = self._next_output()
            if isinstance(output, dict):
                return
            if isinstance(output, Exited):
                raise failures.platform("The sandbox ended before it was ready.", self.launcher.log_tail())
        raise RunFailed(FailureKind.PLATFORM, f"The sandbox was not ready within {START_TIMEOUT_S:g} s.")

    def _dispatch(self, seed: _Run) -> None:
        if self.station.bundle.has_originals:
            self._lay_out_original(seed)
        token = secrets.token_hex(8)
        self.running = _Running(seed, token, time.monotonic())
        self.launcher.run(token, seed.value)

    def _lay_out_original(self, seed: _Run) -> None:
        """Replace the original model by the one of this run, which may be a placebo; no sandbox ever sees two."""
        partial, bundle = self.station.slot.root / "original.part", self.station.bundle
        partial.write_bytes(bundle.placebo_of(seed.index) if seed.is_placebo else bundle.original_of(seed.index))
        partial.chmod(0o644)
        partial.replace(self.station.slot.original / "original.safetensors")

    def _follow(self, running: _Running) -> None:
        """Wait a moment for the running seed; enforce its limits; take its checkpoint once it is done."""
        output = self._next_output()
        seed, seeds, limit_s = running.seed.index, self.limits.seeds, self.limits.seed_timeout_s
        if isinstance(output, dict):
            self.running = None
            self._take(running, output)
        elif isinstance(output, Exited):
            if output.out_of_memory:
                raise failures.out_of_memory(seed, seeds, self.limits.memory_bytes)
            if self.station.sandbox.has_file_system:  # no participant's code can end the launcher there
                raise failures.platform("The sandbox was ended from outside.", self.launcher.log_tail())
            signal_number = -output.code if output.code < 0 else None
            raise failures.from_exit(seed, seeds, code=output.code, signal_number=signal_number)
        elif output == "too_much_output":
            raise failures.too_much_output("printed more than the limit")
        elif time.monotonic() - running.started - running.away_s > limit_s:
            raise failures.timeout(seed, seeds, limit_s)

    def _take(self, running: _Running, report: dict[str, Any]) -> None:
        """Ask for the reading of the checkpoint that the launcher took out. Raises RunFailed if there is none."""
        seed, seeds, run_s = running.seed, self.limits.seeds, float(report["run_s"])
        if run_s > self.limits.seed_timeout_s:
            if running.away_s:
                raise Paused
            raise failures.timeout(seed.index, seeds, self.limits.seed_timeout_s)
        if report.get("exit") != 0 or not report["checkpoint"]:
            raise self._explain(running, report)
        self.measuring[running.token] = _Done(seed, run_s, report["peak_memory_bytes"])
        wants = self.limits.robustness and not seed.is_placebo
        stress = StressRequest.of(self.station.bundle, seed.index) if wants else None
        self.measurer.ask(running.token, stress)

    def _explain(self, running: _Running, report: dict[str, Any]) -> RunFailed:
        seed, seeds, slot = running.seed.index, self.limits.seeds, self.station.slot
        if report.get("out_of_memory") or self.launcher.out_of_memory():
            return failures.out_of_memory(seed, seeds, self.limits.memory_bytes)
        if report["full"]:
            return failures.too_much_output("wrote more than its checkpoint to the output directory")
        if report.get("exit") == 0 and report["bad"]:
            return failures.bad_checkpoint(seed, seeds, SandboxText(report["bad"]))
        note = slot.checkpoints / f"{running.token}.note"
        explained = failures.from_note(note, seed, seeds, gpu=slot.gpu_uuid is not None)
        return explained or failures.from_exit(seed, seeds, code=report.get("exit"), signal_number=report.get("signal"))

    def _collect(self, *, wait: bool) -> Iterator[SeedResult]:
        """Yield the readings that have arrived; with `wait`, wait a moment for one."""
        while self.measuring:
            try:
                output = self.measurer.outputs.get(block=wait, timeout=CHECK_EVERY_S)
            except queue.Empty:
                self.station.raise_if_stopped()
                self.measurer.raise_if_late()
                return
            reading = self.measurer.read(output)
            if reading is None or reading.token not in self.measuring:
                continue  # the measurer got ready, or answered a shard that has failed meanwhile
            done = self.measuring.pop(reading.token)
            if reading.bad:
                raise failures.bad_checkpoint(done.seed.index, self.limits.seeds, reading.bad)
            result = self._whole(done, reading)
            if result is not None:
                yield result
            if wait:
                return

    def _whole(self, done: _Done, reading: MeasurerAnswer) -> SeedResult | None:
        """Join a seed's own reading with that of its placebo run; None while one of them is missing."""
        run, memory = done.seed, done.peak_memory_bytes
        if run.is_placebo:
            part = SeedResult(run.index, 0.0, b"", "", memory, placebo=reading.blob)
        else:
            part = SeedResult(run.index, done.run_s, reading.blob, reading.checkpoint_sha256, memory, reading.stress)
        if not run.has_other:
            return part
        other = self.halves.pop(run.index, None)
        if other is None:
            self.halves[run.index] = part
            return None
        own, placebo = (other, part) if run.is_placebo else (part, other)
        return replace(own, placebo=placebo.placebo, peak_memory_bytes=max(memory, other.peak_memory_bytes))

    def _next_output(self) -> object:
        """Wait a moment for the launcher; return its report as a dict, another output as it is, or None."""
        self._notice_pause()
        try:
            return self.launcher.next(CHECK_EVERY_S)
        except queue.Empty:
            self.station.raise_if_stopped()
            self.launcher.check()
            if not self.station.sandbox.has_file_system and _too_full(self.station):
                raise failures.too_much_output("wrote more than its checkpoint to the output directory") from None
            return None

    def _notice_pause(self) -> None:
        """Credit the running seed with time in which we did not look."""
        now = time.monotonic()
        away_s, self.looked = now - self.looked, now
        if self.running and away_s > PAUSE_S:
            self.running.away_s += away_s


def _too_full(station: Station) -> bool:
    """Look at the output directory of the process sandbox, which the kernel does not bound; only at its top."""
    try:
        with os.scandir(station.slot.out) as entries:
            files = list(itertools.islice(entries, MAX_FILES + 1))
    except FileNotFoundError:  # the launcher is just replacing it
        return False
    return len(files) > MAX_FILES or sum(map(_size, files)) > 2 * (station.model_bytes + SLACK_BYTES)


def _size(entry: "os.DirEntry[str]") -> int:
    with contextlib.suppress(OSError):
        return entry.stat(follow_symlinks=False).st_size
    return 0
