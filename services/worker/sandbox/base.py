"""The interface of every sandbox backend: start a process under limits, exchange lines with it, end it from outside.

Theory of operation. A sandboxed process reads commands from standard input and answers on standard output, one line
each. Its standard error is a log; only the end is kept, and its size is counted. Threads read the streams and put
everything into one queue, so that a supervisor waits in a single place with its own deadline. A sandbox is always ended
from outside and as a whole: the container, or the process group.
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
# Torch asks NVML whether there is a GPU, because a launcher that had asked CUDA could fork no seed that uses it; and
# CUDA keeps no compiled code in files, which would outgrow the limit on a file.
ON_GPU = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1", "CUDA_CACHE_DISABLE": "1"}
MAX_LINE_BYTES = 64 * 1024**2  # one reading of the largest benchmark, base64


class SandboxUnavailable(Unavailable):
    code = "sandbox_unavailable"


@dataclass(frozen=True, slots=True)
class Mount:
    """A host directory and its path inside the sandbox. Backends without a separate file system use the host's path."""

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
    """One sandboxed process: `python -m module arguments`. A Mount as an argument becomes its path inside."""

    module: str
    arguments: Sequence[str | Mount]
    mounts: Sequence[Mount]
    limits: Limits
    label: str  # of the container, to tell orphans from live ones
    scratch: Path  # host directory for temporary files, for backends without a separate file system
    image: str = ""  # id of another image than the backend's own, for backends that have images
    user: int | None = None  # that owns the writable mounts, if Lethe itself runs as root
    launcher: bool = False  # it starts a process per seed, each in a cell (worker/runner/cells.py)
    loopback: bool = False  # it may use network sockets, though it has no network
    gpu_uuid: str | None = None
    on_log: Callable[[bytes], None] | None = None  # called with the log as it is printed


@dataclass(frozen=True, slots=True)
class OutputLine:
    text: bytes


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended. `code` is negative if a signal ended it.

    `from_outside` tells that somebody else ended it, by an act of which nothing inside is capable.
    """

    code: int
    out_of_memory: bool
    from_outside: bool = False


Output = OutputLine | Exited | Literal["too_much_output"]


@dataclass(slots=True)
class Streams:
    """Collects the output of a process: lines into the queue, the end of the log up to a limit."""

    log_limit: int
    on_log: Callable[[bytes], None] | None = None
    outputs: "queue.Queue[Output]" = field(default_factory=queue.Queue)
    _partial: bytearray = field(default_factory=bytearray)
    _log: deque[bytes] = field(default_factory=deque)
    _tail_bytes: int = 0
    log_bytes: int = 0

    def feed_output(self, data: bytes) -> None:
        """Add data from standard output and queue every complete line."""
        self._partial += data
        if len(self._partial) > MAX_LINE_BYTES:
            self.outputs.put("too_much_output")
            self._partial.clear()
        while (end := self._partial.find(b"\n")) >= 0:
            self.outputs.put(OutputLine(bytes(self._partial[:end])))
            del self._partial[: end + 1]

    def feed_log(self, data: bytes) -> None:
        """Add data from standard error and keep its end."""
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
        """Return the end of the log."""
        return b"".join(self._log)[-LOG_TAIL_BYTES:].decode(errors="replace")


class Sandboxed(Protocol):
    """A running sandboxed process."""

    @property
    def outputs(self) -> "queue.Queue[Output]":
        """Everything that the process answered, in order, and its end."""
        ...

    def send(self, line: bytes) -> None:
        """Write one line to its standard input. If the process has ended, the line is lost."""

    def check(self) -> None:
        """Enforce the limits that the backend must watch itself. The supervisor calls this often."""

    def out_of_memory(self) -> bool:
        """Tell whether the kernel or the backend ended one of its processes for lack of memory."""

    def log_tail(self) -> str:
        """Return the end of its log."""

    def end(self) -> None:
        """End all its processes and wait for that; do nothing if they have ended."""


class Sandbox(Protocol):
    """A sandbox backend."""

    versions: dict[str, str]  # of Python and torch in the sandbox, once a measurer has reported them
    self_test: str  # its result, once it has run

    @property
    def name(self) -> str:
        """The backend's name in the settings."""
        ...

    @property
    def has_file_system(self) -> bool:
        """Tell whether mounts have the paths inside that a spec gives them."""
        ...

    def start(self, spec: Spec) -> Sandboxed:
        """Start one sandboxed process. Raises SandboxUnavailable."""
        ...

    def answers(self) -> bool:
        """Tell whether it could start a process."""
        ...

    def has_image(self, image_id: str) -> bool:
        """Tell whether it could start a process in an image."""
        ...

    def size_bytes(self) -> int:
        """Return the size of its own image; 0 if it has none."""
        ...

    def end_orphans(self, live: set[str]) -> int:
        """End the sandboxes that an earlier worker of this installation left running; return their number."""

    def close(self) -> None:
        """Disconnect from the backend after all its sandboxes have ended."""

    def provenance(self) -> dict[str, str]:
        """Describe the backend for the provenance of a result."""
