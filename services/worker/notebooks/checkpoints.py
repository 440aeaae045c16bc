"""A notebook's checkpoints, from its `submission.zip` to their readings, one at a time: our side of the intake."""

import json
import os
import queue
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from services.core.models import FailureKind
from services.worker import failures
from services.worker.clearing import new_directory, sweep_away
from services.worker.failures import RunFailed
from services.worker.measurers import MeasurerAnswer, MeasurerProcess
from services.worker.notebooks.limits import NotebookLimits
from services.worker.sandbox.base import Exited, Limits, Mount, OutputLine, Spec
from services.worker.station import SeedResult, Station

__all__ = ["IntakeProcess"]

ANSWER_TIMEOUT_S = 300.0
CHECK_EVERY_S = 0.2
MEMORY_BYTES = 2 * 1024**3
MAX_WAITING = 2  # converted checkpoints that wait to be measured


class IntakeProcess:
    """Our side of the intake: it asks for checkpoints, and hands each to the measurer."""

    def __init__(self, station: Station, limits: NotebookLimits, working: Path) -> None:
        slot = station.slot
        self._station = station
        self._seeds = limits.seeds
        self._out = slot.root / "intake"
        self._specs = slot.root / "specs"
        for directory in (self._out, self._specs):
            new_directory(directory)
        if os.geteuid() == 0:
            os.chown(self._out, slot.intake_user, slot.intake_user)
        described = {spec.name: [spec.dtype, list(spec.shape)] for spec in station.bundle.manifest.checkpoint}
        (self._specs / "specs.json").write_text(json.dumps(described))
        archive = Mount(working, "/lethe/archive")
        specs, out = Mount(self._specs, "/lethe/specs"), Mount(self._out, "/lethe/intake", writable=True)
        self._process = station.sandbox.start(
            Spec(
                module="services.worker.runner.intake",
                arguments=[
                    *("--archive", archive, "--specs", specs, "--out", out, "--seeds", str(limits.seeds)),
                    *(["--take-first"] if limits.take_first else []),
                ],
                mounts=[archive, specs, out],
                limits=Limits(memory_bytes=MEMORY_BYTES, cpus=1, file_bytes=2 * station.model_bytes),
                label=station.label,
                scratch=slot.root / "intake-scratch",
                user=slot.intake_user,
            )
        )

    def results(self, *, run_s: float, peak_memory_bytes: int) -> Iterator[SeedResult]:
        """Convert and measure every checkpoint; `run_s` and the memory are those of the run that made all of them.

        Raises Stopped, or RunFailed, which names the first member that cannot be used.
        """
        measurer = self._station.measurer()
        first = self._answer()
        if "bad" in first:
            raise failures.bad_archive(str(first["bad"]))
        written = first.get("written")
        if not isinstance(written, int) or written < self._seeds:
            raise RunFailed(FailureKind.PLATFORM, "The intake did not say how many checkpoints there are.")
        each = run_s / written
        measuring: dict[str, int] = {}
        for index in range(self._seeds):
            measuring[self._convert(index)] = index
            measurer.ask(next(reversed(measuring)))
            while len(measuring) > (MAX_WAITING if index + 1 < self._seeds else 0):
                for index_read, reading in self._collect(measurer, measuring):
                    yield SeedResult(index_read, each, reading.blob, reading.checkpoint_sha256, peak_memory_bytes)

    def _convert(self, index: int) -> str:
        token = secrets.token_hex(8)
        self._process.send(json.dumps({"token": token, "index": index}).encode())
        answer = self._answer()
        if "bad" in answer:
            raise failures.bad_checkpoint(index, self._seeds, str(answer["bad"]))
        try:
            (self._out / token).rename(self._station.slot.checkpoints / token)
        except OSError as error:
            raise RunFailed(FailureKind.PLATFORM, "The intake left no checkpoint.") from error
        return token

    def _collect(self, measurer: MeasurerProcess, measuring: dict[str, int]) -> Iterator[tuple[int, MeasurerAnswer]]:
        """Wait a moment for the next reading; if one comes, yield the index of its checkpoint and the reading."""
        try:
            output = measurer.outputs.get(timeout=CHECK_EVERY_S)
        except queue.Empty:
            self._station.raise_if_stopped()
            measurer.raise_if_late()
            return
        reading = measurer.read(output)
        if reading is None or reading.token not in measuring:
            return  # the measurer got ready, or answered a run that has failed meanwhile
        index = measuring.pop(reading.token)
        if reading.bad:
            raise failures.bad_checkpoint(index, self._seeds, reading.bad)
        yield index, reading

    def _answer(self) -> dict[str, object]:
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < deadline:
            self._station.raise_if_stopped()
            try:
                output = self._process.outputs.get(timeout=CHECK_EVERY_S)
            except queue.Empty:
                continue
            if isinstance(output, OutputLine):
                return dict(json.loads(output.text))
            if isinstance(output, Exited) and output.out_of_memory:
                raise failures.bad_archive(f"reading one takes more than {MEMORY_BYTES / 2**30:g} GiB of memory")
            raise RunFailed(FailureKind.PLATFORM, f"The intake ended: {self._process.log_tail()[-500:]}")
        raise RunFailed(FailureKind.PLATFORM, f"The intake did not answer within {ANSWER_TIMEOUT_S:g} s.")

    def end(self) -> None:
        """End the intake and delete its converted checkpoints."""
        self._process.end()
        sweep_away(self._out)
