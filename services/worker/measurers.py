"""Starts a measurer beside a slot, asks it for readings, and keeps it for the next shard.

A measurer holds hostile files in hand. If it ends or does not answer, a fresh one measures the same file. If that fails
too, the fault is the file's until shown ours: a third measures the benchmark's own original model. If it can, the file
is a bad checkpoint.
"""

import base64
import binascii
import contextlib
import json
import queue
import re
import secrets
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from services.core.bundle.directory import Bundle
from services.worker import failures
from services.worker.answers import parsed
from services.worker.failures import SandboxText
from services.worker.runner import tensors
from services.worker.sandbox.base import MAX_LINE_BYTES, Limits, Mount, Output, OutputLine, Sandbox, Sandboxed, Spec
from services.worker.slots import Slot

__all__ = ["MeasurerAnswer", "MeasurerProcess", "Measurers", "StressRequest"]

log = structlog.get_logger()

ANSWER_TIMEOUT_S = 300.0
SLOWER = 20.0  # how much slower than the machine that built a benchmark a busy worker may be
CANARY_TIMEOUT_S = 120.0
MEASURER_MEMORY_BYTES = 4 * 1024**3
VERSION = re.compile(r"[0-9][0-9A-Za-z.+~-]{0,39}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StressRequest:
    """How to put a model under stress."""

    start: int  # place of the original from which its run started
    relearn: bool

    @classmethod
    def of(cls, bundle: Bundle, seed: int, *, public: bool = False) -> "StressRequest | None":
        """Say how the model of one seed is put under stress; None if the benchmark has no anchors.

        `public` runs, which are those of notebooks, start from the public original, the first one.
        """
        described = bundle.manifest.robustness
        if described is None:
            return None
        return cls(0 if public else bundle.place_of(seed), relearn=seed < described.relearned)


class Request(NamedTuple):
    """A checkpoint to measure."""

    token: str
    stress: StressRequest | None


@dataclass(frozen=True, slots=True)
class MeasurerAnswer:
    """One answer: a reading, or the reason why the checkpoint is bad."""

    token: str
    bad: SandboxText | None = None
    blob: bytes = b""
    checkpoint_sha256: str = ""
    stress: bytes = b""  # empty if none was asked for


class MeasurerProcess:
    """A measurer for one benchmark, kept between the shards of a slot. It loads data while the first seed runs."""

    def __init__(self, sandbox: Sandbox, slot: Slot, bundle: Bundle) -> None:
        self.digest = bundle.manifest.digest
        self._sandbox, self._slot, self._bundle = sandbox, slot, bundle
        self._last_heard = 0.0
        self._is_ready = self._is_late = self._has_ended = False
        self._asked: deque[Request] = deque()  # without an answer; the first one's file is in hand
        self._suspect = ""  # the token whose file an earlier measurer had in hand when it broke
        self._process = self._start()

    @property
    def outputs(self) -> "queue.Queue[Output]":
        """The measurer's outputs, to pass to `read`."""
        return self._process.outputs

    @property
    def is_idle(self) -> bool:
        """Tell whether it waits for a checkpoint, so that another shard can use it."""
        return not self._asked and not self._has_ended

    def ask(self, token: str, stress: StressRequest | None = None) -> None:
        """Ask for the reading of one checkpoint, and for a stress reading if `stress` says how."""
        self._last_heard = time.monotonic()
        request = Request(token, stress)
        self._asked.append(request)
        self._send(request)

    def read(self, output: Output) -> MeasurerAnswer | None:
        """Turn an output into an answer and delete the checkpoint; None if there is no answer yet.

        That is so if the measurer only reports that it is ready, and if it broke and another one measures the file.
        Raises a platform failure if the measurer broke and no checkpoint was at fault.
        """
        self._last_heard = time.monotonic()
        message = parsed(output.text, limit=MAX_LINE_BYTES) if isinstance(output, OutputLine) else {}
        if not self._is_ready and "ready" in message:
            self._is_ready = True
            self._sandbox.versions |= _versions(message["ready"])
            return None
        answer = _answer(message, *self._asked[0]) if self._is_ready and self._asked else None
        if answer is None:
            answer = self._broken()
        if answer is None:
            return None
        self._asked.popleft()
        with contextlib.suppress(OSError):  # whatever it is, if it is no file, the slot removes it with the shard
            (self._slot.checkpoints / answer.token).unlink()
        return answer

    def raise_if_late(self) -> None:
        """End the measurer if an answer is overdue; the next output then says that it ended."""
        if time.monotonic() - self._last_heard > self._patience_s:
            self._is_late = True
            self._last_heard = time.monotonic()
            self.end()

    def end(self) -> None:
        """End the measurer."""
        if not self._has_ended:
            self._has_ended = True
            self._process.end()

    def measures_the_original(self) -> bool:
        """Tell whether it measures the benchmark's own original model: the canary that shows whose fault a failure is.

        The measurer must be fresh.
        """
        token = secrets.token_hex(8)
        model = self._bundle.arrays("public/original.safetensors")
        place = Path(self._slot.checkpoints / token)
        place.write_bytes(tensors.encode(model))
        self.ask(token)
        deadline = time.monotonic() + CANARY_TIMEOUT_S
        try:
            while time.monotonic() < deadline:
                with contextlib.suppress(queue.Empty):
                    output = self.outputs.get(timeout=1)
                    message = parsed(output.text, limit=MAX_LINE_BYTES) if isinstance(output, OutputLine) else {}
                    if "ready" not in message:
                        answer = _answer(message, token, None)
                        return answer is not None and answer.bad is None
            return False
        finally:
            place.unlink(missing_ok=True)

    def _start(self) -> Sandboxed:
        self._last_heard = time.monotonic()
        self._is_ready = self._is_late = self._has_ended = False
        root = Mount(self._bundle.root.resolve(), "/lethe/bundle")
        checkpoints = Mount(self._slot.checkpoints, "/lethe/checkpoints")
        gpu = ["--gpu"] if self._slot.gpu_uuid else []
        return self._sandbox.start(
            Spec(
                module="services.worker.runner.measurer",
                arguments=["--bundle", root, "--checkpoints", checkpoints, "--threads", "1", *gpu],
                mounts=[root, checkpoints],
                limits=Limits(
                    memory_bytes=MEASURER_MEMORY_BYTES * (2 if gpu else 1),  # CUDA takes some of the host's, too
                    cpus=1,
                    file_bytes=1024**2,
                ),
                label=f"measurer-{self._slot.number}",
                scratch=self._slot.root / "measurer-scratch",
                user=self._slot.measurer_user,
                gpu_uuid=self._slot.gpu_uuid,
            )
        )

    def _send(self, request: Request) -> None:
        asked = {} if request.stress is None else {"stress": asdict(request.stress)}
        self._process.send(json.dumps({"token": request.token} | asked).encode())

    @property
    def _patience_s(self) -> float:
        """How long to wait for an answer: more if it is to contain a stress reading, by what that took at the build."""
        stress = self._asked[0].stress if self._asked else None
        described = self._bundle.manifest.robustness
        if stress is None or described is None:
            return ANSWER_TIMEOUT_S
        return ANSWER_TIMEOUT_S + SLOWER * (described.reading_s + stress.relearn * described.relearning_s)

    def _broken(self) -> MeasurerAnswer | None:
        """Start afresh if the file in hand is no suspect yet, or else blame it if a third measurer is well.

        Raises a platform failure.
        """
        how = f"did not answer within {self._patience_s:.0f} s" if self._is_late else "ended"
        broke = failures.platform(f"The measurer {how}.", self._process.log_tail())
        self.end()
        if not self._is_ready or not self._asked:
            raise broke
        if self._suspect != self._asked[0].token:
            self._suspect = self._asked[0].token
            self._process = self._start()
            for request in self._asked:
                self._send(request)
            return None
        if not _canary_passes(self._sandbox, self._slot, self._bundle):
            raise broke
        log.warning("checkpoint_at_fault", slot=self._slot.number)
        return MeasurerAnswer(self._asked[0].token, SandboxText(f"the measurer {how} while it measured it"))


class Measurers:
    """One warm measurer for each slot, kept for as long as the slot's benchmark stays the same."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._warm: dict[int, MeasurerProcess] = {}

    def of(self, slot: Slot, bundle: Bundle) -> MeasurerProcess:
        """Return the slot's measurer of a benchmark; start it if there is none.

        End one of another benchmark, and one that has ended or still holds files of a run that failed.
        """
        current = self._warm.get(slot.number)
        if current is not None and current.digest == bundle.manifest.digest and current.is_idle:
            return current
        self.drop(slot)
        self._warm[slot.number] = MeasurerProcess(self._sandbox, slot, bundle)
        return self._warm[slot.number]

    def drop(self, slot: Slot) -> None:
        """End the slot's measurer, if there is one."""
        measurer = self._warm.pop(slot.number, None)
        if measurer is not None:
            measurer.end()

    def close(self) -> None:
        """End every measurer."""
        for measurer in self._warm.values():
            measurer.end()


def _canary_passes(sandbox: Sandbox, slot: Slot, bundle: Bundle) -> bool:
    """Tell whether a fresh measurer measures the benchmark's original model."""
    try:
        fresh = MeasurerProcess(sandbox, slot, bundle)
        try:
            return fresh.measures_the_original()
        finally:
            fresh.end()
    except Exception:
        log.exception("canary_broke", slot=slot.number)
        return False


def _answer(message: dict[str, Any], token: str, stress: StressRequest | None) -> MeasurerAnswer | None:
    """Read the answer about a checkpoint; None if the message is not one."""
    if message.get("token") != token:
        return None
    bad, reading, digest = (message.get(name) for name in ("bad", "reading", "checkpoint_sha256"))
    stressed = message.get("stress", "")
    if isinstance(bad, str):
        return MeasurerAnswer(token, SandboxText(bad))
    if not isinstance(reading, str) or not isinstance(digest, str) or not SHA256.fullmatch(digest):
        return None
    if not isinstance(stressed, str) or bool(stressed) != (stress is not None):
        return None
    try:
        read, stressed_bytes = (base64.b64decode(text, validate=True) for text in (reading, stressed))
        return MeasurerAnswer(token, blob=read, checkpoint_sha256=digest, stress=stressed_bytes)
    except (binascii.Error, ValueError):
        return None


def _versions(told: object) -> dict[str, str]:
    """Keep only valid version numbers, because the page shows them and they come from a sandbox."""
    if not isinstance(told, dict):
        return {}
    versions = {name: str(told.get(name)) for name in ("python", "torch")}
    return {name: version for name, version in versions.items() if VERSION.fullmatch(version)}
