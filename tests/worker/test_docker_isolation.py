"""Attacks on the Docker sandbox: each test's docstring names what it stops."""

import pytest

from services.core.bundle.directory import Bundle
from services.core.settings import SandboxKind, Settings
from services.worker.local import run_locally
from services.worker.supervisor import RunLimits

MEMORY_BYTES = 600 * 1024**2


@pytest.fixture
def attack(bundle: Bundle, sandbox_image: str, tmp_path_factory: pytest.TempPathFactory) -> object:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("var"),
        sandbox=SandboxKind.DOCKER,
        sandbox_image=sandbox_image,
        worker_slots=1,
    )

    def run_attack(body: str, seeds: int = 1) -> None:
        """Run statements that assert what an attacker finds; a wrong assertion fails the run and so the test."""
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        source = f"import ctypes, glob, os, socket, subprocess, sys\n\ndef unlearning(net, *_):\n{lines}\n"
        run_locally(
            settings,
            bundle,
            filename="attack.py",
            data=source.encode(),
            limits=RunLimits(seeds, 30.0, MEMORY_BYTES, data_hidden=False),
        )

    return run_attack


ATTACKS = {
    "network": (
        "Sending hidden data out.",
        """
assert sorted(os.listdir("/sys/class/net")) == ["lo"]
try: socket.create_connection(("1.1.1.1", 53), timeout=2)
except OSError: pass
else: raise AssertionError("connected")
""",
    ),
    "root": ("Acting as root.", "assert os.getuid() != 0 and os.geteuid() != 0 and 0 not in os.getgroups()"),
    "capabilities": (
        "Using a capability left over.",
        """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"): assert int(status[name], 16) == 0, name
assert status["NoNewPrivs"].strip() == "1"
""",
    ),
    "read-only": (
        "Changing the image or the runner for later seeds.",
        """
for path in ("/x", "/usr/x", "/etc/x", "/lethe/code/x", "/lethe/public/x", "/lethe/submission/x", "/var/tmp/x"):
    try: open(path, "w")
    except OSError: continue
    raise AssertionError(path)
""",
    ),
    "hidden data": (
        "Reading the test set or the oracle.",
        """
assert not os.path.exists("/lethe/bundle") and not os.path.exists("/lethe/checkpoints")
found = [os.path.join(d, f) for d, _, fs in os.walk("/lethe") for f in fs]
assert not [f for f in found if "test" in f or "oracle" in f or "hidden" in f], found
""",
    ),
    "engine": (
        "Driving the Docker engine.",
        'assert not glob.glob("/run/docker*") and not glob.glob("/var/run/docker*")',
    ),
    "processes": (
        "A fork bomb.",
        """
children = []
try:
    while len(children) < 2000: children.append(os.posix_spawn("/bin/sleep", ["sleep", "20"], {}))
except OSError: pass
assert len(children) < 300, len(children)
""",
    ),
    "scratch": (
        "Filling the host's disk through /tmp.",
        """
try:
    with open("/tmp/big", "wb") as file:
        for _ in range(400): file.write(b"x" * 2**20)
except OSError: pass
else: raise AssertionError("wrote 400 MiB")
os.unlink("/tmp/big")
""",
    ),
    "parent's memory": (
        "Reading or changing the warm parent, which every later seed is forked from.",
        """
try: open("/proc/1/mem", "rb")
except OSError: pass
else: raise AssertionError("opened")
libc = ctypes.CDLL(None, use_errno=True)
assert libc.ptrace(16, 1, 0, 0) == -1
""",
    ),
    "killing the parent": (
        "Ending the launcher from within.",
        """
refused = 0
for number in (2, 9, 15, 19):
    try: os.kill(1, number)
    except PermissionError: refused += 1
assert refused == 4
""",
    ),
    "environment": ("Secrets in the environment.", 'assert not [k for k in os.environ if "LETHE" in k or "KEY" in k]'),
    "host files": (
        "Seeing the host's users or processes.",
        """
assert len(glob.glob("/proc/[0-9]*")) < 10
assert not os.listdir("/home") and not os.path.exists("/root/.bashrc") or not os.access("/root", os.R_OK)
""",
    ),
}


@pytest.mark.parametrize(("_stops", "body"), ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_is_stopped(attack: object, _stops: str, body: str) -> None:
    assert callable(attack)
    attack(body)


@pytest.mark.parametrize(
    "body",
    [
        'p = "/dev/shm/leak"; assert not os.path.exists(p); open(p, "w").write("x")',
        'p = "/tmp/leak"; assert not os.path.exists(p); os.makedirs(p)',
        "assert ctypes.CDLL(None).shmget(4242, 4096, 0o1666) == -1",
        "assert ctypes.CDLL(None).semget(4242, 1, 0o1666) == -1",
        "assert ctypes.CDLL(None).msgget(4242, 0o1666) == -1",
    ],
    ids=["shared memory file", "temporary directory", "System V memory", "System V semaphore", "System V queue"],
)
def test_no_channel_from_seed_to_seed(attack: object, body: str) -> None:
    """Passing notes between seeds, which would make the runs dependent."""
    assert callable(attack)
    attack(body, seeds=3)
