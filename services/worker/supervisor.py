"""Supervising one sandbox from outside: one seed at a time, by our clock.

The supervisor asks the launcher in the sandbox for a seed. The launcher reports once the process of that seed has
ended, nothing of it is left, and its checkpoint lies where no participant's code can see it. There it is measured while
the next seed runs. The supervisor also enforces every limit: a seed's deadline, its printed output.

If this process could not look for a while (the host stood still, or the database was away), nobody knows whether a seed
had its time. Such a pause extends the deadline; a run that took too long beside one gives the shard back. So does the
time in which the sandbox itself stood still (`signs.py`).
"""

import queue
import secrets
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from services.benchmarks.references import EMPTY
from services.core.models import FailureKind
from services.core.references.planning import PATIENCE
from services.worker import failures
from services.worker.failures import RunFailed, SandboxText
from services.worker.fullness import too_full
from services.worker.launcher import Launcher
from services.worker.measurers import MeasurerAnswer, MeasurerProcess, StressRequest
from services.worker.runs import Aim, Run, RunLimits, Seed, SeedParts, runs_of
from services.worker.sandbox.base import Exited
from services.worker.signs import stood_still
from services.worker.station import PAUSE_S, BesideTime, Paused, SeedResult, Station, Traces

__all__ = ["RunLimits", "Seed", "run_seeds"]

log = structlog.get_logger()

START_TIMEOUT_S = 120.0
CHECK_EVERY_S = 0.1
MAX_WAITING = 4  # checkpoints that wait to be measured; bounds the disk a shard needs


@dataclass(slots=True)
class _Running:
    seed: Run
    token: str
    started: float  # monotonic
    away_s: float = 0.0  # time in which nobody looked


@dataclass(frozen=True, slots=True)
class _Done:
    """A successful run whose checkpoint is being measured."""

    seed: Run
    run_s: float
    cpu_s: float | None
    peak_memory_bytes: int


def run_seeds(
    station: Station, limits: RunLimits, seeds: Sequence[Seed], traces: Traces
) -> Generator[SeedResult, None, None]:
    """Run the submission in the station's slot once per seed; yield each model's reading as it is measured.

    However the runs end, `traces` then has the end of their printed output.
    Raises RunFailed at the first seed that fails, and Stopped.
    """
    runs = runs_of(seeds, station.bundle, trains=bool(limits.trainer))
    supervision = _Supervision(station, limits, station.measurer(), runs, traces)
    try:
        yield from supervision.results()
    finally:
        supervision.end()


