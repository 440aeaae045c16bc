"""One installation of docker-compose.yml: containers, volumes and a network of its own, all gone at the end."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.cli.client import Client
from tests.compose.image_building import ROOT

__all__ = ["Project"]

HEALTHY_WITHIN_S = 240.0


@dataclass
class Project:
    """What `docker compose -p <name>` speaks of."""

    name: str
    compose_command: Sequence[str]
    directory: Path
    port: int
    environment: dict[str, str]
    clients: list[Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """What an operator would write into .env."""
        return self.environment | {
            "COMPOSE_PROJECT_NAME": self.name,
            "LETHE_HOME": str(self.directory / "home"),
            "LETHE_WORKER_NAME": self.name,
            "LETHE_PORT": str(self.port),
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=ROOT, env=os.environ | self.variables, capture_output=True, text=True, check=True
        )

    def compose(self, *arguments: str) -> str:
        return self.run(*self.compose_command, *arguments).stdout

    def script(self, name: str, *arguments: str) -> None:
        self.run("env", f"COMPOSE={' '.join(self.compose_command)}", str(ROOT / "scripts" / name), *arguments)

    def client(self, token: str | None) -> Client:
        self.clients.append(Client(self.url, token))
        return self.clients[-1]

    def container(self, service: str) -> str:
        labels = {"project": self.name, "service": service, "oneoff": "False"}
        filters = [
            word for name, value in labels.items() for word in ("-f", f"label=com.docker.compose.{name}={value}")
        ]
        return self.run("docker", "ps", "-aq", *filters).stdout.strip()

    def execute(self, service: str, *command: str) -> str:
        return self.run("docker", "exec", self.container(service), *command).stdout.strip()

    def inspect(self, service: str) -> dict[str, Any]:
        (found,) = json.loads(self.run("docker", "inspect", self.container(service)).stdout)
        details: dict[str, Any] = found
        return details

    def await_healthy(self, *services: str) -> None:
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        for service in services:
            while (health := self.inspect(service)["State"]["Health"])["Status"] != "healthy":
                assert time.monotonic() < deadline, f"{service} is {health}\n{self.logs(service)[-3000:]}"
                time.sleep(0.5)

    def kill(self, service: str) -> None:
        """End a service's process as a crash would, so that the engine starts it again by its restart policy."""
        if os.geteuid() == 0:
            os.kill(self.inspect(service)["State"]["Pid"], signal.SIGKILL)
        else:
            self.compose("kill", service)
            self.compose("start", service)

    def logs(self, service: str) -> str:
        done = subprocess.run(
            ["docker", "logs", self.container(service)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return done.stdout

    def events(self, service: str) -> list[dict[str, Any]]:
        """What a service logged, line by line, without what libraries say."""
        return [json.loads(line) for line in self.logs(service).splitlines() if line.startswith("{")]

    def query(self, sql: str) -> list[str]:
        return self.execute("postgres", "psql", "-U", "lethe", "-tAc", sql, "lethe").split()

    def remove(self) -> None:
        for client in self.clients:
            client.close()
        self.compose("--profile", "gpu", "down", "--volumes", "--remove-orphans", "--timeout", "20")
        listed = self.run(
            "docker", "ps", "-aq", "--filter", "label=org.lethe.worker", "--format", "{{.ID}} {{.Labels}}"
        )
        left = [line.split()[0] for line in listed.stdout.splitlines() if f"org.lethe.worker={self.name}-" in line]
        if left:
            self.run("docker", "rm", "-f", "-v", *left)
