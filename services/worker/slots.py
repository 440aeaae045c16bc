"""Slots: a worker runs one sandbox in each, side by side, with a directory and a share of the machine."""

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.core.directories import private_directory
from services.core.errors import Conflict, Unavailable
from services.core.locks import exclusive
from services.core.models import Device
from services.core.settings import Settings
from services.worker.clearing import finish_clearing, new_directory

__all__ = [
    "Gpu",
    "NoGpu",
    "Slot",
    "WorkerRunning",
    "find_gpus",
    "make_slots",
    "stage_code",
    "worker_lock",
]

# The users of sandboxes, if Lethe itself runs as root: other ones for each worker of a host and each slot, because the
# kernel counts some limits for each user. A seed has a user of its own (worker/runner/isolated.py).
FIRST_USER, USERS_OF_WORKER, WORKERS = 1_900_000_000, 1024, 2**16
SERVICES = Path(__file__).parents[1]
STAGED = (
    "__init__.py",
    "benchmarks/__init__.py",
    "benchmarks/stressing.py",
    "benchmarks/torchvision_operators.py",
    "core/__init__.py",
    "core/processes.py",
    "core/text.py",
    "core/bundle/__init__.py",
    "core/bundle/readings.py",
    "worker/__init__.py",
    "worker/runner",
)


class WorkerRunning(Conflict):
    code = "worker_running"


class NoGpu(Unavailable):
    code = "no_gpu"


@dataclass(frozen=True, slots=True)
class Gpu:
    uuid: str
    name: str

    @property
    def device_class(self) -> str:
        """The model of the GPU as one word, such as gpu-nvidia-h200; all shards of an evaluation need the same one."""
        return "gpu-" + self.name.lower().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Slot:
    """The directories and the share of the machine for one submission's sandbox and one measurer."""

    number: int
    root: Path
    device: Device
    device_class: str
    cpus: int
    memory_bytes: int
    first_user: int  # of the three users of its sandboxes
    gpu_uuid: str | None = None
    gpu_slots: int = 1  # slots that share the GPU, and so its memory

    @property
    def out(self) -> Path:
        """The directory to which a seed writes in the process sandbox."""
        return self.root / "out"

    @property
    def checkpoints(self) -> Path:
        """The directory where finished checkpoints wait for the measurer, and notes for the supervisor.

        No participant's code can see it.
        """
        return self.root / "checkpoints"

    @property
    def submission(self) -> Path:
        """The directory with the participant's files."""
        return self.root / "submission"

    @property
    def original(self) -> Path:
        """The directory with the original model of the seed in progress, if each seed starts from a different one."""
        return self.root / "original"

    @property
    def scratch(self) -> Path:
        """The directory for temporary files."""
        return self.root / "scratch"

    @property
    def notebook_user(self) -> int:
        """The user that runs a notebook."""
        return self.first_user

    @property
    def intake_user(self) -> int:
        """The user that reads a notebook's pickles."""
        return self.first_user + 1

    @property
    def measurer_user(self) -> int:
        """The user that measures checkpoints."""
        return self.first_user + 2

    def sweep(self) -> None:
        """Empty the directories that runs write to, before another launcher takes over within a shard."""
        for directory in (self.out, self.scratch):
            new_directory(directory)

    def clear(self) -> None:
        """Empty all directories before a shard."""
        for directory in (self.out, self.submission, self.original, self.scratch):
            new_directory(directory)
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        for file in self.checkpoints.iterdir():  # the measurer has it mounted; it holds only files of ours
            file.unlink()


def make_slots(settings: Settings, work: Path) -> list[Slot]:
    """Divide the machine into slots, one per CPU unless set otherwise; the first slots get the GPUs.

    Slots with a GPU serve GPU phases; the others serve CPU phases. With LETHE_GPUS_ONLY there are only slots with a
    GPU, and the other CPUs are free for another worker on this machine. Raises NoGpu if that leaves no slot.
    """
    private_directory(work)
    finish_clearing(work)
    cpus = os.cpu_count() or 1
    gpus = [gpu for gpu in find_gpus() for _ in range(settings.slots_per_gpu)]
    count = settings.worker_slots or max(cpus, len(gpus) + 1 if gpus else 1)
    if settings.gpus_only and not gpus:
        raise NoGpu("LETHE_GPUS_ONLY is set but nvidia-smi reports no GPU. Check the driver and the container toolkit.")
    slots = []
    for number in range(min(count, len(gpus)) if settings.gpus_only else count):
        gpu = gpus[number] if number < len(gpus) else None
        slot = Slot(
            number=number,
            root=(work / f"slot-{number}").resolve(),
            device=Device.GPU if gpu else Device.CPU,
            device_class=gpu.device_class if gpu else f"cpu-{platform.machine()}",
            cpus=max(1, cpus // count),
            memory_bytes=settings.slot_memory_bytes,
            first_user=_first_user(work) + 3 * number,
            gpu_uuid=gpu.uuid if gpu else None,
            gpu_slots=settings.slots_per_gpu,
        )
        slot.clear()
        slots.append(slot)
    return slots


def stage_code(work: Path) -> Path:
    """Copy the part of our code that a sandbox needs to a separate directory, named by content."""
    digest = hashlib.sha256()
    files = [path for part in STAGED for path in _python_files(SERVICES / part)]
    for path in files:
        digest.update(f"{path.relative_to(SERVICES)}\n".encode() + path.read_bytes())
    target = (work / f"code-{digest.hexdigest()[:16]}").resolve()
    if not target.exists():
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        for path in files:
            copy = partial / "services" / path.relative_to(SERVICES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        with contextlib.suppress(OSError):  # another process staged the same code first
            partial.rename(target)
        shutil.rmtree(partial, ignore_errors=True)
    return target


@contextlib.contextmanager
def worker_lock(work: Path) -> Iterator[None]:
    """Lock the work directory for one worker. Raises WorkerRunning if another one uses it."""
    private_directory(work)
    refusal = WorkerRunning(f"Another worker uses {work}. Stop it, or set a different LETHE_DATA_DIR.")
    with exclusive(work / "worker.lock", refusal):
        yield


def find_gpus() -> list[Gpu]:
    """List the NVIDIA GPUs of this machine; none if it has no driver."""
    command = ["nvidia-smi", "--query-gpu=uuid,name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    lines = (line.partition(",") for line in answer.stdout.splitlines() if line.strip())
    return [Gpu(uuid.strip(), name.strip() or "unknown") for uuid, _, name in lines]


def _first_user(work: Path) -> int:
    which = int.from_bytes(hashlib.sha256(str(work.resolve()).encode()).digest()[:4], "big") % WORKERS
    return FIRST_USER + USERS_OF_WORKER * which


def _python_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))