@dataclass(slots=True)
class _Supervision:
    """The state of one `run_seeds`."""

    station: Station
    limits: RunLimits
    measurer: MeasurerProcess
    pending: deque[Run]
    traces: Traces
    launcher: Launcher = field(init=False)
    running: _Running | None = None
    measuring: dict[str, _Done] = field(default_factory=dict)
    parts: SeedParts = field(default_factory=SeedParts)
    whole: deque[SeedResult] = field(default_factory=deque)
    trains: bool = True  # no run of the trainer has failed
    looked: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        station = self.station
        self.launcher = Launcher(
            station.sandbox,
            station.slot,
            station.bundle.public,
            memory_bytes=self.limits.memory_bytes,
            label=station.label,
            image=station.place.image_id,
            has_originals=station.bundle.has_originals,
            trains=self.trains and any(run.is_ours for run in self.pending),
            on_log=self.traces.on_log,
        )

    def end(self) -> None:
        self.launcher.end()
        self.traces.printed = self.launcher.log_tail()

    def results(self) -> Iterator[SeedResult]:
        self._await_ready()
        while self.pending or self.running or self.measuring:
            if self.pending and not self.running and len(self.measuring) < MAX_WAITING:
                self._dispatch(self.pending.popleft())
            if self.running:
                self._follow(self.running)
            self._collect(wait=not self.running)
            while self.whole:
                yield self.whole.popleft()

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

    def _dispatch(self, seed: Run) -> None:
        if seed.is_ours and not self.trains:
            self._join(seed, None)
            return
        if self.station.bundle.has_originals:
            self._lay_out_original(seed)
        token = secrets.token_hex(8)
        self.running = _Running(seed, token, time.monotonic())
        self.launcher.run(token, seed.value, {Aim.TRAINER: self.limits.trainer, Aim.EMPTY: EMPTY}.get(seed.aim))

    def _lay_out_original(self, seed: Run) -> None:
        """Replace the original model by the one of this run, which may be a placebo; no sandbox ever sees two."""
        partial, bundle = self.station.slot.root / "original.part", self.station.bundle
        is_placebo = seed.aim is Aim.PLACEBO
        partial.write_bytes(bundle.placebo_of(seed.index) if is_placebo else bundle.original_of(seed.index))
        partial.chmod(0o644)
        partial.replace(self.station.slot.original / "original.safetensors")

    def _follow(self, running: _Running) -> None:
        """Wait a moment for the running seed; enforce its limits; take its checkpoint once it is done."""
        output = self._next_output()
        if running.seed.is_ours:
            self._follow_ours(running, output)
            return
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
        elif self._took_s(running, limit_s) > limit_s:
            raise failures.timeout(seed, seeds, limit_s)
        else:
            self.launcher.signs.raise_if_gone()

    def _follow_ours(self, running: _Running, output: object) -> None:
        """Keep the time of our own code. If it fails, that is nobody's fault: the entry goes on without it."""
        patience_s = self.limits.seed_timeout_s * PATIENCE
        if output is None and self._took_s(running, patience_s) <= patience_s:
            self.launcher.signs.raise_if_gone()
            return
        self.running = None
        self.station.slot.checkpoints.joinpath(running.token).unlink(missing_ok=True)
        if isinstance(output, dict) and output.get("exit") == 0 and output["checkpoint"]:
            time_of = BesideTime(float(output["run_s"]), self._cpu_s(output))
            self._join(running.seed, None if running.away_s or self.launcher.signs.still_s() else time_of)
            return
        log.warning("trainer_failed", output=str(output), remedy="raise the phase's memory or time limit")
        self.trains = False
        self.launcher.end()  # what it left, such as a container that ran out of memory, must not be the entry's
        self.station.slot.sweep()
        self._start()
        self._await_ready()
        self._join(running.seed, None)

    def _cpu_s(self, report: dict[str, Any]) -> float | None:
        """Return the processor time of a run; on a GPU it says little, so the clock counts there."""
        return None if self.station.slot.gpu_uuid or report["cpu_s"] is None else float(report["cpu_s"])

    def _join(self, run: Run, part: SeedResult | BesideTime | None) -> None:
        whole = self.parts.add(run, part)
        if whole is not None:
            self.whole.append(whole)

    def _take(self, running: _Running, report: dict[str, Any]) -> None:
        """Ask for the reading of the checkpoint that the launcher took out. Raises RunFailed if there is none."""
        seed, seeds, run_s = running.seed, self.limits.seeds, float(report["run_s"])
        if run_s > self.limits.seed_timeout_s:
            if running.away_s:
                raise Paused
            if self.launcher.signs.still_s():
                raise stood_still(self.launcher.log_tail())
            raise failures.timeout(seed.index, seeds, self.limits.seed_timeout_s)
        if report.get("exit") != 0 or not report["checkpoint"]:
            raise self._explain(running, report)
        self.measuring[running.token] = _Done(seed, run_s, self._cpu_s(report), report["peak_memory_bytes"])
        wants = self.limits.robustness and seed.aim is Aim.OWN
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

    def _collect(self, *, wait: bool) -> None:
        """Take the readings that have arrived; with `wait`, wait a moment for one."""
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
            self._join(done.seed, _result(done, reading))
            if wait:
                return

    def _next_output(self) -> object:
        """Wait a moment for the launcher; return its report as a dict, another output as it is, or None."""
        self._notice_pause()
        try:
            return self.launcher.next(CHECK_EVERY_S)
        except queue.Empty:
            self.station.raise_if_stopped()
            self.launcher.check()
            if not self.station.sandbox.has_file_system and too_full(self.station):
                raise failures.too_much_output("wrote more than its checkpoint to the output directory") from None
            return None

    def _took_s(self, running: _Running, limit_s: float) -> float:
        """Return for how long a run has had its time, of what we know."""
        return time.monotonic() - running.started - running.away_s - self.launcher.signs.credit_s(limit_s)

    def _notice_pause(self) -> None:
        """Credit the running seed with time in which we did not look."""
        now = time.monotonic()
        away_s, self.looked = now - self.looked, now
        if self.running and away_s > PAUSE_S:
            self.running.away_s += away_s
            self.launcher.signs.skip()


def _result(done: _Done, reading: MeasurerAnswer) -> SeedResult:
    return SeedResult(
        done.seed.index,
        done.run_s,
        reading.blob,
        reading.checkpoint_sha256,
        done.peak_memory_bytes,
        reading.stress,
        cpu_s=done.cpu_s,
    )
