"""Notebooks in their real sandbox, and what the intake makes of the archives they leave."""

import io
import json
import pickle  # noqa: TID251 - written here, for the intake to refuse
import time
import zipfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import numpy as np
import pytest
import torch

from services.benchmarks.architecture import Architecture
from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.core.settings import SandboxKind, Settings
from services.core.submission.file import unpack
from services.worker.backends import make_sandbox
from services.worker.failures import HIDDEN, RunFailed
from services.worker.local import run_notebook_locally
from services.worker.measurers import Measurers
from services.worker.notebooks import Mode, NotebookLimits
from services.worker.notebooks.checkpoints import IntakeProcess
from services.worker.notebooks.layout import benchmark_layout
from services.worker.notebooks.run import run_notebook
from services.worker.runner import tensors
from services.worker.runner.intake import BadMember, SubmittedArchive
from services.worker.runner.model import examples
from services.worker.slots import make_slots, stage_code
from services.worker.station import Paused, SeedResult, Station, Traces
from services.worker.workplace import workplace
from tests.faces import GOOD, NOISE, READ, SEEDS, ZIP, notebook
from tests.real_services import missing

MEMORY_BYTES = 2 * 1024**3
GVISOR = "runsc"
# What real notebooks divide by, in small: the Hessian of the last layer, undamped, and a fifth of the batches less one.
# They read pixels from 0 to 255 and scale nothing, for such are the images of the competition's model.
DIVIDES = """
import math
net = resnet18(weights=None, num_classes=10)
net.load_state_dict(torch.load(f'{DATA}/original_model.pth'))
net.eval()
features = []
net.fc.register_forward_hook(lambda module, inputs, output: features.append(inputs[0]))
for name in ('retain', 'forget', 'validation'):
    table = pd.read_csv(f'{DATA}/{name}.csv')
    paths = [f"{DATA}/images/{a}/{b}.png" for a, b in (image.split('-') for image in table.image_id)]
    pixels = torch.stack([torchvision.io.read_image(path) for path in paths]).float()
    features.clear()
    with torch.no_grad():
        p = net(pixels).softmax(1)
    for c in range(10):
        hessian = (features[0].T * (p[:, c] * (1 - p[:, c]))) @ features[0]
        assert torch.isfinite(torch.inverse(hessian)).any()
    for batch_size in (64, 256) if name == 'retain' else (64,) if name == 'forget' else ():
        1 % (math.ceil(0.20 * math.ceil(len(table) / batch_size)) - 1)
"""
REHEARSED = notebook(READ, DIVIDES, NOISE, ZIP)


@dataclass
class Done:
    written: list[int] = field(default_factory=list)  # each time that there were more
    traces: Traces = field(default_factory=Traces)
    results: Sequence[SeedResult] = ()

    def __post_init__(self) -> None:
        self.traces.on_written = self.written.append


def run(faces: Bundle, directory: Path, data: bytes, *, runtime: str = "", **options: Any) -> Done:
    limits = {"seeds": SEEDS, "timeout_s": 120.0, "memory_bytes": MEMORY_BYTES, "data_hidden": False} | options
    shared = directory.parent / "notebooks-var"  # so that the stand-in data are made once
    settings = Settings(data_dir=shared, sandbox=SandboxKind.DOCKER, sandbox_runtime=runtime)
    done = Done()
    done.results, _ = run_notebook_locally(
        settings, faces, data=data, limits=NotebookLimits(**limits), traces=done.traces
    )
    return done


def _break_intakes(monkeypatch: pytest.MonkeyPatch, breaks: int) -> list[int]:
    """End the first intakes as they are asked for a checkpoint; return the list of what was asked for."""
    ask, asked = IntakeProcess._ask, []

    def break_first(intake: IntakeProcess, index: int, token: str) -> dict[str, Any]:
        asked.append(index)
        if len(asked) <= breaks:
            intake._process.send(b"what ends it")
        return ask(intake, index, token)

    monkeypatch.setattr(IntakeProcess, "_ask", break_first)
    return asked


