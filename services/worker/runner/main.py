"""The warm parent: imports and loads once, then forks one process per seed into a cell of its own.

Theory of operation. No participant's code ever runs in this process, so one seed cannot affect the next through it. A
forked child enters a cell (`cells.py`), is seeded, imports the submission, calls it, writes a checkpoint, and ends.
Then this parent ends every process that the child left running, takes checkpoint and note out of the cell, closes it,
and reports. Commands come on standard input, and reports go to the original standard output; everything that a
participant prints goes through a new pipe to standard error. If standard input closes, the supervisor has ended, so
this process exits together with the child.

The first line of standard input is a secret, and every report begins with it. It is kept in memory that no child
inherits, so no seed can forge a report.

    {"token": T, "value": V}  ->  {"token": T, "exit": status, "run_s": S, "cpu_s": S or null, "out_of_memory": bool,
                                   "peak_memory_bytes": B, "checkpoint": bool, "bad": why or null, "full": bool}

While a seed runs, a report {"alive": true} comes every second: without it, this process stands still (`signs.py`).
If a signal ended the child, the report has "signal": number instead of "exit". A command with "code": text runs that
module of ours in place of the submission, in the same way: the trainer that entries are timed beside.
"""

import argparse
import json
import os
import resource
import select
import signal
import sys
import time
import types
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from services.worker.runner import tensors
from services.worker.runner.cells import Cells, Shelf
from services.worker.runner.folders import FolderCells
from services.worker.runner.guard import guard_process
from services.worker.runner.isolated import IsolatedCells
from services.worker.runner.loaders import ExampleSet
from services.worker.runner.memory import MemoryEvents, peak_bytes
from services.worker.runner.model import build_model, examples, load_state
from services.worker.runner.processor import ProcessorTime
from services.worker.runner.reports import EXIT_PLATFORM, SIGN_EVERY_S, Reports
from services.worker.runner.seed import ENTRY_POINT, Bench, run_seed
from services.worker.runner.warming import warm_up

__all__ = ["main"]

SLACK_BYTES = 1024**2  # of a seed's output directory, beside two checkpoints
CODE = Path("/lethe/code")


def main() -> None:
    """Run one seed per command until standard input closes."""
    arguments = _arguments()
    reports = Reports(os.dup(1))
    os.dup2(2, 1)
    guard_process()
    bench = _load(arguments)
    warm_up(arguments.submission / ENTRY_POINT, trains=arguments.trains)
    memory, processor = MemoryEvents(), ProcessorTime(in_container=arguments.masks is not None)
    originals = os.open(arguments.original, os.O_RDONLY | os.O_CLOEXEC) if arguments.original else None
    cells = _cells(arguments, bench.specs)
    launcher = _Launcher(bench, cells, memory, processor, reports, originals, _wake_on_child_exit())
    reports.send(ready=True)
    for line in _commands(sys.stdin.fileno()):
        command = json.loads(line)
        reports.send(token=command["token"], **launcher.run(**command))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--submission", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="where a seed writes its checkpoint")
    parser.add_argument("--checkpoints", type=Path, required=True, help="where the supervisor finds it")
    parser.add_argument(
        "--original",
        type=Path,
        help="directory with the original model of each seed, if each starts from a different one",
    )
    parser.add_argument("--scratch", type=Path, action="append", required=True, help="directory for temporary files")
    parser.add_argument("--scratch-bytes", type=int, required=True)
    parser.add_argument("--masks", type=Path, help="an empty tmpfs; needed, with root's rights, to isolate seeds")
    parser.add_argument("--keep-devices", action="store_true", help="leave a GPU's files visible")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--trains", action="store_true", help="our own trainer runs beside the submission")
    parser.add_argument("--gpu-slots", type=int, default=0, help="number of slots that share the GPU")
    return parser.parse_args()


def _cells(arguments: argparse.Namespace, specs: tensors.Specs) -> Cells:
    checkpoint_bytes = tensors.encoded_size(specs)
    shelf = Shelf(arguments.checkpoints, checkpoint_bytes)
    if arguments.masks is None:
        return FolderCells(arguments.out, shelf, scratch=arguments.scratch[0])
    return IsolatedCells(
        arguments.out,
        shelf,
        scratch=arguments.scratch,
        masks=arguments.masks,
        detached=[path for path in (arguments.public, arguments.checkpoints, arguments.original) if path],
        code=CODE,
        out_bytes=2 * checkpoint_bytes + SLACK_BYTES,
        scratch_bytes=arguments.scratch_bytes,
        keep_devices=arguments.keep_devices,
    )


