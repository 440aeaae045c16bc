"""Our side of a launcher (`runner/main.py`): it starts one seed at a time in a sandbox, and reports on each.

Reports begin with a secret that only the launcher knows. Any other line comes from a participant's code and is ignored.
"""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.worker.answers import parsed
from services.worker.sandbox.base import Limits, Mount, Output, OutputLine, Sandbox, Spec
from services.worker.signs import Signs
from services.worker.slots import Slot

__all__ = ["SLACK_BYTES", "Launcher"]

SECRET_BYTES = 16
SLACK_BYTES = 1024**2  # of a file, beside a checkpoint


class Launcher:
    """A launcher with the code that lies in a slot, and the public part of a benchmark."""

    def __init__(
        self,
        sandbox: Sandbox,
        slot: Slot,
        public: Path,
        *,
        memory_bytes: int,
        label: str,
        image: str = "",
        has_originals: bool = False,
        trains: bool = False,
        on_log: Callable[[bytes], None] | None = None,
    ) -> None:
        """Start it; `trains` tells that code of ours will run, too. Raises SandboxUnavailable."""
        self.signs = Signs()  # of the run in progress
        self._secret = secrets.token_hex(SECRET_BYTES).encode()
        model_bytes = public.joinpath("original.safetensors").stat().st_size
        mounts = {
            "--public": Mount(public.resolve(), "/lethe/public"),
            "--submission": Mount(slot.submission, "/lethe/submission"),
            "--checkpoints": Mount(slot.checkpoints, "/lethe/taken", writable=True),
        }
        if has_originals:
            mounts["--original"] = Mount(slot.original, "/lethe/original")
        arguments = [word for pair in mounts.items() for word in pair]
        self._process = sandbox.start(
            Spec(
                module="services.worker.runner.main",
                arguments=[
                    *arguments,
                    "--out",
                    Mount(slot.out, "/lethe/out"),
                    "--threads",
                    str(slot.cpus),
                    *_shared(slot),
                    *(["--trains"] if trains else []),
                ],
                mounts=list(mounts.values()),
                limits=Limits(memory_bytes=memory_bytes, cpus=slot.cpus, file_bytes=model_bytes + SLACK_BYTES),
                label=label,
                scratch=slot.scratch,
                image=image,
                launcher=True,
                gpu_uuid=slot.gpu_uuid,
                on_log=on_log,
            )
        )
        self._process.send(self._secret)

    def run(self, token: str, value: int, code: str | None = None) -> None:
        """Ask for one seed, whose files are named by the token. Its report comes out of `next`.

        `code` is a module of ours that runs in place of the submission.
        """
        self.signs = Signs()
        command: dict[str, str | int] = {"token": token, "value": value}
        self._process.send(json.dumps(command if code is None else command | {"code": code}).encode())

    def next(self, wait_s: float) -> dict[str, Any] | Output | None:
        """Wait for the next report, or for another output that is not a line. None if there was neither.

        The first report says only that the launcher is ready. Raises queue.Empty after `wait_s`.
        """
        output = self._process.outputs.get(timeout=wait_s)
        if not isinstance(output, OutputLine):
            return output
        secret, _, text = output.text.partition(b" ")
        if not secrets.compare_digest(secret, self._secret):
            return None
        self.signs.hear()
        report = parsed(text)
        return None if "alive" in report else report

    def check(self) -> None:
        """Enforce the limits that the backend must watch itself."""
        self._process.check()

    def out_of_memory(self) -> bool:
        """Tell whether the kernel or the backend ended one of its processes for lack of memory."""
        return self._process.out_of_memory()

    def log_tail(self) -> str:
        """Return the end of what was printed."""
        return self._process.log_tail()

    def end(self) -> None:
        """End it and everything that it started."""
        self._process.end()


def _shared(slot: Slot) -> list[str]:
    return ["--gpu-slots", str(slot.gpu_slots)] if slot.gpu_uuid else []
