"""What a seed costs beyond the participant's own call, in each sandbox: `python -m benches.sandbox_overhead`.

A run is asked for and reported on. Its overhead is the time between these, less the time that a bare call takes in a
process that has everything loaded: the same module, called in a loop by the same Python, without any sandbox. Both are
medians of one session, in turn.
"""

import argparse
import json
import os
import queue
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from services.core.bundle.directory import Bundle
from services.core.settings import SandboxKind, Settings
from services.worker.backends import default_image, make_sandbox
from services.worker.launcher import Launcher
from services.worker.slots import make_slots, stage_code

MODULE = """
def unlearning(net, retain_loader, forget_loader, val_loader):
    import torch
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
    for steps, (x, y) in enumerate(retain_loader):
        if steps == STEPS:
            break
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
"""
BARE = """
import copy, json, sys, time
from pathlib import Path
from services.worker.runner import tensors
from services.worker.runner.loaders import ExampleSet, Loader
from services.worker.runner.model import build_model, examples, load_state
import torch
torch.set_num_threads(THREADS)
public = Path(PUBLIC)
model = build_model(public / "architecture.py")
load_state(model, tensors.load(str(public / "original.safetensors")))
sets = [ExampleSet(*examples(public / f"{name}.safetensors")) for name in ("retain", "forget", "validation")]
times = []
for _ in range(RUNS):
    started = time.perf_counter()
    net = copy.deepcopy(model).train()
    unlearning(net, *(Loader(examples, shuffle=True) for examples in sets))
    times.append(time.perf_counter() - started)
print(json.dumps(times))
"""
MEMORY_BYTES = 4 * 1024**3
PLACE = "/public"
THREADS = os.cpu_count() or 1


def bare(bundle: Bundle, code: Path, steps: int, runs: int, *, image: str | None) -> list[float]:
    """Time the call alone, in a process of its own: with our Python, or with that of an image."""
    public = PLACE if image else str(bundle.public)
    script = f"PUBLIC, STEPS, RUNS, THREADS = {public!r}, {steps}, {runs}, {THREADS}\n{MODULE}{BARE}"
    if image is None:
        command, environment = [sys.executable, "-c", script], {**os.environ, "PYTHONPATH": str(code)}
    else:
        mounts = ["-v", f"{code}:/code:ro", "-v", f"{bundle.public.resolve()}:{PLACE}:ro"]
        variables = ["-e", "PYTHONPATH=/code", "-e", f"OMP_NUM_THREADS={THREADS}"]
        command = ["docker", "run", "--rm", "--network=none", *mounts, *variables, image, "python3", "-c", script]
        environment = dict(os.environ)
    return list(json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout))


def sandboxed(bundle: Bundle, settings: Settings, steps: int, runs: int) -> list[float]:
    """Time from the request for a seed to its report."""
    slot = make_slots(settings, settings.data_dir)[0]
    slot.submission.joinpath("submission.py").write_text(f"STEPS = {steps}\n{MODULE}")
    with closing(make_sandbox(settings, settings.data_dir, stage_code(settings.data_dir))) as sandbox:
        launcher = Launcher(sandbox, slot, bundle.public, memory_bytes=MEMORY_BYTES, label="bench")
        try:
            _next(launcher)
            times = []
            for value in range(runs):
                token = secrets.token_hex(8)
                started = time.perf_counter()
                launcher.run(token, value)
                report = _next(launcher)
                times.append(time.perf_counter() - started)
                assert report["checkpoint"], report
                slot.checkpoints.joinpath(token).unlink()
            return times
        finally:
            launcher.end()


def _next(launcher: Launcher) -> dict[str, object]:
    while True:
        try:
            output = launcher.next(wait_s=600.0)
        except queue.Empty:
            raise SystemExit("The launcher does not answer.") from None
        if isinstance(output, dict):
            return output
        if output is not None:
            raise SystemExit(f"The launcher ended: {launcher.log_tail()}")


def main() -> None:
    """Print medians in ms, and what each sandbox adds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="directory of a benchmark, such as var/bundles/digits")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=20, help="training steps in each run")
    parser.add_argument("--runtime", action="append", default=[], help="an OCI runtime to try too, such as runsc")
    arguments = parser.parse_args()
    bundle = Bundle(arguments.bundle)
    places = [(SandboxKind.PROCESS, ""), *((SandboxKind.DOCKER, name) for name in ("", *arguments.runtime))]
    for kind, runtime in places:
        with tempfile.TemporaryDirectory() as directory:
            settings = Settings(data_dir=Path(directory), sandbox=kind, sandbox_runtime=runtime, worker_slots=1)
            image = default_image() if kind is SandboxKind.DOCKER else None
            code = stage_code(settings.data_dir)
            alone = statistics.median(bare(bundle, code, arguments.steps, arguments.runs, image=image)) * 1000
            found = statistics.median(sandboxed(bundle, settings, arguments.steps, arguments.runs)) * 1000
        name = f"{kind.value} {runtime}"
        print(f"{name:15} {found:8.1f} ms, bare call {alone:8.1f} ms: +{found - alone:.1f} ms, x {found / alone:.3f}")


if __name__ == "__main__":
    main()
