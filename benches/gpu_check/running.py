"""Parts `entry` and `failures`: entries through the worker's own path, in the process sandbox."""

import time

import numpy as np

from benches.gpu_check.entries import GREEDY_FOR_MEMORY, GREEDY_ON_GPU, IDENTITY, PERTURB_REPAIR, SLEEPER, on
from benches.gpu_check.setting import SLOTS_PER_GPU, Setting
from services.core.bundle.directory import Bundle
from services.core.catalogue import DEFAULT_METRIC
from services.core.device import Device
from services.core.models import FailureKind
from services.scorer.metrics import Estimate
from services.scorer.scoring import gather, score_measurements
from services.worker.failures import RunFailed
from services.worker.local import LocalRun, local_worker
from services.worker.supervisor import RunLimits

__all__ = ["evaluate_entry", "provoke_failures"]

TIMEOUT_S, MEMORY_BYTES = 60.0, 8 * 1024**3
SMALL_MEMORY_BYTES, SHORT_S = 1024**3, 3.0
CLOSE = 1e-3
NAMES = {Device.CPU: "cpu", Device.GPU: "cuda"}


def evaluate_entry(setting: Setting) -> None:
    """Evaluate an entry on the CPU and on the device: scores within each other's intervals, readings alike."""
    bundle, seeds = Bundle(setting.bundle("mlp")), 16 if setting.small else 32
    estimates = {}
    for title, device in (("on the CPU", Device.CPU), (_title(setting.device), setting.device)):
        run, spent = _run(setting, device, bundle, on(NAMES[device], PERTURB_REPAIR), seeds=seeds)
        estimates[title] = _score(run, bundle)
        setting.table.add(
            f"perturb_repair {title}",
            f"score {_words(estimates[title])}",
            f"{seeds} runs, {run.run_s:.2f} s each, {spent:.0f} s in all; up to {run.peak_memory_bytes / 1e6:,.0f} MB",
            passed=True,
        )
    first, second = estimates.values()
    setting.table.add(
        "scores within each other's intervals",
        f"{second.value:.4f} in {first.low:.4f} to {first.high:.4f}",
        f"{first.value:.4f} in {second.low:.4f} to {second.high:.4f}",
        passed=first.low <= second.value <= first.high and second.low <= first.value <= second.high,
    )
    for name in ("mlp", "resnet18"):
        _compare_readings(setting, Bundle(setting.bundle(name)))


def provoke_failures(setting: Setting) -> None:
    """Show that too little memory and too much time are typed, and that the slot serves the next entry."""
    bundle, device = Bundle(setting.bundle("mlp")), setting.device
    greedy = GREEDY_ON_GPU if device is Device.GPU else GREEDY_FOR_MEMORY
    memory_bytes = MEMORY_BYTES if device is Device.GPU else SMALL_MEMORY_BYTES
    beside = f"80% of a GPU that {SLOTS_PER_GPU} slots share" if device is Device.GPU else "3 GiB where 1 is allowed"
    _expect(setting, bundle, greedy, FailureKind.OUT_OF_MEMORY, beside, memory_bytes=memory_bytes)
    _expect(
        setting,
        bundle,
        SLEEPER,
        FailureKind.TIMEOUT,
        f"10 minutes where {SHORT_S:.0f} s are allowed",
        timeout_s=SHORT_S,
    )
    run, _ = _run(setting, device, bundle, on(NAMES[device], IDENTITY), seeds=2)
    setting.table.add("the next entry", f"{len(run.measurements)} models measured", "2 runs", passed=True)


def _compare_readings(setting: Setting, bundle: Bundle) -> None:
    """Measure the same model, the original, by the measurers of both devices."""
    runs = [_run(setting, device, bundle, IDENTITY, seeds=1)[0] for device in (Device.CPU, setting.device)]
    first, second = (run.measurements.forget_logits.astype(np.float64) for run in runs)
    apart = float(np.abs(first - second).max() / np.abs(first).max())
    same = bool((runs[0].measurements.checkpoint_sha256 == runs[1].measurements.checkpoint_sha256).all())
    setting.table.add(
        f"readings of {bundle.manifest.name}'s original {_title(setting.device)}",
        f"off by {apart:.1e}",
        "those of the CPU's measurer",
        passed=same and apart < CLOSE,
    )


def _expect(
    setting: Setting,
    bundle: Bundle,
    source: bytes,
    kind: FailureKind,
    beside: str,
    *,
    timeout_s: float = TIMEOUT_S,
    memory_bytes: int = MEMORY_BYTES,
) -> None:
    try:
        _run(setting, setting.device, bundle, source, seeds=1, timeout_s=timeout_s, memory_bytes=memory_bytes)
        found, passed = "no failure", False
    except RunFailed as failure:
        found, passed = f"{failure.kind.value}: {failure.message}", failure.kind is kind
    setting.table.add(f"{kind.value} typed", found.splitlines()[0][:100], beside, passed=passed)


def _run(
    setting: Setting,
    device: Device,
    bundle: Bundle,
    source: bytes,
    *,
    seeds: int,
    timeout_s: float = TIMEOUT_S,
    memory_bytes: int = MEMORY_BYTES,
) -> tuple[LocalRun, float]:
    limits = RunLimits(seeds, timeout_s, memory_bytes, data_hidden=False)
    started = time.monotonic()
    with local_worker(setting.settings, device) as worker:
        run = worker.run(bundle, filename="entry.py", data=source, limits=limits, seed_key=bytes(32))
    return run, time.monotonic() - started


def _score(run: LocalRun, bundle: Bundle) -> Estimate:
    return score_measurements(DEFAULT_METRIC, gather(run.measurements, bundle, run_s=run.run_s)).card.final_score


def _words(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} ({estimate.low:.4f} to {estimate.high:.4f})"


def _title(device: Device) -> str:
    return "on the GPU" if device is Device.GPU else "on the CPU again"
