"""Certified benchmarks: every run starts from the original of its own seed, and no run sees another's."""

from collections.abc import Callable

import numpy as np
import pytest

from services.benchmarks.build import build_benchmark
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.settings import SandboxKind
from services.worker.supervisor import RunLimits
from tests.certified import SEEDS, short_order
from tests.worker.conftest import MEMORY_BYTES, Run, WorkerIn

IDENTITY = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"
Measure = Callable[..., Measurements]


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build_benchmark(short_order("certified-digits"), tmp_path_factory.mktemp("certified") / "digits")


@pytest.fixture
def measure(certified: Bundle, sandbox_kind: SandboxKind, worker_in: WorkerIn) -> Measure:
    """Run source code on the certified benchmark in the sandbox."""

    def run_source(source: str, *, seeds: int = SEEDS, slots: int = 1) -> Measurements:
        limits = RunLimits(seeds, 60.0, MEMORY_BYTES, data_hidden=False)
        worker = worker_in(sandbox_kind, slots)
        return worker.run(
            certified, filename="entry.py", data=source.encode(), limits=limits, seed_key=b"k" * 32
        ).measurements

    return run_source


@pytest.mark.parametrize("slots", [1, 2])
def test_doing_nothing_leaves_every_seed_its_own_original(certified: Bundle, measure: Measure, slots: int) -> None:
    """Seed by seed, in whatever slot it ran: the checkpoint is that original to the bit."""
    found, expected = measure(IDENTITY, slots=slots), certified.measurements_of("original")
    assert expected is not None
    np.testing.assert_array_equal(found.checkpoint_sha256, expected.checkpoint_sha256)
    np.testing.assert_array_equal(found.weight_sketch, expected.weight_sketch)
    np.testing.assert_allclose(found.forget_logits, expected.forget_logits, atol=1e-5)
    assert len(np.unique(found.checkpoint_sha256, axis=0)) == SEEDS


def test_weights_that_one_seed_changes_are_not_those_the_next_starts_from(certified: Bundle, measure: Measure) -> None:
    source = "def unlearning(net, *_):\n    net.head.weight.data.mul_(2.0)\n"
    found, expected = measure(source, seeds=4), certified.measurements_of("original")
    assert expected is not None
    np.testing.assert_allclose(found.forget_logits, 2 * expected.forget_logits[:4], atol=1e-5)


LOOK_AROUND = """
import json, os, struct, sys
import torch

OUT = {"oracle.safetensors", "second_oracle.safetensors", "originals.safetensors", "test.safetensors"}


def weights(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        first, last = header["head.weight"]["data_offsets"]
        return torch.frombuffer(bytearray(file.read()[first:last]), dtype=torch.float32).reshape(1, -1)


def unlearning(net, *_):
    own = os.path.join(sys.argv[sys.argv.index("--original") + 1], "original.safetensors")
    public = os.path.join(sys.argv[sys.argv.index("--public") + 1], "original.safetensors")
    if not ISOLATED:
        assert os.listdir(os.path.dirname(own)) == ["original.safetensors"]
        assert torch.equal(weights(own), net.head.weight.data)
        assert not torch.equal(weights(own), weights(public))
        return
    walks = [walk for top in ("/lethe", "/tmp", "/dev/shm", "/var") for walk in os.walk(top)]
    everything = [os.path.join(directory, name) for directory, _, names in walks for name in names]
    assert not [path for path in everything if "original" in path], everything
    assert not [path for path in everything if "/hidden/" in path or os.path.basename(path) in OUT]
    mounts = [line.split()[4] for line in open("/proc/self/mountinfo")]
    lethe = {place for place in mounts if place.startswith("/lethe/")}
    covered = {"/lethe/public", "/lethe/taken", "/lethe/original"}
    assert lethe == covered | {"/lethe/code", "/lethe/masks", "/lethe/out", "/lethe/submission"}, lethe
    assert not any(os.access(place, os.R_OK) for place in covered), "a covered directory can be read"
"""


def test_a_run_finds_its_own_original_and_no_other(
    certified: Bundle, measure: Measure, sandbox_kind: SandboxKind
) -> None:
    """Comparing originals: whoever sees two of them, or the stack in the hidden directory, knows their distribution.

    Then it could hide its own in it, though it forgot nothing. The process sandbox isolates no one: there only what is
    laid out for a run counts.
    """
    isolated = sandbox_kind is SandboxKind.DOCKER
    found, expected = measure(f"ISOLATED = {isolated}\n{LOOK_AROUND}", seeds=3), certified.measurements_of("original")
    assert expected is not None
    np.testing.assert_array_equal(found.checkpoint_sha256, expected.checkpoint_sha256[:3])


def test_a_run_cannot_keep_its_original_for_the_next(measure: Measure) -> None:
    """Passing notes: a seed that leaves its original where the next looks would show two of them to one run."""
    source = """
import os, tempfile
import torch

def unlearning(net, *_):
    kept = os.path.join(tempfile.gettempdir(), "kept.safetensors")
    assert not os.path.exists(kept) and not hasattr(torch, "kept")
    torch.save(net.state_dict(), kept)
    torch.kept = net.head.weight.data.clone()
    held = [os.path.realpath("/proc/self/fd/" + number) for number in os.listdir("/proc/self/fd")]
    assert not [name for name in held if "original" in os.path.basename(name)], held
"""
    assert len(measure(source, seeds=3)) == 3


def test_ordinary_benchmarks_have_no_such_place(run: Run) -> None:
    """All runs start from the public original; nothing else is mounted."""
    source = """
import os, sys

def unlearning(net, *_):
    assert "--original" not in sys.argv and not os.path.exists("/lethe/original")
"""
    found = run(source, seeds=2).measurements
    assert len(np.unique(found.checkpoint_sha256, axis=0)) == 1
