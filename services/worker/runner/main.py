"""The warm parent: imports and loads once, then forks one process per seed.

Theory of operation. No participant's code ever runs in this process, so one seed cannot affect the next through it. A
forked child is seeded, imports the submission, calls it, writes a checkpoint, and ends. Then this parent kills every
process that the child left running, empties the scratch directories, and reports. The supervisor moves the checkpoint
away before it asks for the next seed. Commands come on standard input, and reports go to the original standard output;
everything that the participant prints goes to standard error. If standard input closes, the supervisor has ended, so
this process exits together with the child.

    {"token": T, "value": V}  ->  {"token": T, "out_of_memory": bool, "peak_memory_bytes": B, "exit": status}

If a signal ended the child, the report has "signal": number instead of "exit".
"""

import argparse
import ast
import contextlib
import importlib
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from services.benchmarks.torchvision_operators import import_torchvision
from services.core.processes import end_with_parent
from services.worker.runner import tensors
from services.worker.runner.guard import guard_process
from services.worker.runner.loaders import ExampleSet
from services.worker.runner.memory import peak_bytes
from services.worker.runner.model import build_model, examples, load_state
from services.worker.runner.seed import ENTRY_POINT, Bench, run_seed

__all__ = ["main"]

# Imported before the fork if a submission names them, because they are the image's own and slow to import.
WARM_PACKAGES = {"torchvision", "pandas", "scipy", "sklearn", "PIL", "matplotlib", "tqdm", "copy", "math"}
EXIT_PLATFORM = 70
_MEMORY_EVENTS = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))


def main() -> None:
    """Run one seed per command until standard input closes."""
    arguments = _arguments()
    reports = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    guard_process()
    bench = _load(arguments)
    _warm_up(arguments.submission / ENTRY_POINT)
    wake = _wake_on_child_exit()
    oom_kills = _oom_kills()
    _report(reports, ready=True)
    for line in _commands(sys.stdin.fileno()):
        command = json.loads(line)
        child = _fork(bench, command["token"], command["value"], reports.fileno())
        status, used = _wait(child, wake)
        _sweep_up(arguments.scratch)
        _report(
            reports,
            token=command["token"],
            out_of_memory=_oom_kills() > oom_kills,
            peak_memory_bytes=peak_bytes(used),
            **_outcome(status),
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--submission", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--original",
        type=Path,
        help="directory with the original model of each seed, if each starts from a different one",
    )
    parser.add_argument("--scratch", type=Path, action="append", required=True, help="emptied after every seed")
    parser.add_argument("--threads", type=int, required=True)
    return parser.parse_args()


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
        original=arguments.original and arguments.original / "original.safetensors",
        threads=arguments.threads,
    )


def _warm_up(source: Path) -> None:
    """Take one optimizer step on a throwaway parameter, and import the slow packages that the submission names."""
    with _without_cuda():
        parameter = torch.nn.Parameter(torch.zeros(1))
        parameter.grad = torch.zeros(1)
        torch.optim.SGD([parameter], lr=0.0).step()
        for package in _packages(source):
            with contextlib.suppress(Exception):
                import_torchvision() if package == "torchvision" else importlib.import_module(package)


@contextlib.contextmanager
def _without_cuda() -> Iterator[None]:
    """Keep CUDA untouched, which the first optimizer step would initialise: forked children could not use it then."""
    asked, torch.cuda.is_available = torch.cuda.is_available, lambda: False
    try:
        yield
    finally:
        torch.cuda.is_available = asked


def _packages(source: Path) -> set[str]:
    """Find the slow packages that a submission imports."""
    found = set()
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.walk(ast.parse(source.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found |= {name.split(".")[0] for name in names} & WARM_PACKAGES
    return found


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


def _fork(bench: Bench, token: str, value: int, report_descriptor: int) -> int:
    _skip_process_ids()
    child = os.fork()
    if child:
        return child
    status = EXIT_PLATFORM
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        end_with_parent()
        os.close(report_descriptor)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        status = run_seed(bench, token, value)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _skip_process_ids() -> None:
    """Use up a random number of process ids, by threads, so that a child cannot infer its index from its id."""
    for _ in range(random.SystemRandom().randrange(8)):
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()


def _wait(child: int, wake: int) -> tuple[int, resource.struct_rusage]:
    """Wait for the child; return its status and resource use. Exit at once if standard input closes."""
    while True:
        ready, _, _ = select.select([wake, 0], [], [])
        if 0 in ready:
            os._exit(EXIT_PLATFORM)
        os.read(wake, 4096)
        finished, status, used = os.wait4(child, os.WNOHANG)
        if finished:
            return status, used


def _outcome(status: int) -> dict[str, int]:
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return {"exit": os.WEXITSTATUS(status)}


def _sweep_up(scratch: list[Path]) -> None:
    """Remove every process and file that a seed left."""
    while survivors := _children():
        for process in survivors:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if os.getpid() == 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        for process in survivors:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)
    for directory in scratch:
        for entry in os.scandir(directory):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink()


def _children() -> list[int]:
    me = os.getpid()
    listed = Path(f"/proc/{me}/task/{me}/children")
    if listed.exists():
        return [int(process) for process in listed.read_text().split()]
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent_of(path) == me]


def _parent_of(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def _oom_kills() -> int:
    """Count the processes that the kernel killed in this container for lack of memory (cgroup v2, then v1)."""
    for path in _MEMORY_EVENTS:
        with contextlib.suppress(OSError):
            counts = dict(line.split() for line in path.read_text().splitlines())
            return int(counts.get("oom_kill", 0))
    return 0


def _report(stream: Any, **message: Any) -> None:
    stream.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main()
