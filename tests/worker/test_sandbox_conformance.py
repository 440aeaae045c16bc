"""One suite for every sandbox backend: what runs, what fails and how, and what one seed can see of another."""

import platform

import numpy as np
import pytest
import torch

from services.core.models import FailureKind
from services.core.settings import SandboxKind
from services.worker.failures import HIDDEN, RunFailed
from services.worker.measurers import _versions
from tests.worker.conftest import Run

NOISE = """
import torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""


def test_good_entry_gives_one_distinct_model_per_seed(run: Run) -> None:
    measurements = run(NOISE, seeds=5).measurements
    assert len(measurements) == 5
    assert len({row.tobytes() for row in measurements.checkpoint_sha256}) == 5
    assert np.isfinite(measurements.forget_logits).all()


def test_provenance_tells_the_versions_in_the_sandbox_not_ours(run: Run, sandbox_kind: SandboxKind) -> None:
    python = {SandboxKind.PROCESS: platform.python_version(), SandboxKind.DOCKER: "3.11.2"}  # Debian 12's Python
    provenance = run(NOISE).provenance
    assert provenance["python"] == python[sandbox_kind]
    assert provenance["torch"].partition("+")[0] == torch.__version__.partition("+")[0]  # for a CPU, or for CUDA


def test_versions_that_a_sandbox_makes_up_are_not_shown() -> None:
    assert _versions({"python": "3.11.2", "torch": "2.13.0+cu130"}) == {"python": "3.11.2", "torch": "2.13.0+cu130"}
    for made_up in ("", "<script>", "1" * 41, "2.0\n", "1 2", ["2.0"], None):
        assert _versions({"python": made_up}) == {}


def test_returned_model_counts_instead_of_the_one_given(run: Run) -> None:
    source = """
import copy, torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    other = copy.deepcopy(net)
    torch.nn.init.zeros_(other.weight)
    torch.nn.init.zeros_(other.bias)
    return other
"""
    assert not run(source).measurements.forget_logits.any()


def test_batches_speak_both_dialects_and_dataset_feeds_a_plain_loader(run: Run) -> None:
    source = """
import torch
from torch.utils.data import DataLoader

def unlearning(net, retain_loader, forget_loader, val_loader):
    seen = 0
    for batch in retain_loader:
        x, y = batch
        assert batch["image"] is x and batch["age_group"] is y and x.dtype == torch.float32 and y.dtype == torch.int64
        seen += len(y)
    assert seen == len(retain_loader.dataset) == 40
    for x, y in DataLoader(forget_loader.dataset, batch_size=3, shuffle=True):
        assert x.shape[1:] == (4,)
    assert [len(y) for _, y in val_loader] == [6] and len(retain_loader) == 1
"""
    assert len(run(source).measurements) == 2


def test_workers_read_the_dataset_forked_or_started_anew(run: Run) -> None:
    source = """
import torch
from torch.utils.data import DataLoader

def unlearning(net, retain_loader, forget_loader, val_loader):
    for method in ("fork", "spawn"):
        loader = DataLoader(retain_loader.dataset, 16, shuffle=True, num_workers=2, persistent_workers=True,
                            multiprocessing_context=method)
        for _ in range(2):
            seen = []
            for batch in loader:
                x, y = batch
                assert batch["image"] is x and batch["age_group"] is y and "image" in batch
                seen.append(y)
            assert torch.equal(torch.cat(seen).sort().values, retain_loader.dataset.targets.sort().values)
        del loader
"""
    assert len(run(source, seeds=1, timeout_s=120.0).measurements) == 1


def test_one_shard_of_16_equals_4_slots_of_4_bit_by_bit(run: Run) -> None:
    one = run(NOISE, seeds=16, slots=1).measurements
    four = run(NOISE, seeds=16, slots=4).measurements
    assert one.to_bytes() == four.to_bytes()


def test_other_key_gives_other_models(run: Run) -> None:
    first, second = run(NOISE).measurements, run(NOISE, seed_key=b"q" * 32).measurements
    assert first.to_bytes() != second.to_bytes()


def test_memory_of_a_run_is_that_of_its_largest_process(run: Run) -> None:
    source = """
