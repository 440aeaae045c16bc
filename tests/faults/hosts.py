"""Worker hosts of their own: network namespaces, each with one cable to this machine that can be pulled."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.faults.proxy import Proxy
from tests.real_services import missing

__all__ = ["Host", "worker_host"]

NETWORK = "10.203.{number}.{end}"


@dataclass
class Host:
    """A host with a worker. It reaches the servers only through its cable."""

    name: str
    worker: subprocess.Popen[bytes]
    cable: str

    def pull(self) -> None:
        """Cut the host off: packets are lost, and no connection hears of it."""
        _ip("link", "set", self.cable, "down")

    def plug(self) -> None:
        """Join the host again."""
        _ip("link", "set", self.cable, "up")


@contextmanager
def worker_host(number: int, directory: Path, servers: Mapping[str, str]) -> Iterator[Host]:
    """Start a worker in a network namespace. `servers` are variables with the URLs of servers on the loopback.

    The host reaches them through proxies that listen on its cable alone.
    """
    name = f"lethe-{uuid.uuid4().hex[:6]}"
    outside, inside = f"{name}o", f"{name}i"
    gateway, own = (NETWORK.format(number=number, end=end) for end in (1, 2))
    with ExitStack() as stack:
        _ip("netns", "add", name)
        stack.callback(_ip, "netns", "del", name)
        _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
        _ip("addr", "add", f"{gateway}/30", "dev", outside)
        _ip("link", "set", outside, "up")
        for words in (
            ("addr", "add", f"{own}/30", "dev", inside),
            ("link", "set", inside, "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", name, *words)
        given = {}
        for variable, url in servers.items():
            proxy = stack.enter_context(Proxy(url, address=gateway))
            given[variable] = url.replace(urlsplit(url).netloc.rpartition("@")[2], urlsplit(proxy.url).netloc)
        log = stack.enter_context((directory / "worker.log").open("wb"))
        worker = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-m", "services.cli.main", "worker"],
            env=os.environ | given | {"LETHE_DATA_DIR": str(directory)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield Host(name, worker, outside)
        finally:
            worker.terminate()
            try:
                worker.wait(40)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def _ip(*words: str) -> None:
    try:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        missing("ip", "apt-get install iproute2")
    if "Operation not permitted" in done.stderr:
        pytest.skip("Network namespaces need root, and a machine that allows them.")
    assert done.returncode == 0, done.stderr
