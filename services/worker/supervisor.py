"""Supervising one sandbox: one seed at a time, by our clock, from outside.

The runner inside is asked for a seed, and reports when the process of that seed has ended and is swept up. The time
between the two is the seed's run time. Its checkpoint is then moved out of the sandbox's sight, and measured while the
next seed runs. Every limit is enforced here: a seed's deadline, what it prints, what it writes.
"""

import contextlib
import json
import queue
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.worker import failures
from services.worker.failures import RunFailed
from services.worker.measuring import MeasurerProcess
from services.worker.sandbox.base import Exited, Limits, Mount, OutputLine, Sandbox, Sandboxed, Spec
from services.worker.slots import Slot, empty_directory

__all__ = ["RunLimits", "Seed", "SeedResult", "Stopped", "run_seeds"]

START_TIMEOUT_S = 120.0
CHECK_EVERY_S = 0.1
MAX_WAITING = 4  # checkpoints that wait to be measured; bounds the disk a shard needs
SLACK_BYTES = 1024**2
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Seed:
    index: int
    value: int  # secret; all the sandbox gets


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One measured model."""

    index: int
    run_s: float
    blob: bytes
    checkpoint_sha256: str
    peak_memory_bytes: int  # of the largest process of the run


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What the phase allows one unlearning run."""

    seeds: int  # N of the evaluation, for messages
    seed_timeout_s: float
    memory_bytes: int
    data_hidden: bool


class Stopped(Exception):
    """The caller asked to stop: a cancel, a lost lease, or the worker's end."""


@dataclass(slots=True)
class _Running:
    seed: Seed
    token: str
    started: float  # monotonic


@dataclass(frozen=True, slots=True)
class _Done:
    """A run that has ended well, whose checkpoint is being measured."""

    seed: Seed
    run_s: float
    peak_memory_bytes: int


def run_seeds(
    sandbox: Sandbox,
    slot: Slot,
    bundle: Bundle,
    *,
    measurer: MeasurerProcess,
    seeds: Sequence[Seed],
    limits: RunLimits,
    lease: str,
    stopped: Callable[[], bool],
    on_printed: Callable[[str], None] = lambda _: None,
) -> Iterator[SeedResult]:
    """Run the submission in `slot.submission` once per seed; yield each model's reading as it is measured.

    However it ends, `on_printed` then gets the last that all of the runs printed.
    Raises RunFailed at the first seed that fails, and Stopped when `stopped()` turns true.
    """
    size = bundle.root.joinpath("public/original.safetensors").stat().st_size
    runner = sandbox.start(_spec(slot, bundle, limits, size, lease))
    try:
        supervision = _Supervision(
            runner,
            slot,
            bundle,
            measurer=measurer,
            seeds=seeds,
            limits=limits,
            out_bytes=size + SLACK_BYTES,
            stopped=stopped,
        )
        yield from supervision.results()
    finally:
        runner.end()
        on_printed(runner.log_tail())


def _spec(slot: Slot, bundle: Bundle, limits: RunLimits, checkpoint_bytes: int, lease: str) -> Spec:
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
            file_bytes=checkpoint_bytes + SLACK_BYTES,
        ),
        lease=lease,
        scratch=slot.scratch,
        scratch_argument=True,
        gpu_uuid=slot.gpu_uuid,
    )


