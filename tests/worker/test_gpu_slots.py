"""Workers on hosts with GPUs: which slot serves what. The driver is stood in for; what runs, runs on the CPU."""

import io
import mmap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from services.core.bundle.directory import Bundle
from services.core.models import Device, Evaluation, FailureKind
from services.core.settings import SandboxKind, Settings
from services.worker.failures import RunFailed
from services.worker.launcher import Launcher
from services.worker.local import local_worker
from services.worker.measurers import MeasurerProcess
from services.worker.runner import measurer
from services.worker.runner.gpu import MEASURER_BYTES, allowed_fraction, device_for, share_gpu
from services.worker.runner.warming import warm_up
from services.worker.sandbox.base import Sandboxed, Spec
from services.worker.sandbox.pages import anonymous, proportional, resident
from services.worker.sandbox.process import ProcessSandbox
from services.worker.slots import Gpu, NoGpu, find_gpus, make_slots, stage_code
from services.worker.station import Traces
from services.worker.supervisor import RunLimits
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


ASKING = """
import os

def unlearning(net, retain_loader, forget_loader, val_loader):
    print(os.environ["CUDA_VISIBLE_DEVICES"] or "none", os.environ.get("PYTORCH_NVML_BASED_CUDA_CHECK"))
"""
SHORT = "import torch\n\ndef unlearning(*loaders):\n    raise torch.OutOfMemoryError('CUDA out of memory.')\n"


def limits(seeds: int = 1) -> RunLimits:
    return RunLimits(seeds, 60.0, 2 * 1024**3, data_hidden=False)


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("device", list(Device))
def test_a_run_sees_the_gpu_of_its_slot_alone(tmp_path: Path, bundle: Bundle, device: Device) -> None:
    """Torch must ask NVML for it: a launcher that asks CUDA could fork no seed that uses it."""
    traces = Traces()
    with local_worker(Settings(data_dir=tmp_path, sandbox=SandboxKind.PROCESS, worker_slots=3), device) as worker:
        worker.run(bundle, filename="entry.py", data=ASKING.encode(), limits=limits(3), traces=traces)
    expected = {f"{FIRST} 1", f"{SECOND} 1"} if device is Device.GPU else {"none None"}
    assert set(traces.printed.splitlines()) == expected


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    ("device", "kind"), [(Device.GPU, FailureKind.OUT_OF_MEMORY), (Device.CPU, FailureKind.EXCEPTION)]
)
def test_a_run_that_a_gpu_has_no_memory_for_is_typed(
    tmp_path: Path, bundle: Bundle, device: Device, kind: FailureKind
) -> None:
    settings = Settings(data_dir=tmp_path, sandbox=SandboxKind.PROCESS, worker_slots=3)
    with local_worker(settings, device) as worker, pytest.raises(RunFailed) as failed:
        worker.run(bundle, filename="entry.py", data=SHORT.encode(), limits=limits())
    assert failed.value.kind is kind
    assert ("more GPU memory" in failed.value.message) == (device is Device.GPU)
    assert "CUDA out of memory." in failed.value.message


@given(total=st.integers(2**30, 2**38), slots=st.integers(1, 16))
def test_slots_that_share_a_gpu_leave_room_for_each_others_measurers(total: int, slots: int) -> None:
    share, seed = total / slots, allowed_fraction(total, slots) * total
    assert seed < share
    assert seed == pytest.approx(max(share - MEASURER_BYTES, 0.75 * share))


def test_a_seed_is_refused_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is stood in for."""
    fractions: list[float] = []
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=80 * 2**30))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", fractions.append)
    share_gpu(2)
    assert fractions == [pytest.approx(37 / 80)]


@pytest.mark.usefixtures("driver")
def test_launcher_and_measurer_of_a_slot_are_told_of_its_gpu(
    tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Spec] = []
    sandbox = ProcessSandbox(stage_code(tmp_path))
    really_start = sandbox.start

    def start(spec: Spec) -> Sandboxed:
        started.append(spec)
        return really_start(spec)

    monkeypatch.setattr(sandbox, "start", start)
    slots = make_slots(Settings(worker_slots=5, slots_per_gpu=2), tmp_path / "work")
    for slot in (slots[0], slots[4]):
        MeasurerProcess(sandbox, slot, bundle).end()
        Launcher(sandbox, slot, bundle.public, memory_bytes=2**30, label="test").end()
    measuring, launching, *on_cpus = started
    assert measuring.gpu_uuid == launching.gpu_uuid == FIRST
    assert "--gpu" in measuring.arguments
    assert list(launching.arguments)[-2:] == ["--gpu-slots", "2"]
    assert [spec.gpu_uuid for spec in on_cpus] == [None, None]
    assert not any({"--gpu", "--gpu-slots"} & {str(word) for word in spec.arguments} for spec in on_cpus)


def test_a_measurer_without_the_gpu_of_its_slot_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would measure a hundred times more slowly, and nobody would know why. A torch for CPUs has no choice."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    assert device_for(gpu=False).type == device_for(gpu=True).type == "cpu"
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    assert device_for(gpu=False).type == "cpu"
    with pytest.raises(RuntimeError, match="driver"):
        device_for(gpu=True)


@pytest.mark.filterwarnings("ignore:for .*copying from a non-meta parameter")
def test_an_error_of_the_gpu_ends_the_measurer_and_blames_no_file(
    tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that computes nothing stands in for one that fails."""
    (tmp_path / "token").write_bytes((bundle.public / "original.safetensors").read_bytes())
    words = ["measurer", "--bundle", str(bundle.root), "--checkpoints", str(tmp_path), "--threads", "1", "--gpu"]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr("sys.stdin", io.StringIO('{"token": "token"}\n'))
    monkeypatch.setattr("services.worker.runner.measurer.device_for", lambda gpu: torch.device("meta"))
    with pytest.raises(NotImplementedError):
        measurer.main()


def test_pages_of_files_are_no_memory_of_a_run_on_a_gpu(tmp_path: Path) -> None:
    """CUDA's libraries are files of gigabytes, of which the kernel drops pages when memory is short."""
    size, me = 2**26, psutil.Process()
    file = tmp_path / "library"
    file.write_bytes(bytes(range(256)) * (size // 256))
    before, before_in_all = anonymous(me), proportional(me)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[place] for place in range(0, size, 4096)) == 0
        assert proportional(me) - before_in_all > size / 2
        assert anonymous(me) - before < size / 2
    kept = b"x" * size
    assert anonymous(me) - before > len(kept) / 2
    assert anonymous(me) <= resident(me)


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
