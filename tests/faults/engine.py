"""A Docker engine of our own, which a test may kill: other people's containers run on another one."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

__all__ = ["OwnEngine", "own_engine"]

START_TIMEOUT_S = 300.0  # the machine may be busy


class OwnEngine:
    """A dockerd with directories, socket and containerd of its own."""

    def __init__(self, root: Path) -> None:
        self.url = f"unix://{root}/docker.sock"
        self._log = (root / "dockerd.log").open("ab")
        settings = root / "daemon.json"
        settings.write_text("{}")
        self._command = [
            "dockerd",
            f"--config-file={settings}",
            f"--data-root={root}/data",
            f"--exec-root={root}/exec",
            f"--pidfile={root}/docker.pid",
            f"--host={self.url}",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
        ]
        self._pid_file = root / "docker.pid"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._pid_file.unlink(missing_ok=True)  # a killed one leaves it
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log, start_new_session=True)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError("dockerd did not start")
            time.sleep(0.2)

    def end(self, how: signal.Signals) -> None:
        """End it by a signal."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait()

    def close(self) -> None:
        """End it and its log."""
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGTERM)
        self._log.close()

    def _answers(self) -> bool:
        try:
            client = docker.APIClient(base_url=self.url, version="auto", timeout=5)
        except docker.errors.DockerException:
            return False
        client.close()
        return True


@contextmanager
def own_engine(root: Path, image: str) -> Iterator[OwnEngine]:
    """Run an engine that holds a copy of one image of the machine's engine, and let DOCKER_HOST name it."""
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        raise SystemExit("The engine of the fault matrix needs root and dockerd. Or give --sandbox process.")
    root.mkdir(parents=True)
    engine = OwnEngine(root)
    try:
        engine.start()
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", "--host", engine.url, "load", "-q"], stdin=saved.stdout, check=True)
        os.environ["DOCKER_HOST"] = engine.url
        yield engine
    finally:
        os.environ.pop("DOCKER_HOST", None)
        engine.close()