class _Supervision:
    """The state of one `run_seeds`."""

    def __init__(
        self,
        runner: Sandboxed,
        slot: Slot,
        bundle: Bundle,
        *,
        measurer: MeasurerProcess,
        seeds: Sequence[Seed],
        limits: RunLimits,
        out_bytes: int,
        stopped: Callable[[], bool],
    ) -> None:
        self._runner = runner
        self._slot = slot
        self._bundle = bundle
        self._measurer = measurer
        self._pending = deque(seeds)
        self._running: _Running | None = None
        self._measuring: dict[str, _Done] = {}
        self._limits = limits
        self._out_bytes = out_bytes
        self._stopped = stopped

    def results(self) -> Iterator[SeedResult]:
        self._await_ready()
        while self._pending or self._running or self._measuring:
            if self._pending and not self._running and len(self._measuring) < MAX_WAITING:
                self._dispatch(self._pending.popleft())
            if self._running:
                self._follow(self._running)
            yield from self._collect(wait=not self._running)

    def _await_ready(self) -> None:
        """Until the runner says it is ready, no participant's code has run: whatever fails is ours, memory apart."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            output = self._next_output()
            if isinstance(output, OutputLine):
                return
            if isinstance(output, Exited):
                log = self._runner.log_tail()[-500:]
                raise RunFailed(FailureKind.PLATFORM, f"The sandbox ended before it was ready: {log}")
        raise RunFailed(FailureKind.PLATFORM, f"The sandbox was not ready within {START_TIMEOUT_S:g} s.")

    def _dispatch(self, seed: Seed) -> None:
        if self._bundle.has_originals:
            self._lay_out_original(seed)
        token = secrets.token_hex(8)
        self._running = _Running(seed, token, time.monotonic())
        self._runner.send(json.dumps({"token": token, "value": seed.value}).encode())

    def _lay_out_original(self, seed: Seed) -> None:
        """Put the seed's own original in the place of the last one; no sandbox ever sees two."""
        partial = self._slot.root / "original.part"
        partial.write_bytes(self._bundle.original_of(seed.index))
        partial.chmod(0o644)
        partial.replace(self._slot.original / "original.safetensors")

    def _follow(self, running: _Running) -> None:
        """Wait a moment for the running seed; enforce its limits; take its checkpoint when it is done."""
        output = self._next_output()
        seed, seeds = running.seed.index, self._limits.seeds
        if isinstance(output, OutputLine):
            run_s = time.monotonic() - running.started
            self._running = None
            self._take(running, run_s, json.loads(output.text))
        elif isinstance(output, Exited):
            if output.out_of_memory:
                raise failures.out_of_memory(seed, seeds, self._limits.memory_bytes)
            signal_number = -output.code if output.code < 0 else None
            raise failures.from_exit(seed, seeds, code=output.code, signal_number=signal_number)
        elif output == "too_much_output":
            raise failures.too_much_output("printed more than the limit")
        elif time.monotonic() - running.started > self._limits.seed_timeout_s:
            raise failures.timeout(seed, seeds, self._limits.seed_timeout_s)

    def _take(self, running: _Running, run_s: float, report: dict[str, Any]) -> None:
        """Move the checkpoint away and ask for its reading; or raise why there is none."""
        seed, seeds = running.seed, self._limits.seeds
        if report.get("exit") != 0:
            raise self._explain(running, report)
        try:
            self._slot.out.joinpath(running.token).rename(self._slot.checkpoints / running.token)
        except OSError:
            raise failures.from_exit(seed.index, seeds, code=0, signal_number=None) from None
        empty_directory(self._slot.out)
        self._measuring[running.token] = _Done(seed, run_s, report["peak_memory_bytes"])
        self._measurer.ask(running.token)

    def _explain(self, running: _Running, report: dict[str, Any]) -> RunFailed:
        seed, seeds = running.seed.index, self._limits.seeds
        if report.get("out_of_memory") or self._runner.out_of_memory():
            return failures.out_of_memory(seed, seeds, self._limits.memory_bytes)
        note = self._slot.out / f"{running.token}.note"
        explained = failures.from_note(note, seed, seeds, self._slot.submission, data_hidden=self._limits.data_hidden)
        return explained or failures.from_exit(seed, seeds, code=report.get("exit"), signal_number=report.get("signal"))

    def _collect(self, *, wait: bool) -> Iterator[SeedResult]:
        """Yield the readings that have arrived; with `wait`, wait a moment for one."""
        while self._measuring:
            try:
                output = self._measurer.outputs.get(block=wait, timeout=CHECK_EVERY_S)
            except queue.Empty:
                self._raise_if_stopped()
                self._measurer.raise_if_late()
                return
            reading = self._measurer.read(output)
            if reading is None or reading.token not in self._measuring:
                continue  # it got ready, or was asked by a shard that failed meanwhile
            done = self._measuring.pop(reading.token)
            if reading.bad:
                raise failures.bad_checkpoint(done.seed.index, self._limits.seeds, reading.bad)
            yield SeedResult(
                done.seed.index, done.run_s, reading.blob, reading.checkpoint_sha256, done.peak_memory_bytes
            )
            if wait:
                return

    def _next_output(self) -> object:
        """Wait for the runner's next output; None after a moment of silence, in which the limits are checked."""
        try:
            return self._runner.outputs.get(timeout=CHECK_EVERY_S)
        except queue.Empty:
            self._raise_if_stopped()
            self._runner.check()
            files, size = _usage(self._slot.out)
            if size > 2 * self._out_bytes or files > MAX_FILES:
                raise failures.too_much_output("wrote more than its checkpoint to the output directory") from None
            return None

    def _raise_if_stopped(self) -> None:
        if self._stopped():
            raise Stopped


def _usage(directory: Path) -> tuple[int, int]:
    files = size = 0
    for path in directory.rglob("*"):
        files += 1
        with contextlib.suppress(OSError):
            size += path.lstat().st_size
        if files > MAX_FILES:
            break
    return files, size
