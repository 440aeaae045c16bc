"""Starts a measurer beside a slot, asks it for readings, and keeps it for the next shard."""

import base64
import contextlib
import json
import queue
import re
import time
from pathlib import Path
from typing import Any

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.worker.failures import RunFailed
from services.worker.sandbox.base import Limits, Mount, Output, OutputLine, Sandbox, Sandboxed, Spec
from services.worker.slots import Slot

__all__ = ["MeasurerAnswer", "MeasurerProcess", "Measurers"]

ANSWER_TIMEOUT_S = 300.0
MEASURER_MEMORY_BYTES = 4 * 1024**3
VERSION = re.compile(r"[0-9][0-9A-Za-z.+~-]{0,39}")


class MeasurerAnswer:
    """One answer: a reading, or the reason why the checkpoint is bad."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.token = str(message["token"])
        self.bad: str | None = message.get("bad")
        self.blob = base64.b64decode(message.get("reading", ""))
        self.checkpoint_sha256 = str(message.get("checkpoint_sha256", ""))


class MeasurerProcess:
    """A measurer for one benchmark, kept between the shards of a slot. It loads data while the first seed runs."""

    def __init__(self, sandbox: Sandbox, slot: Slot, bundle: Bundle) -> None:
        self.digest = bundle.manifest.digest
        self._versions = sandbox.versions
        self._checkpoints = slot.checkpoints
        self._last_heard = time.monotonic()
        root = Mount(bundle.root.resolve(), "/lethe/bundle")
        checkpoints = Mount(slot.checkpoints, "/lethe/checkpoints")
        self._process: Sandboxed = sandbox.start(
            Spec(
                module="services.worker.runner.measurer",
                arguments=["--bundle", root, "--checkpoints", checkpoints, "--threads", "1"],
                mounts=[root, checkpoints],
                limits=Limits(memory_bytes=MEASURER_MEMORY_BYTES, cpus=1, file_bytes=1024**2),
                label=f"measurer-{slot.number}",
                scratch=slot.root / "measurer-scratch",
                user=slot.measurer_user,
            )
        )

    @property
    def outputs(self) -> "queue.Queue[Output]":
        """The measurer's outputs, to pass to `read`."""
        return self._process.outputs

    def ask(self, token: str) -> None:
        """Ask for the reading of one checkpoint."""
        self._last_heard = time.monotonic()
        self._process.send(json.dumps({"token": token}).encode())

    def read(self, output: Output) -> MeasurerAnswer | None:
        """Turn an output into a reading and delete the checkpoint; None if the measurer only reports that it is ready.

        Raises a platform failure if the measurer died.
        """
        if not isinstance(output, OutputLine):
            raise RunFailed(FailureKind.PLATFORM, f"The measurer ended: {self._process.log_tail()[-500:]}")
        self._last_heard = time.monotonic()
        message = json.loads(output.text)
        if "ready" in message:
            self._versions |= _versions(message["ready"])
            return None
        reading = MeasurerAnswer(message)
        with contextlib.suppress(FileNotFoundError):
            Path(self._checkpoints / reading.token).unlink()
        return reading

    def raise_if_late(self) -> None:
        """Raise a platform failure if an answer is overdue."""
        if time.monotonic() - self._last_heard > ANSWER_TIMEOUT_S:
            raise RunFailed(FailureKind.PLATFORM, f"The measurer did not answer within {ANSWER_TIMEOUT_S:g} s.")

    def end(self) -> None:
        """End the measurer."""
        self._process.end()


class Measurers:
    """One warm measurer for each slot, kept for as long as the slot's benchmark stays the same."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._warm: dict[int, MeasurerProcess] = {}

    def of(self, slot: Slot, bundle: Bundle) -> MeasurerProcess:
        """Return the slot's measurer of a benchmark; start it if there is none, and end one of another benchmark."""
        current = self._warm.get(slot.number)
        if current is not None and current.digest == bundle.manifest.digest:
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


def _versions(told: dict[str, Any]) -> dict[str, str]:
    """Keep only valid version numbers, because the page shows them and they come from a sandbox."""
    versions = {name: str(told.get(name)) for name in ("python", "torch")}
    return {name: version for name, version in versions.items() if VERSION.fullmatch(version)}