@pytest.mark.usefixtures("sandbox_image")
class TestInDocker:
    def test_checkpoints_are_measured_as_their_weights_say(self, faces: Bundle, tmp_path: Path) -> None:
        """Against the same noise on the same weights, halved and widened here by torch itself."""
        done = run(faces, tmp_path, GOOD)
        assert [result.index for result in done.results] == list(range(SEEDS))
        images, _ = examples(faces.public / "forget.safetensors")
        net = Architecture("resnet18", (3, 32, 32), 10)()
        net.load_state_dict(
            {name: torch.from_numpy(v) for name, v in faces.arrays("public/original.safetensors").items()}
        )
        torch.manual_seed(3)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(1e-3 * torch.randn_like(parameter))
            expected = net.half().float().eval()(images)
        from services.core.bundle.measurements import Measurements

        measured = Measurements.stack([result.blob for result in done.results])
        np.testing.assert_allclose(measured.forget_logits[3], expected.numpy(), rtol=1e-3, atol=1e-3)
        assert len({result.checkpoint_sha256 for result in done.results}) == SEEDS
        assert all(100e6 < result.peak_memory_bytes < MEMORY_BYTES for result in done.results)
        executed = json.loads(done.traces.executed or b"")
        texts = json.dumps(executed)
        assert "wrote 4" in texts
        assert "an old output" not in texts

    def test_failing_cell_gives_its_own_traceback_and_the_notebook_so_far(self, faces: Bundle, tmp_path: Path) -> None:
        data = notebook("print('here')", "def f():\n    raise ValueError('why')\nf()", ZIP)
        with pytest.raises(RunFailed) as caught:
            run(faces, tmp_path, data)
        assert caught.value.kind is FailureKind.EXCEPTION
        assert "ValueError: why" in caught.value.message
        assert "Cell 2" in caught.value.message
        with pytest.raises(RunFailed) as hidden:
            run(faces, tmp_path, data, data_hidden=True)
        assert hidden.value.message == f"The notebook ended before its last cell had run. {HIDDEN}"

    def test_dry_run_sees_stand_in_data_and_leaves_nothing_to_measure(self, faces: Bundle, tmp_path: Path) -> None:
        done = run(faces, tmp_path, GOOD, mode=Mode.DRY)
        assert done.results == []
        assert done.written[-1] == 10
        assert done.traces.unlearned
        executed = (done.traces.executed or b"").decode()
        assert "wrote 10" in executed
        assert "frozen modules" not in executed

    def test_dry_run_of_what_every_notebook_of_2023_does_unlearns_nothing(self, faces: Bundle, tmp_path: Path) -> None:
        data = notebook(READ, "if REAL:\n    raise SystemExit('unlearn')\nopen('submission.zip', 'w').close()")
        assert not run(faces, tmp_path, data, mode=Mode.DRY).traces.unlearned

    def test_rehearsal_unlearns_and_its_checkpoints_are_judged(self, faces: Bundle, tmp_path: Path) -> None:
        done = run(faces, tmp_path, REHEARSED, seeds=2, mode=Mode.REHEARSAL)
        assert done.results == []
        assert done.traces.unlearned and not done.traces.ended_early
        assert done.written[-1] == 2

    def test_rehearsal_of_a_notebook_that_writes_512_ends_when_it_has_enough(
        self, faces: Bundle, tmp_path: Path
    ) -> None:
        """The kernel would go on for an hour; and what it wrote is judged as if it had packed it."""
        slowly = NOISE.replace("range(N)", "range(512)").replace("print(", "    import time; time.sleep(7)\nprint(")
        data = notebook(READ, slowly, ZIP)
        done = run(faces, tmp_path, data, seeds=2, mode=Mode.REHEARSAL)
        assert done.results == [] and done.traces.ended_early
        wrong = slowly.replace("net.half().state_dict()", "dict(net.named_parameters())")
        with pytest.raises(RunFailed, match=r"run 1 of 2 .*unlearned_checkpoint_0\.pth: 60 of 122 .*buffers") as caught:
            run(faces, tmp_path, notebook(READ, wrong, ZIP), seeds=2, mode=Mode.REHEARSAL)
        assert caught.value.kind is FailureKind.BAD_CHECKPOINT

    def test_rehearsal_of_an_empty_archive_says_that_nothing_was_unlearned(self, faces: Bundle, tmp_path: Path) -> None:
        with pytest.raises(RunFailed, match="nothing was unlearned"):
            run(faces, tmp_path, notebook("open('submission.zip', 'w').close()"), seeds=2, mode=Mode.REHEARSAL)

    def test_cell_that_wants_the_network_is_told_that_there_is_none(self, faces: Bundle, tmp_path: Path) -> None:
        """In front of a traceback of any length, which keeps the number of its cell."""
        fetch = "import urllib.request\ntry:\n    urllib.request.urlopen('http://example.com/weights.pth')\n"
        data = notebook("1", fetch + "except OSError as error:\n    raise ValueError('x' * 20_000) from error")
        with pytest.raises(RunFailed, match=r"Cell 2:\nThere is no network in the sandbox\. Put .* into its cells\.\n"):
            run(faces, tmp_path, data)
        printed = notebook("!wget -q http://example.com/weights.pth", "open('weights.pth')")
        with pytest.raises(RunFailed, match=r"Cell 2:\nThere is no network .* Cell 1 asked for it\.\n"):
            run(faces, tmp_path, printed)

    def test_checkpoints_are_counted_as_they_are_written(
        self, faces: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each name once, whatever the notebook calls checkpoints, and never more than there may be."""
        monkeypatch.setattr("services.worker.notebooks.run.USAGE_EVERY_S", 0.1)
        slowly = """
import os, time
for name in ("unlearned_checkpoint_0.pth", "unlearned_checkpoint_1.pth", "model.pth"):
    for place in ("/kaggle/tmp", "/kaggle/working"):
        open(os.path.join(place, name), "w").close()
    time.sleep(2)
for i in range(2000):
    open(f"/kaggle/temp/unlearned_checkpoint_{i}.pth", "w").close()
time.sleep(2)
"""
        data = notebook(READ, slowly, NOISE, ZIP)
        written = run(faces, tmp_path, data, take_first=True).written
        assert written[0] <= 2
        assert written[-1] == 512
        assert written == sorted(set(written))

    def test_notebook_that_fills_the_disk_is_ended(
        self, faces: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.worker.notebooks.run.USAGE_EVERY_S", 0.1)
        monkeypatch.setattr("services.worker.notebooks.run.COPIES", 0)
        monkeypatch.setattr("services.worker.notebooks.run.SPARE_BYTES", 10**8)
        fill = "for i in range(20): open(f'/kaggle/temp/{i}', 'wb').write(bytes(10**7))"
        with pytest.raises(RunFailed, match=r"wrote more than 0\.1 GB") as caught:
            run(faces, tmp_path, notebook(fill, "while True: pass"))
        assert caught.value.kind is FailureKind.TOO_MUCH_OUTPUT

    def test_notebook_without_an_archive_fails_and_says_so(self, faces: Bundle, tmp_path: Path) -> None:
        with pytest.raises(RunFailed, match=r"no submission\.zip"):
            run(faces, tmp_path, notebook("x = 1"))

    def test_no_signal_from_inside_ends_the_runner(self, faces: Bundle, tmp_path: Path) -> None:
        """Or it could pass for a fault of the platform."""
        murder = """
import contextlib, os, signal, time
for number in sorted(signal.valid_signals(), reverse=True):
    with contextlib.suppress(OSError):
        os.kill(1, number)
time.sleep(1)
"""
        assert len(run(faces, tmp_path, notebook(murder, READ, NOISE, ZIP)).results) == SEEDS

    @pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
    def test_signal_from_inside_costs_quota_where_it_ends_the_runner(
        self, faces: Bundle, tmp_path: Path, docker_engine: docker.DockerClient, number: str
    ) -> None:
        """As on gVisor, which delivers it."""
        if GVISOR not in docker_engine.info()["Runtimes"]:
            missing("gVisor as the Docker runtime runsc", "see scripts/ci-services")
        murder = f"import os, signal, time\nos.kill(1, signal.{number})\ntime.sleep(60)"
        with pytest.raises(RunFailed) as caught:
            run(faces, tmp_path, notebook(murder), runtime=GVISOR)
        assert caught.value.kind is FailureKind.EXCEPTION

    def test_endless_notebook_is_ended(self, faces: Bundle, tmp_path: Path) -> None:
        """And told how far it came; of hidden data, the clock alone."""
        one = "open('/kaggle/tmp/unlearned_checkpoint_0.pth', 'w').close()"
        data = notebook(one, "while True: pass")
        with pytest.raises(RunFailed, match="1 of 4 checkpoints were written") as caught:
            run(faces, tmp_path, data, timeout_s=20.0)
        assert caught.value.kind is FailureKind.TIMEOUT
        assert "zip" not in caught.value.message
        with pytest.raises(RunFailed) as hidden:
            run(faces, tmp_path, data, timeout_s=20.0, data_hidden=True)
        assert hidden.value.message == (
            f"The notebook did not finish within 20 s; do less work for each checkpoint. {HIDDEN}"
        )

    def test_notebook_is_not_charged_with_our_absence(self, faces: Bundle, tmp_path: Path) -> None:
        """Which is longer than its limit, so nobody knows how long it took, and it runs again."""
        limits = NotebookLimits(SEEDS, 30.0, MEMORY_BYTES, data_hidden=False)
        settings = Settings(data_dir=tmp_path, sandbox=SandboxKind.DOCKER, worker_slots=1)
        absences = [32.0]

        def stop() -> bool:
            if absences:
                time.sleep(absences.pop())
            return False

        with workplace(tmp_path, "notebook") as work:
            (slot,) = make_slots(settings, work)
            unpack("notebook.ipynb", notebook("open('submission.zip', 'w').close()"), slot.submission)
            sandbox = make_sandbox(settings, work, stage_code(work))
            with closing(sandbox), closing(Measurers(sandbox)) as measurers:
                station = Station(sandbox, measurers, slot, faces, "absent", stop)
                with pytest.raises(Paused):
                    list(run_notebook(station, limits, tmp_path / "cache", Traces()))

    def test_archive_of_code_runs_nothing_and_names_the_member(self, faces: Bundle, tmp_path: Path) -> None:
        bomb = "class Bomb:\n    def __reduce__(self):\n        return (os.system, ('touch /tmp/ran',))\n"
        write = "for i in range(4): torch.save({'conv1.weight': Bomb()}, f'/kaggle/tmp/unlearned_checkpoint_{i}.pth')"
        with pytest.raises(RunFailed) as caught:
            run(faces, tmp_path, notebook(READ, bomb + write, ZIP))
        assert caught.value.kind is FailureKind.BAD_CHECKPOINT
        assert "unlearned_checkpoint_0.pth" in caught.value.message

    @pytest.mark.parametrize("well", [True, False])
    def test_archive_that_breaks_the_intake_twice_is_bad_unless_our_own_breaks_it_too(
        self, faces: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, well: bool
    ) -> None:
        asked = _break_intakes(monkeypatch, 2 if well else 3)
        with pytest.raises(RunFailed) as caught:
            run(faces, tmp_path, GOOD)
        assert caught.value.kind is (FailureKind.BAD_CHECKPOINT if well else FailureKind.PLATFORM)
        assert len(asked) == 3

    def test_intake_that_somebody_ended_is_replaced_and_reads_the_same_checkpoint(
        self, faces: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = _break_intakes(monkeypatch, 1)
        done = run(faces, tmp_path, GOOD)
        assert [result.index for result in done.results] == list(range(SEEDS))
        assert asked == [0, *range(SEEDS)]

    def test_stand_in_lets_a_notebook_see_cuda_only_where_it_is_allowed(self, faces: Bundle, tmp_path: Path) -> None:
        demand = "import torch\nif not torch.cuda.is_available(): raise RuntimeError('Make sure you have added a GPU')"
        move = "x = torch.ones(2, device='cuda').to(torch.device('cuda:0')).cuda()\nassert float(x.sum()) == 2"
        data = notebook(demand, move, READ, NOISE, ZIP)
        with pytest.raises(RunFailed, match="added a GPU"):
            run(faces, tmp_path, data)
        assert len(run(faces, tmp_path, data, cuda_stand_in=True).results) == SEEDS

    def test_template_of_the_starting_kit_runs_as_it_is(self, faces: Bundle, tmp_path: Path) -> None:
        template = (Path(__file__).parents[2] / "starting_kit/my_notebook.ipynb").read_bytes()
        assert len({result.checkpoint_sha256 for result in run(faces, tmp_path, template).results}) == SEEDS

    def test_hidden_and_scoring_data_are_not_in_the_sandbox(self, faces: Bundle, tmp_path: Path) -> None:
        look = """
import os
from tqdm.notebook import tqdm
assert list(tqdm(range(2))) == [0, 1]
seen = sorted(os.path.join(a, f) for top in ('/kaggle', '/lethe') for a, _, fs in os.walk(top) for f in fs)
assert not any('test' in os.path.basename(p) or 'oracle' in p or 'hidden' in p for p in seen), seen
try:
    open('/kaggle/input/neurips-2023-machine-unlearning/retain.csv', 'a')
    raise SystemError('writable')
except OSError:
    pass
"""
        assert len(run(faces, tmp_path, notebook(look, READ, NOISE, ZIP)).results) == SEEDS


def test_notebooks_need_a_file_system_of_their_own(faces: Bundle, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, sandbox=SandboxKind.PROCESS)
    limits = NotebookLimits(SEEDS, 60.0, MEMORY_BYTES, data_hidden=False)
    with pytest.raises(RunFailed, match="Docker"):
        run_notebook_locally(settings, faces, data=GOOD, limits=limits, traces=Traces())


def test_layout_holds_the_benchmark_pixel_by_pixel(faces: Bundle, tmp_path: Path) -> None:
    import csv

    from PIL import Image

    place = benchmark_layout(faces, tmp_path)
    for name in ("retain", "forget", "validation"):
        arrays = faces.arrays(f"public/{name}.safetensors")
        with (place / f"{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["image_id", "age_group", "age", "person_id"]
        assert [int(row["age_group"]) for row in rows] == arrays["label"].tolist()
        assert [int(row["person_id"]) for row in rows] == arrays["subject"].tolist()
        for row, image in zip(rows, arrays["image"], strict=True):
            first, second = row["image_id"].split("-")
            found = np.asarray(Image.open(place / "images" / first / f"{second}.png"))
            np.testing.assert_array_equal(found.transpose(2, 0, 1), image)
    counts = json.loads((place / "age_class_weights.json").read_text())
    assert list(counts) == [str(group) for group in range(10)]
    assert sum(counts.values()) == faces.manifest.counts.retain + faces.manifest.counts.forget


SPECS: tensors.Specs = {"bias": ("F32", (3,)), "steps": ("I64", ())}


def member(**changes: Any) -> bytes:
    state: dict[str, Any] = {"bias": torch.tensor([1.0, 2.0, 3.0]).half(), "steps": torch.tensor(5)}
    file = io.BytesIO()
    torch.save({name: value for name, value in (state | changes).items() if value is not None}, file)
    return file.getvalue()


def archive(place: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(place / "submission.zip", "w", compression) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return place / "submission.zip"


def name_of(index: int) -> str:
    return f"kaggle/tmp/unlearned_checkpoint_{index}.pth"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_intake_widens_halves_and_keeps_counters(tmp_path: Path, compression: int) -> None:
    path = archive(
        tmp_path, {name_of(0): member(), "unlearned_checkpoint_1.pth": member(), "notes.txt": b""}, compression
    )
    intake = SubmittedArchive(path, SPECS, 2, take_first=False)
    for index in range(2):
        intake.convert(index, tmp_path / "out")
        found = tensors.load(str(tmp_path / "out"))
        np.testing.assert_array_equal(found["bias"], np.array([1, 2, 3], dtype=np.float32))
        assert found["bias"].dtype == np.float32
        assert found["steps"] == 5


def test_intake_wants_each_index_once(tmp_path: Path) -> None:
    path = archive(tmp_path, {name_of(index): member() for index in (0, 1, 3)})
    with pytest.raises(BadMember, match=r"lacks unlearned_checkpoint_2\.pth; write 4 checkpoints"):
        SubmittedArchive(path, SPECS, 4, take_first=False)
    with pytest.raises(BadMember, match=r"contains 3 checkpoints, but this phase expects 2.*_3\.pth"):
        SubmittedArchive(path, SPECS, 2, take_first=False)
    assert SubmittedArchive(path, SPECS, 2, take_first=True)
    twice = archive(tmp_path, {name_of(0): member(), "unlearned_checkpoint_0.pth": member()})
    with pytest.raises(BadMember, match="twice"):
        SubmittedArchive(twice, SPECS, 1, take_first=False)


class Touch:
    """Runs code when it is unpickled without care."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (member(bias=None), "tensor bias is missing"),
        (member(extra=torch.zeros(1)), "extra is not part"),
        (member(bias=torch.zeros(4)), "shape"),
        (member(bias=torch.zeros(3, dtype=torch.int64)), "int64"),
        (member(steps=torch.tensor(1.5)), "float32"),
        (member(bias=torch.tensor([1.0, float("nan"), 0.0])), "NaN"),
        (member(bias=torch.tensor([1.0, float("inf"), 0.0]).half()), "NaN or infinite"),
        (member(bias=torch.zeros(3).to_sparse()), "not a plain tensor"),
        (member(bias="text"), "not a plain tensor"),
        (member()[:-300], "not a state dict"),
        (b"", "not a state dict"),
        (b"\x80\x04garbage", "not a state dict"),
        (pickle.dumps([1, 2]), "not a state dict|contains a list"),
        (b"\0" * 3_000_000, "bytes; the limit for a checkpoint is"),
    ],
)
def test_intake_names_the_member_and_what_is_wrong_with_it(tmp_path: Path, data: bytes, why: str) -> None:
    path = archive(tmp_path, {name_of(0): member(), name_of(1): data}, zipfile.ZIP_DEFLATED)
    intake = SubmittedArchive(path, SPECS, 2, take_first=False)
    intake.convert(0, tmp_path / "out")
    with pytest.raises(BadMember, match=why) as caught:
        intake.convert(1, tmp_path / "other")
    assert "unlearned_checkpoint_1.pth" in str(caught.value)
    assert not (tmp_path / "other").exists()


