"""Connects to the Docker engine that DOCKER_HOST names, or to the local one."""

import docker
from docker.utils import kwargs_from_env

__all__ = ["open_engine"]


def open_engine(timeout_s: int = 60) -> docker.APIClient:
    """Connect to the engine; the caller closes the client. Raises DockerException if no engine answers."""
    return docker.APIClient(version="auto", timeout=timeout_s, **kwargs_from_env())
