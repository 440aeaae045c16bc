"""Builds the sandbox image from our Dockerfile, on a base image that is pulled or made with debootstrap."""

import subprocess
from contextlib import closing
from pathlib import Path

from docker.errors import DockerException, ImageNotFound

from services.worker.sandbox.base import SandboxUnavailable
from services.worker.sandbox.engine import open_engine

__all__ = ["build_image", "image_exists"]

SCRIPTS = Path(__file__).parents[3] / "scripts"


def image_exists(image: str) -> bool:
    """Tell whether an engine answers and has the image."""
    try:
        with closing(open_engine()) as engine:
            engine.inspect_image(image)
    except (ImageNotFound, DockerException):
        return False
    return True


def build_image(environment: str = "current") -> None:
    """Build an environment's image unless it exists, with output on the terminal. That takes some minutes."""
    try:
        subprocess.run([str(SCRIPTS / "sandbox-image"), environment], check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SandboxUnavailable(
            "The sandbox image could not be built; see the lines above for the reason. "
            "To run only your own code, without Docker, set LETHE_SANDBOX=process."
        ) from error
