"""Opens the sandbox backend that the settings name."""

import hashlib
import platform
from pathlib import Path

from services.core.settings import SandboxKind, Settings
from services.worker.sandbox.base import Sandbox
from services.worker.sandbox.docker import DockerSandbox
from services.worker.sandbox.process import ProcessSandbox

__all__ = ["DOCKERFILE", "default_image", "make_sandbox", "worker_name"]

DOCKERFILE = Path(__file__).parent / "images" / "cpu.Dockerfile"


def default_image() -> str:
    """Name the image by its Dockerfile's content, so that a changed Dockerfile gives a new image."""
    return f"lethe-sandbox-cpu:{hashlib.sha256(DOCKERFILE.read_bytes()).hexdigest()[:12]}"


def worker_name(work: Path) -> str:
    """Name a worker by machine and work directory, so that the name is unique and survives a restart."""
    return f"{platform.node()}-{hashlib.sha256(str(work.resolve()).encode()).hexdigest()[:8]}"


def make_sandbox(settings: Settings, work: Path, code: Path) -> Sandbox:
    """Open the backend chosen at setup, never a different one. Raises SandboxUnavailable if it does not answer."""
    if settings.resolved_sandbox is SandboxKind.PROCESS:
        return ProcessSandbox(code)
    image = settings.sandbox_image or default_image()
    return DockerSandbox(image, code, worker_name(work), settings.sandbox_runtime)
