"""The process sandbox: a child process with the same rights as Lethe. It isolates nothing.

It exists so that you can run your own code without Docker. It enforces limits and types failures, but the code can read
everything that the operator can read, so an installation that uses it accepts submissions only from its operator.
"""

import contextlib
import os
import queue
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import psutil

from services.worker.sandbox.base import ASK_NVML, Exited, Mount, Output, Sandboxed, SandboxUnavailable, Spec, Streams
from services.worker.sandbox.pages import anonymous, proportional, resident
from services.worker.workplace import workplace

__all__ = ["ProcessSandbox"]

READ_BYTES = 65536
TOO_DEAR = 0.5  # share of the limit below which the cheap upper bound suffices
# The kernel takes 107 bytes as a socket's path; in TMPDIR, multiprocessing and torch need up to 40 of them.
LONGEST_TMPDIR = 64
SHORT_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - where a link may lie if Lethe's own TMPDIR is long, too


class ProcessSandbox:
    """Starts `python -m module` from the staged code with a minimal environment."""

    name = "process"
    has_file_system = False

    def __init__(self, code: Path) -> None:
        self._code = code
        self.versions: dict[str, str] = {}
        self.self_test = "not run"

    def start(self, spec: Spec) -> Sandboxed:
        """Start a child process."""
        return _Process(spec, self._code)

    def answers(self) -> bool:
        """Return True, because there is nothing that could be away."""
        return True

    def has_image(self, image_id: str) -> bool:
        """Return True for no image, because everything here runs on Lethe's own Python."""
        return not image_id

    def size_bytes(self) -> int:
        """Return 0, because there is no image."""
        return 0

    def end_orphans(self, live: set[str]) -> int:
        """Do nothing, because these processes ask the kernel to end them with the worker."""
        del live
        return 0

    def close(self) -> None:
        """Do nothing, because there is no connection."""

    def provenance(self) -> dict[str, str]:
        """Describe the backend and its versions."""
        return {"sandbox": self.name, "self_test": self.self_test} | self.versions


class _Process:
    def __init__(self, spec: Spec, code: Path) -> None:
        self._streams = Streams(spec.limits.log_bytes, spec.on_log)
        self._memory_bytes = spec.limits.memory_bytes
        self._precise = anonymous if spec.gpu_uuid else proportional
        self._out_of_memory = False
        spec.scratch.mkdir(parents=True, exist_ok=True)
        self._leaving = ExitStack()
        temporary = _short_path(spec.scratch, self._leaving)
        command = [sys.executable, "-P", "-m", spec.module, *_arguments(spec)]
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=spec.scratch,
            env=_environment(spec, code, temporary),
            start_new_session=True,
            bufsize=0,
        )
        # Set here and not in a preexec function, which is unsafe in a process with threads.
        resource.prlimit(self._popen.pid, resource.RLIMIT_FSIZE, (spec.limits.file_bytes,) * 2)
        resource.prlimit(self._popen.pid, resource.RLIMIT_CORE, (0, 0))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def outputs(self) -> "queue.Queue[Output]":
        return self._streams.outputs

    def send(self, line: bytes) -> None:
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.write(line + b"\n")

    def check(self) -> None:
        """End the processes if together they use more memory than allowed. Shared pages count once."""
        processes = self._tree()
        if sum(resident(process) for process in processes) <= self._memory_bytes * TOO_DEAR:
            return
        if sum(self._precise(process) for process in processes) > self._memory_bytes:
            self._out_of_memory = True
            self._kill()

    def out_of_memory(self) -> bool:
        return self._out_of_memory

    def log_tail(self) -> str:
        return self._streams.log_tail()

    def end(self) -> None:
        self._kill()
        self._popen.wait()
        self._reader.join()
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._leaving.close()

    def _tree(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(self._popen.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def _kill(self) -> None:
        for process in reversed(self._tree()):
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def _read(self) -> None:
        assert self._popen.stdout is not None and self._popen.stderr is not None
        log = threading.Thread(target=_pump, args=(self._popen.stderr, self._streams.feed_log), daemon=True)
        log.start()
        _pump(self._popen.stdout, self._streams.feed_output)
        code = self._popen.wait()
        log.join(timeout=1)
        self._streams.outputs.put(Exited(code, self._out_of_memory))


def _pump(stream: IO[bytes], feed: Callable[[bytes], None]) -> None:
    with contextlib.suppress(ValueError, OSError):
        while data := os.read(stream.fileno(), READ_BYTES):
            feed(data)


def _arguments(spec: Spec) -> list[str]:
    arguments = [str(part.source) if isinstance(part, Mount) else part for part in spec.arguments]
    if not spec.launcher:
        return arguments
    return [*arguments, "--scratch", str(spec.scratch), "--scratch-bytes", str(spec.limits.scratch_bytes)]


def _short_path(scratch: Path, leaving: ExitStack) -> Path:
    """Return a path of the directory in which sockets can lie: its own, or that of a link to it, kept until we leave.

    Raises SandboxUnavailable.
    """
    if len(os.fsencode(scratch)) <= LONGEST_TMPDIR:
        return scratch
    for place in dict.fromkeys((tempfile.gettempdir(), *SHORT_PLACES)):
        with contextlib.suppress(OSError), ExitStack() as kept:
            link = kept.enter_context(workplace(Path(place), "lethe-tmp")) / "t"
            if len(os.fsencode(link)) <= LONGEST_TMPDIR:
                link.symlink_to(scratch.resolve())
                leaving.push(kept.pop_all())
                return link
    raise SandboxUnavailable(
        f"The path {scratch} is too long for temporary files, and {', '.join(SHORT_PLACES)} cannot hold a link to it. "
        "Set LETHE_DATA_DIR to a shorter path."
    )


def _environment(spec: Spec, code: Path, temporary: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    threads = str(spec.limits.cpus)
    scratch = str(spec.scratch)
    return (
        kept
        | {
            "PYTHONPATH": str(code),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": scratch,
            "TMPDIR": str(temporary),
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "OMP_WAIT_POLICY": "passive",
            "CUDA_VISIBLE_DEVICES": spec.gpu_uuid or "",
        }
        | (ASK_NVML if spec.gpu_uuid else {})
    )