import os

def unlearning(net, retain_loader, forget_loader, val_loader):
    child = os.fork()
    if child == 0:
        b"x" * {megabytes}_000_000
        os._exit(0)
    os.waitpid(child, 0)
"""
    small, large = (run(source.format(megabytes=megabytes)).peak_memory_bytes for megabytes in (50, 350))
    assert 250e6 < large - small < 350e6
    assert small < 1e9


def test_nothing_one_seed_writes_is_seen_by_the_next(run: Run) -> None:
    """In memory, in files, in the model itself."""
    source = """
import os, sys, tempfile, torch
OUT = sys.argv[sys.argv.index("--out") + 1]

def left(path, make):
    if os.path.exists(path):
        return True
    make(path)

def tricks(net):
    yield "module global", getattr(torch, "leak", False)
    torch.leak = True
    yield "sys.modules", "leak" in sys.modules
    sys.modules["leak"] = sys
    for directory in (tempfile.gettempdir(), OUT):
        yield directory, left(os.path.join(directory, "leak"), lambda path: open(path, "w").close())
    yield "nested directory", left(os.path.join(tempfile.gettempdir(), "a/b"), os.makedirs)
    yield "the model", net.weight.sum().item() == 0
    net.weight.data.zero_()

def unlearning(net, retain_loader, forget_loader, val_loader):
    assert [trick for trick, found in tricks(net) if found] == [], "saw another seed"
"""
    assert len(run(source, seeds=4).measurements) == 4


def test_process_left_running_is_gone_before_the_next_seed(run: Run) -> None:
    """A daemon that outlives its seed could pass notes to the next one."""
    source = """
import glob, os, time

def command_line(path):
    try:
        return open(path, "rb").read()
    except OSError:  # a process of somebody else that ended meanwhile
        return b""

def unlearning(net, retain_loader, forget_loader, val_loader):
    alive = [path for path in glob.glob("/proc/[0-9]*/cmdline") if b"daemon-of-a-seed" in command_line(path)]
    assert not alive, "a daemon survived"
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/bin/sh", ["sh", "-c", "sleep 60 # daemon-of-a-seed"])
        os._exit(0)
    time.sleep(0.05)
