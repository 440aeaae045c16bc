"""Time a notebook's archive from its last cell to the score: `python -m benches.intake_speed`. Needs Docker.

The floor is unavoidable work: one process with one thread reads each member's bytes from the zip and computes the
forward passes of one model on the same images, in the same Docker image with the same torch. Our intake also starts its
sandboxes, unpickles in one of them, checks, converts, hashes, measures in another, and scores.
"""

import argparse
import io
import subprocess
import tempfile
import time
import zipfile
from contextlib import closing
from pathlib import Path

import torch

from services.benchmarks.architecture import Architecture
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.settings import SandboxKind, Settings
from services.scorer.scoring import gather, score_measurements
from services.worker.backends import default_image, make_sandbox
from services.worker.measurers import Measurers
from services.worker.notebooks import NotebookLimits
from services.worker.notebooks.checkpoints import IntakeProcess
from services.worker.slots import make_slots, stage_code
from services.worker.station import Station

FLOOR = """
import sys, time, zipfile
sys.path.insert(0, "/lethe/code")
import torch
from pathlib import Path
from services.worker.runner.model import build_model, examples
torch.set_num_threads(1)
bundle = Path("/lethe/bundle")
net = build_model(bundle / "public/architecture.py").eval()
parts = ("public/forget", "public/retain", "hidden/test")
images = torch.cat([examples(bundle / f"{part}.safetensors")[0] for part in parts])
with torch.no_grad():
    net(images[:64])
    start = time.perf_counter()
    with zipfile.ZipFile("/lethe/archive/submission.zip") as archive:
        for member in archive.infolist():
            archive.read(member)
            for chunk in torch.split(images, 1024):
                net(chunk)
print(time.perf_counter() - start)
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=Path, help="directory of a ResNet-18 benchmark")
    parser.add_argument("--checkpoints", type=int, default=32, help="checkpoints in the archive")
    options = parser.parse_args()
    bundle = Bundle(options.benchmark.resolve())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        work.chmod(0o755)
        (work / "working").mkdir()
        _write_archive(work / "working" / "submission.zip", options.checkpoints)
        floor = _floor(work, bundle)
        ours = _ours(work, bundle, options.checkpoints)
    counts = bundle.manifest.counts
    print(f"{options.checkpoints} half-precision checkpoints, {counts.retain + counts.forget + counts.test} images")
    print(f"reading the bytes and the forward passes   {floor:6.1f} s")
    print(f"from the last cell to the score (ours)     {ours:6.1f} s   {ours / floor:.2f} x")


def _write_archive(place: Path, count: int) -> None:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for index in range(count):
            torch.manual_seed(index)
            file = io.BytesIO()
            torch.save(Architecture("resnet18", (3, 32, 32), 10)().half().state_dict(), file)
            archive.writestr(f"kaggle/tmp/unlearned_checkpoint_{index}.pth", file.getvalue())


def _floor(work: Path, bundle: Bundle) -> float:
    code = stage_code(work)
    command = ["docker", "run", "--rm", "--network", "none", "--cpus", "1", "-e", "OMP_WAIT_POLICY=passive"]
    mounts = {code: "/lethe/code", bundle.root: "/lethe/bundle", work / "working": "/lethe/archive"}
    for source, target in mounts.items():
        command += ["-v", f"{source}:{target}:ro"]
    command += [default_image(), "python3", "-c", FLOOR]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _ours(work: Path, bundle: Bundle, count: int) -> float:
    settings = Settings(data_dir=work / "var", sandbox=SandboxKind.DOCKER, worker_slots=1)
    slot = make_slots(settings, work / "slots")[0]
    start = time.perf_counter()
    with closing(make_sandbox(settings, work, stage_code(work))) as sandbox:
        measurers = Measurers(sandbox)
        station = Station(sandbox, measurers, slot, bundle, label="bench", stopped=lambda: False)
        station.measurer()  # gets ready while the intake starts
        limits = NotebookLimits(count, timeout_s=3600.0, memory_bytes=2 * 1024**3, data_hidden=False)
        intake = IntakeProcess(station, limits, work / "working")
        try:
            results = list(intake.results(run_s=1.0, peak_memory_bytes=0))
        finally:
            intake.end()
            measurers.close()
    results.sort(key=lambda result: result.index)
    measured = Measurements.stack([result.blob for result in results])
    score_measurements("neurips-2023", gather(measured, bundle, independent=False))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
