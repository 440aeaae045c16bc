"""A notebook's checkpoints, from its `submission.zip` to their readings, one at a time: our side of the intake.

The intake reads pickles, so whatever it says or writes may be a participant's. If it ends, hangs or answers nonsense, a
fresh one reads the same checkpoint, because somebody outside may have ended the first. If that fails too, the fault is
the archive's until shown ours: a third intake converts an archive that we wrote.
"""

import contextlib
import io
import json
import os
import queue
import secrets
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from services.worker import failures
from services.worker.answers import integer, parsed
from services.worker.clearing import new_directory, sweep_away
from services.worker.failures import RunFailed, SandboxText
from services.worker.measurers import MeasurerAnswer, MeasurerProcess, StressRequest
from services.worker.notebooks.limits import Mode, NotebookLimits
from services.worker.sandbox.base import Exited, Limits, Mount, OutputLine, Sandboxed, Spec
from services.worker.station import SeedResult, Station

__all__ = ["IntakeProcess"]

log = structlog.get_logger()

ANSWER_TIMEOUT_S = 300.0
CHECK_EVERY_S = 0.2
MEMORY_BYTES = 2 * 1024**3
MAX_WAITING = 2  # converted checkpoints that wait to be measured


class Broke(Exception):
    """The intake did not answer as our code does."""


