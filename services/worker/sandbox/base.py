"""What every sandbox backend offers: start a process under limits, talk to it by lines, end it from outside.

Theory of operation. A sandboxed process gets commands on standard input and answers on standard output, one line each.
Whatever it prints on standard error is a log, kept to its tail and counted. Streams are read by threads that put
everything into one queue, so that a supervisor waits in a single place with a deadline of its own. Ending is always
from outside and of everything at once: the container, or the process group.
"""

import queue
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from services.core.errors import Unavailable

__all__ = ["Exited", "Limits", "Mount", "Output", "OutputLine", "Sandbox", "SandboxUnavailable", "Sandboxed", "Spec"]

LOG_TAIL_BYTES = 16 * 1024
MAX_LINE_BYTES = 64 * 1024**2  # one reading of the largest benchmark, base64


class SandboxUnavailable(Unavailable):
    code = "sandbox_unavailable"


@dataclass(frozen=True, slots=True)
class Mount:
    """A host directory and the name it has inside. Backends without a file system of their own use the host's name."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    memory_bytes: int
    cpus: int
    file_bytes: int  # largest single file that may be written
    log_bytes: int = 8 * 1024**2
    processes: int = 256
    scratch_bytes: int = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Spec:
    """One sandboxed process: `python -m module arguments`; an argument that is a Mount becomes the path inside."""

    module: str
    arguments: Sequence[str | Mount]
    mounts: Sequence[Mount]
    limits: Limits
    label: str  # of the container, so that orphans can be told from live ones
    scratch: Path  # host directory for temporary files, where the backend has none of its own
    scratch_argument: bool = False  # pass the scratch directories as --scratch
    gpu_uuid: str | None = None
    on_log: Callable[[bytes], None] | None = None  # gets what it prints, as it comes


@dataclass(frozen=True, slots=True)
class OutputLine:
    text: bytes


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended; `code` is negative for a signal."""

    code: int
    out_of_memory: bool


Output = OutputLine | Exited | Literal["too_much_output"]


@dataclass(slots=True)
class Streams:
    """Collects what a process writes: lines into the queue, the log into a capped tail."""

    log_limit: int
    on_log: Callable[[bytes], None] | None = None
    outputs: "queue.Queue[Output]" = field(default_factory=queue.Queue)
    _partial: bytearray = field(default_factory=bytearray)
    _log: deque[bytes] = field(default_factory=deque)
    _tail_bytes: int = 0
    log_bytes: int = 0

    def feed_output(self, data: bytes) -> None:
        self._partial += data
        if len(self._partial) > MAX_LINE_BYTES:
            self.outputs.put("too_much_output")
            self._partial.clear()
        while (end := self._partial.find(b"\n")) >= 0:
            self.outputs.put(OutputLine(bytes(self._partial[:end])))
            del self._partial[: end + 1]

    def feed_log(self, data: bytes) -> None:
        before = self.log_bytes
        self.log_bytes += len(data)
        if before <= self.log_limit < self.log_bytes:
            self.outputs.put("too_much_output")
        if self.on_log is not None and before <= self.log_limit:
            self.on_log(data)
        self._log.append(data)
        self._tail_bytes += len(data)
        while self._tail_bytes - len(self._log[0]) >= LOG_TAIL_BYTES:
            self._tail_bytes -= len(self._log.popleft())

    def log_tail(self) -> str:
        return b"".join(self._log)[-LOG_TAIL_BYTES:].decode(errors="replace")


class Sandboxed(Protocol):
    """A running sandboxed process."""

    @property
    def outputs(self) -> "queue.Queue[Output]": ...

    def send(self, line: bytes) -> None:
        """Write one line to its standard input. Silently lost when the process has ended."""

    def check(self) -> None:
        """Enforce limits that the backend must watch for itself; called often."""

    def out_of_memory(self) -> bool:
        """Whether anything in it was ended for want of memory."""

    def log_tail(self) -> str:
        """The last of what it printed."""

    def end(self) -> None:
        """End everything in it, and wait until it is gone. Harmless when it has ended."""


class Sandbox(Protocol):
    """A backend."""

    versions: dict[str, str]  # of Python and torch in it, once a measurer there has told them

    @property
    def name(self) -> str: ...

    @property
    def has_file_system(self) -> bool:
        """Whether mounts have the names inside that a spec gives them."""
        ...

    def start(self, spec: Spec) -> Sandboxed: ...

    def end_orphans(self, live: set[str]) -> int:
        """End what an earlier worker of this installation left running; return how many."""

    def close(self) -> None:
        """Let go of the backend; what it started has been ended."""

    def provenance(self) -> dict[str, str]:
        """What a result should say about where it was computed."""
