"""Opens the sandbox backend that the settings name."""

import hashlib
import platform
from pathlib import Path

from services.core.environments import CURRENT, CURRENT_CUDA
from services.core.errors import BadInput
from services.core.settings import SandboxKind, Settings
from services.worker.sandbox.base import Sandbox
from services.worker.sandbox.docker import DockerSandbox
from services.worker.sandbox.process import ProcessSandbox

__all__ = ["BUILT_IN", "NeedsDocker", "default_image", "image_of", "make_sandbox", "require_docker", "worker_name"]

IMAGES = Path(__file__).parent / "images"
OURS = (
    IMAGES / "current.Dockerfile",
    IMAGES / "packages.lock",
    IMAGES / "torchvision_hook.py",
    Path(__file__).parents[1] / "benchmarks" / "torchvision_operators.py",
)
BUILT_IN = {  # the files that decide what an environment of ours holds, as in scripts/sandbox-image
    CURRENT: OURS,
    CURRENT_CUDA: OURS,
    "kaggle-2023": (IMAGES / "kaggle-2023.Dockerfile",),
}


class NeedsDocker(BadInput):
    code = "needs_docker"


def image_of(environment: str) -> str:
    """Name the image of a built-in environment by what it is made from, so that a change gives a new image."""
    content = b"".join(path.read_bytes() for path in BUILT_IN[environment])
    return f"lethe-sandbox-{environment}:{hashlib.sha256(content).hexdigest()[:12]}"


def default_image() -> str:
    """Name the image of the environment `current`."""
    return image_of(CURRENT)


def worker_name(work: Path) -> str:
    """Name a worker by machine and work directory, so that the name is unique and survives a restart."""
    return f"{platform.node()}-{hashlib.sha256(str(work.resolve()).encode()).hexdigest()[:8]}"


def require_docker(settings: Settings) -> None:
    """Raise NeedsDocker if this installation runs plain processes, which have no images to choose from."""
    if settings.resolved_sandbox is not SandboxKind.DOCKER:
        raise NeedsDocker("Environments need Docker. Run `lethe setup --again` to use it.")


def make_sandbox(settings: Settings, work: Path, code: Path) -> Sandbox:
    """Open the backend chosen at setup, never a different one. Raises SandboxUnavailable if it does not answer."""
    if settings.resolved_sandbox is SandboxKind.PROCESS:
        return ProcessSandbox(code)
    image = settings.sandbox_image or default_image()
    return DockerSandbox(image, code, worker_name(work), settings.sandbox_runtime)