class IntakeProcess:
    """Our side of the intake: it asks for checkpoints, and hands each to the measurer."""

    def __init__(self, station: Station, limits: NotebookLimits, working: Path) -> None:
        slot = station.slot
        self._station, self._limits = station, limits
        self._seeds = limits.seeds
        self._has_ended = False
        self._working = working
        self._out = slot.root / "intake"
        self._specs = slot.root / "specs"
        new_directory(self._specs)
        described = {spec.name: [spec.dtype, list(spec.shape)] for spec in station.bundle.manifest.checkpoint}
        (self._specs / "specs.json").write_text(json.dumps(described))
        self._process = self._start()

    def _start(self) -> Sandboxed:
        slot = self._station.slot
        new_directory(self._out)
        if os.geteuid() == 0:
            os.chown(self._out, slot.intake_user, slot.intake_user)
        archive = Mount(self._working, "/lethe/archive")
        specs, out = Mount(self._specs, "/lethe/specs"), Mount(self._out, "/lethe/intake", writable=True)
        return self._station.sandbox.start(
            Spec(
                module="services.worker.runner.intake",
                arguments=[
                    *("--archive", archive, "--specs", specs, "--out", out, "--seeds", str(self._seeds)),
                    *(["--take-first"] if self._limits.takes_first else []),
                ],
                mounts=[archive, specs, out],
                limits=Limits(memory_bytes=MEMORY_BYTES, cpus=1, file_bytes=2 * self._station.model_bytes),
                label=self._station.label,
                scratch=slot.root / "intake-scratch",
                user=slot.intake_user,
            )
        )

    def results(self, *, run_s: float, peak_memory_bytes: int) -> Iterator[SeedResult]:
        """Convert and measure every checkpoint; `run_s` and the memory are those of the run that made all of them.

        Raises Stopped, or RunFailed, which names the first member that cannot be used.
        """
        measurer = self._station.measurer()
        each = run_s / self._written()
        measuring: dict[str, int] = {}
        for index in range(self._seeds):
            measuring[self._convert(index)] = index
            wants = self._limits.robustness
            stress = StressRequest.of(self._station.bundle, index, public=True) if wants else None
            measurer.ask(next(reversed(measuring)), stress)
            while len(measuring) > (MAX_WAITING if index + 1 < self._seeds else 0):
                for index_read, reading in self._collect(measurer, measuring):
                    yield SeedResult(
                        index_read,
                        each,
                        reading.blob,
                        reading.checkpoint_sha256,
                        peak_memory_bytes,
                        reading.stress,
                    )

    def judge(self) -> None:
        """Convert every checkpoint, and measure none. Raises Stopped, or RunFailed, which names the first bad one."""
        self._written()
        for index in range(self._seeds):
            self._station.slot.checkpoints.joinpath(self._convert(index)).unlink()

    def converts_our_own(self) -> bool:
        """Tell whether it converts an archive that we wrote; it must be fresh."""
        with contextlib.suppress(Broke, RunFailed):
            answers = [self._answer(), self._ask(0, secrets.token_hex(8))]
            return not any("bad" in answer for answer in answers)
        return False

    def _written(self) -> int:
        """Wait for the intake; return how many checkpoints the archive holds. Raises RunFailed."""
        try:
            try:
                return self._counted()
            except Broke:
                return self._counted_afresh()
        except Broke as broke:
            raise self._blamed(failures.bad_archive(SandboxText(f"the intake {broke}")), broke) from broke

    def _counted(self) -> int:
        first = self._answer()
        if "bad" in first:
            raise failures.bad_archive(SandboxText(str(first["bad"])))
        written = integer(first.get("written"), most=self._limits.written)
        if written < self._seeds:
            raise Broke("did not say how many checkpoints there are")
        return written

    def _counted_afresh(self) -> int:
        self._process.end()
        self._process = self._start()
        return self._counted()

    def _convert(self, index: int) -> str:
        """Have a checkpoint converted, and move it to the measurer; return its token. Raises RunFailed."""
        token = secrets.token_hex(8)
        try:
            try:
                self._convert_to(token, index)
            except Broke:
                self._counted_afresh()
                self._convert_to(token, index)
        except Broke as broke:
            why = SandboxText(f"the intake {broke} while it read it")
            raise self._blamed(failures.bad_checkpoint(index, self._seeds, why), broke) from broke
        return token

    def _convert_to(self, token: str, index: int) -> None:
        answer = self._ask(index, token)
        if "bad" in answer:
            raise failures.bad_checkpoint(index, self._seeds, SandboxText(str(answer["bad"])))
        self._move(token)

    def _ask(self, index: int, token: str) -> dict[str, Any]:
        self._process.send(json.dumps({"token": token, "index": index}).encode())
        return self._answer()

    def _move(self, token: str) -> None:
        try:
            (self._out / token).rename(self._station.slot.checkpoints / token)
        except OSError as error:
            raise Broke("left no checkpoint") from error

    def _blamed(self, theirs: RunFailed, broke: Broke) -> RunFailed:
        """Return the participant's failure if a fresh intake is well, otherwise ours."""
        ours = failures.platform(f"The intake {broke}.", self._process.log_tail())
        self.end()
        if not _canary_passes(self._station, self._limits):
            return ours
        log.warning("archive_at_fault", slot=self._station.slot.number)
        return theirs

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

    def _answer(self) -> dict[str, Any]:
        """Wait for the next answer. Raises Broke if there is none, and Stopped."""
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < deadline:
            self._station.raise_if_stopped()
            try:
                output = self._process.outputs.get(timeout=CHECK_EVERY_S)
            except queue.Empty:
                continue
            answer = parsed(output.text) if isinstance(output, OutputLine) else {}
            if answer:
                return answer
            if isinstance(output, Exited) and output.out_of_memory:
                raise failures.bad_archive(
                    SandboxText(f"reading one takes more than {MEMORY_BYTES / 2**30:g} GiB of memory")
                )
            raise Broke("ended" if isinstance(output, Exited) else "answered nonsense")
        raise Broke(f"did not answer within {ANSWER_TIMEOUT_S:g} s")

    def end(self) -> None:
        """End the intake and delete its converted checkpoints."""
        if not self._has_ended:
            self._has_ended = True
            self._process.end()
            sweep_away(self._out)


def _canary_passes(station: Station, limits: NotebookLimits) -> bool:
    """Tell whether a fresh intake converts an archive of the benchmark's original model."""
    place = station.slot.root / "canary"
    new_directory(place)
    _write_archive(station, place / "submission.zip")
    intake = IntakeProcess(station, replace(limits, seeds=1, mode=Mode.FULL, take_first=False), place)
    try:
        return intake.converts_our_own()
    finally:
        intake.end()
        sweep_away(place)


def _write_archive(station: Station, place: Path) -> None:
    """Write the archive of a notebook whose only checkpoint is the original model."""
    import torch

    arrays = station.bundle.arrays("public/original.safetensors")
    pickled = io.BytesIO()
    torch.save({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}, pickled)
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("unlearned_checkpoint_0.pth", pickled.getvalue())
