"""Runs the probe in two seeds of one sandbox, and judges what it printed."""

import hashlib
import json
import queue
import secrets
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from services.core.models.stored import SelfTestForm
from services.core.store.database import utc_now
from services.worker.launcher import Launcher
from services.worker.sandbox.base import Exited, Sandbox, SandboxUnavailable
from services.worker.slots import Slot

__all__ = ["try_sandbox"]

PROBE = Path(__file__).parent / "probe.py"
SEEDS = 2
MEMORY_BYTES = 1024**3
TIMEOUT_S = 120.0
# gVisor of 2022 bounds no tmpfs, has network sockets of its own, which reach only itself, and cannot make a mount
# read-only. A worker that was told to use it runs all the same, and the provenance of every result says so.
GVISOR = "runsc"
KNOWN = {GVISOR: {"writes_without_bounds", "has_network", "changes_device_files"}}
ARCHITECTURE = "from torch import nn\n\n\ndef build():\n    return nn.Linear(4, 3)\n"


def try_sandbox(sandbox: Sandbox, slot: Slot) -> SelfTestForm:
    """Try the sandbox in a slot that is free, and note the result for the provenance of what runs in it.

    Raises SandboxUnavailable if it lets something through.
    """
    public = slot.root / "self-test"
    _write_benchmark(public)
    slot.clear()
    slot.submission.joinpath("submission.py").write_bytes(PROBE.read_bytes())
    launcher = Launcher(sandbox, slot, public, memory_bytes=MEMORY_BYTES, label=f"self-test-{slot.number}")
    try:
        reports = _run(launcher)
    finally:
        launcher.end()
        slot.clear()
    printed = launcher.log_tail().splitlines()
    found = {line.partition(":")[0]: line for line in printed if ": " in line}
    weaknesses = tuple(sorted(KNOWN.get(sandbox.provenance()["runtime"], set()) & set(found)))
    broken = [line for name, line in found.items() if name not in weaknesses]
    broken += [f"a seed ended with {json.dumps(report)}" for report in reports if report.get("exit") != 0]
    if broken:
        raise SandboxUnavailable(
            f"The sandbox failed its self-test: {'; '.join(broken)[:1000]}. No submission runs in it. "
            "Compare the engine with docs/operate.md, section Sandbox."
        )
    probe = hashlib.sha256(PROBE.read_bytes()).hexdigest()[:12]
    sandbox.self_test = f"passed {probe}" + (f", but {', '.join(weaknesses)}" if weaknesses else "")
    told = sandbox.provenance()
    return SelfTestForm(
        result=sandbox.self_test,
        digest=told["image_id"],
        runtime=told["runtime"],
        profile=told["profile"],
        at=utc_now(),
    )


def _run(launcher: Launcher) -> list[dict[str, object]]:
    reports: list[dict[str, object]] = []
    deadline = time.monotonic() + TIMEOUT_S
    while len(reports) <= SEEDS:
        if time.monotonic() > deadline:
            raise SandboxUnavailable(f"The sandbox's self-test did not end within {TIMEOUT_S:g} s.")
        try:
            output = launcher.next(wait_s=1.0)
        except queue.Empty:
            continue
        if isinstance(output, Exited):
            raise SandboxUnavailable(f"The sandbox ended during its self-test: {launcher.log_tail()[-1000:]}")
        if isinstance(output, dict):
            reports.append(output)
            if len(reports) <= SEEDS:
                launcher.run(secrets.token_hex(8), value=len(reports))
    return reports[1:]  # the first says that the launcher is ready


def _write_benchmark(public: Path) -> None:
    public.mkdir(parents=True, exist_ok=True)
    public.joinpath("architecture.py").write_text(ARCHITECTURE)
    model: dict[str, NDArray[Any]] = {"weight": np.zeros((3, 4), np.float32), "bias": np.zeros(3, np.float32)}
    public.joinpath("original.safetensors").write_bytes(save(model))
    split: dict[str, NDArray[Any]] = {"image": np.zeros((2, 4), np.float32), "label": np.zeros(2, np.int64)}
    for name in ("retain", "forget", "validation"):
        public.joinpath(f"{name}.safetensors").write_bytes(save(split))
