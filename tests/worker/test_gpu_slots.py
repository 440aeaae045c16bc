"""Workers on hosts with GPUs: which slot serves what. The driver is stood in for; what runs, runs on the CPU."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from sqlalchemy import select

from services.core.models import Device, Evaluation
from services.core.settings import SandboxKind, Settings
from services.worker.runner.warming import warm_up
from services.worker.slots import Gpu, NoGpu, find_gpus, make_slots
from tests.installation import Installation, phase_of, running_installation

FIRST, SECOND = "GPU-0f0a4cbd", "GPU-77e2a1c9"
DRIVER = """#!/bin/sh
echo "$*" >> "$0.asked"
case "$*" in
*query-gpu=uuid,name*--format=csv,noheader*) printf '%s, NVIDIA H200\\n' {uuids} ;;
*) exit 2 ;;
esac
"""
IDENTITY = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    {}return net\n"


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an `nvidia-smi` that tells of two GPUs on the path, before any other. It notes what it is asked."""
    command = tmp_path / "driver" / "nvidia-smi"
    command.parent.mkdir()
    command.write_text(DRIVER.format(uuids=f"{FIRST} {SECOND}"))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent), prepend=":")
    return command


@pytest.fixture
def installation(tmp_path: Path, driver: Path) -> Iterator[Installation]:
    with running_installation(tmp_path, SandboxKind.PROCESS) as running:
        running.client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
        yield running


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    ("slots", "per_gpu", "expected"),
    [
        (1, 1, [FIRST]),
        (4, 1, [FIRST, SECOND, None, None]),
        (5, 2, [FIRST, FIRST, SECOND, SECOND, None]),
    ],
)
def test_the_first_slots_hold_the_gpus(tmp_path: Path, slots: int, per_gpu: int, expected: list[str | None]) -> None:
    made = make_slots(Settings(worker_slots=slots, slots_per_gpu=per_gpu), tmp_path / "work")
    assert [slot.gpu_uuid for slot in made] == expected
    assert [slot.device for slot in made] == [Device.GPU if uuid else Device.CPU for uuid in expected]
    assert {slot.device_class for slot in made if slot.gpu_uuid} == {"gpu-nvidia-h200"}


def test_the_driver_is_asked_once_for_all_slots(tmp_path: Path, driver: Path) -> None:
    make_slots(Settings(worker_slots=5, slots_per_gpu=2), tmp_path / "work")
    assert len(driver.with_name("nvidia-smi.asked").read_text().splitlines()) == 1


@pytest.mark.usefixtures("driver")
def test_gpus_are_told_by_uuid_and_model() -> None:
    assert find_gpus() == [Gpu(FIRST, "NVIDIA H200"), Gpu(SECOND, "NVIDIA H200")]


def test_a_host_whose_driver_fails_has_no_gpus(driver: Path) -> None:
    driver.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    assert find_gpus() == []


@pytest.mark.usefixtures("driver")
def test_a_host_with_gpus_keeps_a_slot_for_phases_without(tmp_path: Path) -> None:
    devices = [slot.device for slot in make_slots(Settings(slots_per_gpu=20), tmp_path / "work")]
    assert devices.count(Device.GPU) == 40
    assert Device.CPU in devices


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("slots", [1, 2, 8])
def test_a_worker_for_gpus_alone_offers_no_cpus_and_takes_no_more_of_them(tmp_path: Path, slots: int) -> None:
    """Else one evaluation on CPUs ran on the torch of two images, and on more slots than the machine has CPUs for."""
    mixed = make_slots(Settings(worker_slots=slots), tmp_path / "mixed")
    alone = make_slots(Settings(worker_slots=slots, gpus_only=True), tmp_path / "alone")
    assert [(slot.gpu_uuid, slot.cpus) for slot in alone] == [(slot.gpu_uuid, slot.cpus) for slot in mixed][:2]
    assert {slot.device for slot in alone} == {Device.GPU}


def test_a_worker_for_gpus_alone_does_not_start_without_one(tmp_path: Path, driver: Path) -> None:
    driver.write_text("#!/bin/sh\nexit 9\n")
    with pytest.raises(NoGpu, match="LETHE_GPUS_ONLY"):
        make_slots(Settings(gpus_only=True), tmp_path / "work")


def test_a_worker_with_a_gpu_serves_both_kinds_of_phases(installation: Installation, tmp_path: Path) -> None:
    for device in Device:
        phase = phase_of("tiny", slug=device.value, device=device.value, seeds=8, shard_seeds=4)
        installation.client.post("/api/competitions/cup/phases", phase)
        path = tmp_path / "entry.py"
        path.write_text(IDENTITY.format(f"# {device.value}\n    "))
        answer = installation.lethe("submit", str(path), "-c", "cup", "-p", device.value, "--wait", "--json")
        assert '"scored"' in answer.stdout
    with installation.database.read() as session:
        found = {one.phase.device: one.device_class for one in session.scalars(select(Evaluation))}
    assert found[Device.GPU] == "gpu-nvidia-h200"
    assert str(found[Device.CPU]).startswith("cpu-")


def test_the_warm_parent_leaves_cuda_to_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has asked for CUDA cannot fork one that uses it; torch's first optimizer step asks."""
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: asked.append(True))
    source = tmp_path / "submission.py"
    source.write_text("import torchvision, scipy.stats, torch.optim\nfrom sklearn import metrics\nimport os\n")
    warm_up(source)
    assert not asked
    torch.cuda.is_available()
    assert asked