def _load(arguments: argparse.Namespace) -> Bench:
    torch.set_num_threads(1)
    model = build_model(arguments.public / "architecture.py")
    original = tensors.load(str(arguments.public / "original.safetensors"))
    load_state(model, original)
    retain, forget, validation = (
        ExampleSet(*examples(arguments.public / f"{name}.safetensors")) for name in ("retain", "forget", "validation")
    )
    return Bench(
        model=model,
        specs=tensors.specs_of(original),
        retain=retain,
        forget=forget,
        validation=validation,
        submission=arguments.submission,
        out=arguments.out,
        threads=arguments.threads,
        gpu_slots=arguments.gpu_slots,
    )


def _wake_on_child_exit() -> int:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    return read_end


def _commands(descriptor: int) -> Any:
    """Yield lines as they come, without buffering, so that select() on the descriptor stays reliable."""
    buffer = b""
    while chunk := os.read(descriptor, 65536):
        buffer += chunk
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            yield line


@dataclass(frozen=True)
class _Launcher:
    """Runs one seed after another, each in a new process and a new cell."""

    bench: Bench
    cells: Cells
    memory: MemoryEvents
    processor: ProcessorTime
    reports: Reports
    originals: int | None  # open directory with the original of the seed in progress
    wake: int  # becomes readable if a child has ended

    def run(self, token: str, value: int, code: str | None = None) -> dict[str, Any]:
        """Run one seed, of the submission or of our own code; return what the report says."""
        self.cells.open()
        printed, out = os.pipe()
        cpu_s, started = self.processor.now_s(), time.monotonic()
        # Of processor time more threads take more, so the trainer has one where that counts.
        is_thrifty = code is not None and cpu_s is not None and not self.bench.gpu_slots
        bench = replace(self.bench, threads=1) if is_thrifty else self.bench
        child = self._fork(bench, token, value, code, out)
        os.close(out)
        status, used = self._wait(child, printed)
        run_s = time.monotonic() - started
        self.cells.end_processes()
        cpu_s = self._since(cpu_s)
        _forward_rest(printed)
        takings = self.cells.take(token)
        self.cells.close()
        return {
            **_outcome(status),
            "run_s": run_s,
            "cpu_s": cpu_s,
            "out_of_memory": self.memory.ran_out(anew=code is not None),
            "peak_memory_bytes": peak_bytes(used),
            "checkpoint": takings.checkpoint,
            "bad": takings.bad,
            "full": takings.full,
        }

    def _since(self, cpu_s: float | None) -> float | None:
        now_s = self.processor.now_s()
        return None if cpu_s is None or now_s is None else now_s - cpu_s

    def _fork(self, bench: Bench, token: str, value: int, code: str | None, out: int) -> int:
        child = os.fork()
        if child:
            return child
        status = EXIT_PLATFORM
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if self.originals is not None:
                load_state(bench.model, tensors.load_from("original.safetensors", self.originals))
            self.cells.enter()
            _keep_only_streams(out)
            sys.modules["__main__"] = types.ModuleType("__main__")  # for processes that the participant spawns
            status = run_seed(bench, token, value, code)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)

    def _wait(self, child: int, printed: int) -> tuple[int, resource.struct_rusage]:
        """Wait for the child and forward what it prints. Exit at once if standard input closes."""
        watched = [self.wake, 0, printed]
        while True:
            ready, _, _ = select.select(watched, [], [], SIGN_EVERY_S)
            self.reports.sign()
            if 0 in ready:
                os._exit(EXIT_PLATFORM)
            if printed in ready and not _forward(printed):
                watched.remove(printed)
            if self.wake in ready:
                os.read(self.wake, 4096)
                finished, status, used = os.wait4(child, os.WNOHANG)
                if finished:
                    return status, used


def _keep_only_streams(out: int) -> None:
    """Read from nowhere, print into the pipe `out`, and close every other descriptor."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _forward(printed: int) -> bool:
    """Pass on a piece of what a seed printed; False at the end."""
    data = os.read(printed, 65536)
    while data:
        written = os.write(2, data)
        data = data[written:]
        if not data:
            return True
    return False


def _forward_rest(printed: int) -> None:
    """Pass on what is left in the pipe when nobody can write to it any more, and close it."""
    while _forward(printed):
        pass
    os.close(printed)


def _outcome(status: int) -> dict[str, int]:
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return {"exit": os.WEXITSTATUS(status)}


if __name__ == "__main__":
    main()