"""
    assert len(run(source, seeds=3).measurements) == 3


TIMEOUT_S, LONG_S = 3.0, 120.0  # for entries that never end, and for those that fail first, however busy the machine is
FAILURES = {
    "does not parse": ("def (", FailureKind.REJECTED, "does not parse"),
    "no unlearning": ("x = 1", FailureKind.REJECTED, "does not define a function unlearning"),
    "fails to import": ("import no_such_module", FailureKind.IMPORT_ERROR, "No module named 'no_such_module'"),
    "raises": ("def unlearning(*_):\n    raise ValueError('why')", FailureKind.EXCEPTION, "ValueError: why"),
    "exits": ("import sys\ndef unlearning(*_):\n    sys.exit(0)", FailureKind.EXCEPTION, "SystemExit"),
    "ends hard": ("import os\ndef unlearning(*_):\n    os._exit(0)", FailureKind.EXCEPTION, "status 0"),
    "crashes": ("import os\ndef unlearning(*_):\n    os.abort()", FailureKind.EXCEPTION, "SIGABRT"),
    "sleeps for ever": (
        "import time\ndef unlearning(*_):\n    time.sleep(999)",
        FailureKind.TIMEOUT,
        f"within {TIMEOUT_S:.0f} s",
    ),
    "ignores signals": (
        "import signal, time\ndef unlearning(*_):\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\n    time.sleep(999)",
        FailureKind.TIMEOUT,
        f"within {TIMEOUT_S:.0f} s",
    ),
    "eats memory": (
        "def unlearning(*_):\n    x = []\n    while True: x.append(bytearray(10**7))",
        FailureKind.OUT_OF_MEMORY,
        "600 MiB",
    ),
    "prints 1 GB": (
        "def unlearning(*_):\n    for _ in range(1024): print('x' * 10**6)",
        FailureKind.TOO_MUCH_OUTPUT,
        "printed more",
    ),
    "prints 1 GB from C": (
        "import os\ndef unlearning(*_):\n    for _ in range(1024): os.write(1, b'x' * 10**6)",
        FailureKind.TOO_MUCH_OUTPUT,
        "printed more",
    ),
    "fills the output directory": (
        "import sys, time\ndef unlearning(*_):\n    out = sys.argv[sys.argv.index('--out') + 1]\n"
        "    for i in range(100): open(f'{out}/{i}', 'wb').write(b'x' * 10**6)\n    time.sleep(999)",
        FailureKind.TOO_MUCH_OUTPUT,
        "output directory",
    ),
    "other architecture": (
        "import torch\ndef unlearning(*_):\n    return torch.nn.Linear(4, 7)",
        FailureKind.BAD_CHECKPOINT,
        "tensor bias has shape [7]; the architecture has [3]",
    ),
    "wants the network": (
        "import urllib.request\ndef unlearning(*_):\n    urllib.request.urlopen('http://weights.invalid/a.pth')",
        FailureKind.EXCEPTION,
        "There is no network in the sandbox. Put files into the archive.",
    ),
    "returns no model": ("def unlearning(*_):\n    return 5", FailureKind.BAD_CHECKPOINT, "returned int"),
    "NaN weights": (
        "def unlearning(net, *_):\n    net.weight.data[0, 0] = float('nan')",
        FailureKind.BAD_CHECKPOINT,
        "tensor weight contains NaN",
    ),
}


@pytest.mark.parametrize(("source", "kind", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_bad_entry_fails_with_its_own_kind_and_says_why(run: Run, source: str, kind: FailureKind, message: str) -> None:
    with pytest.raises(RunFailed) as caught:
        run(source, timeout_s=TIMEOUT_S if kind is FailureKind.TIMEOUT else LONG_S)
    assert caught.value.kind is kind
    assert message in caught.value.message


def test_traceback_is_the_participants_own(run: Run) -> None:
    with pytest.raises(RunFailed) as caught:
        run("def inner():\n    return 1 / 0\n\n\ndef unlearning(*_):\n    inner()\n")
    assert 'File "submission.py", line 6, in unlearning' in caught.value.message
    assert "return 1 / 0" in caught.value.message
    assert "seed.py" not in caught.value.message


SPEAKING = {
    "exception": "raise ValueError(str(next(iter(retain_loader))[0]))",
    "class made up at run time": "raise type(f'Secret{6 * 7}', (Exception,), {})()",
    "line of its own": "exec(compile('\\n' * 41 + 'raise KeyError', 'submission.py', 'exec'))",
    "exit status": "import os; os._exit(42)",
    "signal": "import os; os.kill(os.getpid(), 42)",
}


@pytest.mark.parametrize("how", SPEAKING.values(), ids=SPEAKING.keys())
def test_nothing_a_run_says_is_shown_where_the_data_are_hidden(run: Run, how: str) -> None:
    """Text, class, line and status can all carry pixels of hidden images out."""
    source = f"def unlearning(net, retain_loader, *_):\n    {how}\n"
    with pytest.raises(RunFailed) as caught:
        run(source, data_hidden=True)
    assert caught.value.kind is FailureKind.EXCEPTION
    assert caught.value.message == f"Run 1 of 2 ended before it returned a model. {HIDDEN}"


def test_forged_note_cannot_blame_the_platform(run: Run) -> None:
    """A platform failure is retried and costs no quota, so a participant must not be able to claim one."""
    source = """
import json, os, sys, glob

def unlearning(net, *_):
    out = sys.argv[sys.argv.index("--out") + 1]
    frame = sys._getframe()
    while "token" not in frame.f_locals: frame = frame.f_back
    note = {"kind": "platform", "message": "not me", "exception": "", "line": None, "file": None}
    open(f"{out}/{frame.f_locals['token']}.note", "w").write(json.dumps(note))
    os._exit(64)
