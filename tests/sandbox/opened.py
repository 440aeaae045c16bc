"""A Docker sandbox that keeps nothing away, to show that each attack would succeed if nothing stopped it.

Its container has no profile of system calls, Docker's own capabilities and four more, a writable root, no limits, and
memory file systems from which programs run. Even so it has no network, and no right to change the host's clock, to load
modules or to reach devices.
"""

from pathlib import Path
from typing import Any

from services.worker.sandbox.base import Spec
from services.worker.sandbox.docker import DockerSandbox

__all__ = ["OpenDocker", "leave_open"]

HERE = Path(__file__).parent
CAPABILITIES = ["SYS_ADMIN", "SYS_PTRACE", "SYS_NICE", "IPC_LOCK"]
ROOM = "size=1g,mode=1777,exec"
OPEN: dict[str, Any] = {
    "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
    "CapDrop": None,
    "CapAdd": CAPABILITIES,
    "ReadonlyRootfs": False,
    "PidsLimit": -1,
    "Ulimits": [{"Name": "nofile", "Soft": 4096, "Hard": 4096}, {"Name": "fsize", "Soft": 2**25, "Hard": 2**25}],
    "Memory": 0,
    "MemorySwap": 0,
}


class OpenDocker(DockerSandbox):
    """A sandbox whose launchers' containers are open."""

    def _host_config(self, spec: Spec) -> dict[str, Any]:
        config = super()._host_config(spec)
        if not spec.launcher:
            return config
        return config | OPEN | {"Tmpfs": dict.fromkeys(config["Tmpfs"], ROOM)}


def leave_open(code: Path) -> None:
    """Change the staged code of the launcher so that it guards nothing, not even its own memory."""
    runner = code / "services/worker/runner"
    runner.joinpath("isolated.py").write_text(HERE.joinpath("open_cells.py").read_text())
    _replace(runner / "guard.py", "PR_SET_DUMPABLE, 0", "PR_SET_DUMPABLE, 1")
    _replace(runner / "reports.py", "self._secret.madvise(mmap.MADV_DONTFORK)\n", "self._sent: list[bytes] = []\n")
    _replace(
        runner / "reports.py",
        "        with memoryview(self._secret) as page:\n            os.writev",
        "        self._sent.append(self._secret[:SECRET_BYTES] + text)\n"
        "        with memoryview(self._secret) as page:\n            os.writev",
    )
    _replace(runner / "main.py", "        child = os.fork()\n", "        seed = value\n        child = os.fork()\n")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path.name} does not hold this once any more: {old}"
    path.write_text(text.replace(old, new))
