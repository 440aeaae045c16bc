"""Supervising one sandbox from outside: one seed at a time, by our clock.

The supervisor asks the runner in the sandbox for a seed. The runner reports once the process of that seed has ended and
nothing of it is left. The time between request and report is the seed's run time. Its checkpoint is then moved out of
the sandbox's sight, and measured while the next seed runs. The supervisor also enforces every limit: a seed's deadline,
its printed output, its files.
"""

import contextlib
import json
import queue
import secrets
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.core.models import FailureKind
from services.worker import failures
from services.worker.failures import RunFailed
from services.worker.measurers import MeasurerProcess
from services.worker.sandbox.base import Exited, Limits, Mount, OutputLine, Sandboxed, Spec
from services.worker.slots import empty_directory
from services.worker.station import SeedResult, Station, Traces

__all__ = ["RunLimits", "Seed", "run_seeds"]

START_TIMEOUT_S = 120.0
CHECK_EVERY_S = 0.1
MAX_WAITING = 4  # checkpoints that wait to be measured; bounds the disk a shard needs
SLACK_BYTES = 1024**2
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Seed:
    index: int
    value: int  # secret; the sandbox learns no index


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The limits of a phase for one unlearning run."""

    seeds: int  # N of the evaluation, for messages
    seed_timeout_s: float
    memory_bytes: int
    data_hidden: bool


@dataclass(slots=True)
class _Running:
    seed: Seed
    token: str
    started: float  # monotonic


@dataclass(frozen=True, slots=True)
class _Done:
    """A successful run whose checkpoint is being measured."""

    seed: Seed
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
    runner = station.sandbox.start(_spec(station, limits, traces))
    try:
        yield from _Supervision(station, limits, runner, measurer, deque(seeds)).results()
    finally:
        runner.end()
        traces.printed = runner.log_tail()


def _spec(station: Station, limits: RunLimits, traces: Traces) -> Spec:
    slot, bundle = station.slot, station.bundle
    public = Mount(bundle.public.resolve(), "/lethe/public")
    submission = Mount(slot.submission, "/lethe/submission")
    out = Mount(slot.out, "/lethe/out", writable=True)
    threads = ["--threads", str(slot.cpus)]
    mounts = [public, submission, out]
    arguments: list[str | Mount] = ["--public", public, "--submission", submission, "--out", out]
    if bundle.has_originals:
        mounts.append(Mount(slot.original, "/lethe/original"))
        arguments += ["--original", mounts[-1]]
    return Spec(
        module="services.worker.runner.main",
        arguments=[*arguments, *threads],
        mounts=mounts,
        limits=Limits(
            memory_bytes=limits.memory_bytes,
            cpus=slot.cpus,
            file_bytes=station.model_bytes + SLACK_BYTES,
        ),
        label=station.label,
        scratch=slot.scratch,
        scratch_argument=True,
        gpu_uuid=slot.gpu_uuid,
        on_log=traces.on_log,
    )


@dataclass(slots=True)
class _Supervision:
    """The state of one `run_seeds`."""

    station: Station
    limits: RunLimits
    runner: Sandboxed
    measurer: MeasurerProcess
    pending: deque[Seed]
    running: _Running | None = None
    measuring: dict[str, _Done] = field(default_factory=dict)

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
            if isinstance(output, OutputLine):
                return
            if isinstance(output, Exited):
                log = self.runner.log_tail()[-500:]
                raise RunFailed(FailureKind.PLATFORM, f"The sandbox ended before it was ready: {log}")
        raise RunFailed(FailureKind.PLATFORM, f"The sandbox was not ready within {START_TIMEOUT_S:g} s.")

    def _dispatch(self, seed: Seed) -> None:
        if self.station.bundle.has_originals:
            self._lay_out_original(seed)
        token = secrets.token_hex(8)
        self.running = _Running(seed, token, time.monotonic())
        self.runner.send(json.dumps({"token": token, "value": seed.value}).encode())

    def _lay_out_original(self, seed: Seed) -> None:
        """Replace the original model by the one of this seed; no sandbox ever sees two."""
        partial = self.station.slot.root / "original.part"
        partial.write_bytes(self.station.bundle.original_of(seed.index))
        partial.chmod(0o644)
        partial.replace(self.station.slot.original / "original.safetensors")

    def _follow(self, running: _Running) -> None:
        """Wait a moment for the running seed; enforce its limits; take its checkpoint once it is done."""
        output = self._next_output()
        seed, seeds = running.seed.index, self.limits.seeds
        if isinstance(output, OutputLine):
            run_s = time.monotonic() - running.started
            self.running = None
            self._take(running, run_s, json.loads(output.text))
        elif isinstance(output, Exited):
            if output.out_of_memory:
                raise failures.out_of_memory(seed, seeds, self.limits.memory_bytes)
            signal_number = -output.code if output.code < 0 else None
            raise failures.from_exit(seed, seeds, code=output.code, signal_number=signal_number)
        elif output == "too_much_output":
            raise failures.too_much_output("printed more than the limit")
        elif time.monotonic() - running.started > self.limits.seed_timeout_s:
            raise failures.timeout(seed, seeds, self.limits.seed_timeout_s)

    def _take(self, running: _Running, run_s: float, report: dict[str, Any]) -> None:
        """Move the checkpoint away and ask for its reading. Raises RunFailed if there is no checkpoint."""
        seed, seeds = running.seed, self.limits.seeds
        if report.get("exit") != 0:
            raise self._explain(running, report)
        try:
            self.station.slot.out.joinpath(running.token).rename(self.station.slot.checkpoints / running.token)
        except OSError:
            raise failures.from_exit(seed.index, seeds, code=0, signal_number=None) from None
        empty_directory(self.station.slot.out)
        self.measuring[running.token] = _Done(seed, run_s, report["peak_memory_bytes"])
        self.measurer.ask(running.token)

    def _explain(self, running: _Running, report: dict[str, Any]) -> RunFailed:
        seed, seeds, slot = running.seed.index, self.limits.seeds, self.station.slot
        if report.get("out_of_memory") or self.runner.out_of_memory():
            return failures.out_of_memory(seed, seeds, self.limits.memory_bytes)
        note = slot.out / f"{running.token}.note"
        explained = failures.from_note(note, seed, seeds)
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
            yield SeedResult(
                done.seed.index, done.run_s, reading.blob, reading.checkpoint_sha256, done.peak_memory_bytes
            )
            if wait:
                return

    def _next_output(self) -> object:
        """Wait a moment for the runner's next output; if there is none, check the limits and return None."""
        try:
            return self.runner.outputs.get(timeout=CHECK_EVERY_S)
        except queue.Empty:
            self.station.raise_if_stopped()
            self.runner.check()
            files, size = _usage(self.station.slot.out)
            if size > 2 * (self.station.model_bytes + SLACK_BYTES) or files > MAX_FILES:
                raise failures.too_much_output("wrote more than its checkpoint to the output directory") from None
            return None


def _usage(directory: Path) -> tuple[int, int]:
    files = size = 0
    for path in directory.rglob("*"):
        files += 1
        with contextlib.suppress(OSError):
            size += path.lstat().st_size
        if files > MAX_FILES:
            break
    return files, size