"""
    with pytest.raises(RunFailed) as caught:
        run(source)
    assert caught.value.kind is FailureKind.EXCEPTION


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "garbage", "short"])
def test_forged_checkpoint_is_refused_by_the_measurer(run: Run, kind: str) -> None:
    """A checkpoint is hostile: a link could name a hidden file, a pipe could block the measurer for ever."""
    source = f"""
import os, sys

def unlearning(net, *_):
    out = sys.argv[sys.argv.index("--out") + 1]
    frame = sys._getframe()
    while "token" not in frame.f_locals: frame = frame.f_back
    path = os.path.join(out, frame.f_locals["token"])
    kind = {kind!r}
    if kind == "link": os.symlink("/etc/passwd", path)
    if kind == "hard link":
        open(path + ".x", "w").write("x" * 300)
        os.link(path + ".x", path)
    if kind == "fifo": os.mkfifo(path)
    if kind == "garbage": open(path, "wb").write(b"\\xff" * 300)
    if kind == "short": open(path, "wb").write((200).to_bytes(8, "little") + b"{{")
    os._exit(0)
"""
    with pytest.raises(RunFailed) as caught:
        run(source)
    assert caught.value.kind is FailureKind.BAD_CHECKPOINT


WITH_TOKEN = """
import json, os, sys

def token():
    frame = sys._getframe()
    while "token" not in frame.f_locals: frame = frame.f_back
    return os.path.join(sys.argv[sys.argv.index("--out") + 1], frame.f_locals["token"])

def unlearning(net, retain_loader, forget_loader, val_loader):
    pixel = next(iter(forget_loader))[0].flatten()[0].item()
    {write}
    os._exit(0)
"""
HEADER = "text = json.dumps({header}).encode(); open(token(), 'wb').write(len(text).to_bytes(8, 'little') + text)"
HOSTILE_CHECKPOINTS = {
    "dtype of no type": HEADER.format(header="{'weight': {'dtype': [], 'shape': [1], 'data_offsets': [0, 4]}}"),
    "size that wraps around": HEADER.format(
        header="{'a': {'dtype': 'F32', 'shape': [2**39, 2**39, int(pixel * 1000) + 2**30], 'data_offsets': [0, 0]}}"
    ),
    "name that no database takes": HEADER.format(
        header="{'a\\ud800\\0' + str(pixel): {'dtype': 'X', 'shape': [1], 'data_offsets': [0, 4]}}"
    ),
    "deep header": "text = b'[' * 9000; open(token(), 'wb').write(len(text).to_bytes(8, 'little') + text)",
}


@pytest.mark.parametrize("write", HOSTILE_CHECKPOINTS.values(), ids=HOSTILE_CHECKPOINTS.keys())
def test_hostile_checkpoint_is_a_bad_one_and_its_words_stay_inside(run: Run, write: str) -> None:
    """Neither may it break our side, which would be a platform failure, nor be repeated to a person."""
    source = WITH_TOKEN.format(write=write)
    with pytest.raises(RunFailed) as shown:
        run(source)
    assert shown.value.kind is FailureKind.BAD_CHECKPOINT
    assert "expected" in shown.value.message
    with pytest.raises(RunFailed) as hidden:
        run(source, data_hidden=True)
    assert hidden.value.message == f"The model of run 1 of 2 cannot be used. {HIDDEN}"


def test_forged_note_speaks_for_its_run_alone(run: Run) -> None:
    """Whatever words it holds, nobody may take them for the platform's."""
    note = {"kind": "rejected", "message": "The organiser\0 cancelled\u202e the phase.\ud800"}
    write = f"open(token() + '.note', 'w').write(json.dumps({note!r})); os._exit(64)"
    with pytest.raises(RunFailed) as caught:
        run(WITH_TOKEN.format(write=write))
    assert caught.value.kind is FailureKind.REJECTED
    assert caught.value.message == (
        "Run 1 of 2 found no unlearning() that it can call: The organiser\ufffd cancelled\ufffd the phase.\ufffd"
    )