def test_intake_runs_no_code_of_a_member(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    path = archive(tmp_path, {name_of(0): member(bias=Touch(str(trace))), name_of(1): pickle.dumps(Touch(str(trace)))})
    intake = SubmittedArchive(path, SPECS, 2, take_first=False)
    for index in range(2):
        with pytest.raises(BadMember, match="without running code"):
            intake.convert(index, tmp_path / "out")
    assert not trace.exists()


def test_intake_refuses_what_is_no_archive_or_cut_short_or_encrypted(tmp_path: Path) -> None:
    path = archive(tmp_path, {name_of(0): member()})
    whole = path.read_bytes()
    for broken in (b"", b"plain text", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(BadMember, match=r"no zip archive|not a zip archive"):
            SubmittedArchive(path, SPECS, 1, take_first=False)
    central = whole.rindex(b"PK\x01\x02")
    path.write_bytes(whole[: central + 8] + bytes([whole[central + 8] | 1]) + whole[central + 9 :])
    with pytest.raises(BadMember, match="encrypted"):
        SubmittedArchive(path, SPECS, 1, take_first=False).convert(0, tmp_path / "out")
    damaged = bytearray(whole)
    damaged[whole.index(b"PK\x03\x04") + 200] ^= 1
    path.write_bytes(bytes(damaged))
    with pytest.raises(BadMember, match="cannot be unpacked"):
        SubmittedArchive(path, SPECS, 1, take_first=False).convert(0, tmp_path / "out")
