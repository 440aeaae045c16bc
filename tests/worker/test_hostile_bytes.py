"""Files that a participant's code wrote: whatever is in them, each is accepted or refused in the reader's own type."""

import io
import json
import os
import pickle  # noqa: TID251 - written here, for the intake to refuse
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.core.bundle.directory import Bundle
from services.core.models import FailureKind
from services.worker import failures
from services.worker.runner import tensors
from services.worker.runner.intake import BadMember, SubmittedArchive
from tests.mutations import mutated, mutations_of

MODEL = {"bias": np.zeros(3, np.float32), "steps": np.array(5), "weight": np.ones((3, 4), np.float32)}
SPECS = tensors.specs_of(MODEL)
GOOD = tensors.encode(MODEL)
MANY = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.just("F32") | ODD,
        "shape": st.lists(st.integers(0, 4) | st.sampled_from([2**39, -1]), max_size=40) | ODD,
        "data_offsets": st.just([0, 0]) | st.lists(st.integers(-9, 99), max_size=3) | ODD,
    }
)
HEADERS = st.dictionaries(st.sampled_from(["bias", "a\0\ud800", "__metadata__"]), ENTRY | ODD, max_size=3) | ODD


def with_header(header: Any) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(60)


@given(data=mutations_of([GOOD]) | HEADERS.map(with_header) | st.binary(max_size=300))
@MANY
def test_any_checkpoint_is_the_architectures_or_bad(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "checkpoint"
    path.write_bytes(data)
    try:
        found = tensors.load_untrusted(str(path), SPECS)
    except tensors.BadTensors:
        return
    assert tensors.specs_of(found) == SPECS
    assert tensors.encode(found) == data


@given(data=mutations_of([GOOD]) | HEADERS.map(with_header) | st.binary(max_size=300))
@MANY
def test_any_file_of_tensors_is_read_or_bad(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "tensors"
    path.write_bytes(data)
    try:
        assert isinstance(tensors.load(str(path)), dict)
    except tensors.BadTensors as refusal:
        assert str(refusal)


NOTE = json.dumps({"kind": "exception", "message": "Traceback: why"}).encode()


@given(data=mutations_of([NOTE]) | st.binary(max_size=100))
@FEW
def test_any_note_is_a_participants_failure_or_none(tmp_path: Path, data: bytes) -> None:
    note = tmp_path / "note"
    note.write_bytes(data)
    for found in (failures.from_note(note, 0, 2), failures.from_notebook_note(note)):
        assert found is None or found.kind is not FailureKind.PLATFORM
        assert found is None or failures.told(found, data_hidden=False).message.encode()


def pickled(state: object, **how: Any) -> bytes:
    file = io.BytesIO()
    torch.save(state, file, **how)
    return file.getvalue()


STATE = {name: torch.from_numpy(np.array(value)) for name, value in MODEL.items()}
PICKLES = [
    pickled(STATE),
    pickled(STATE, _use_new_zipfile_serialization=False),
    pickled(STATE | {"bias": torch.zeros(3).half()}),
    pickle.dumps({"bias": [1.0, 2.0, 3.0]}),
]


def packed(members: list[bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for index, data in enumerate(members):
            archive.writestr(f"kaggle/tmp/unlearned_checkpoint_{index}.pth", data)
    return file.getvalue()


@given(data=mutations_of([packed(PICKLES[:1])]) | st.binary(max_size=100))
@FEW
def test_any_archive_of_a_notebook_is_listed_or_bad(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "submission.zip"
    path.write_bytes(data)
    try:
        assert SubmittedArchive(path, SPECS, 1, take_first=True).written >= 1
    except BadMember as refusal:
        assert str(refusal)


def conversation(module: str, arguments: list[str], requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run a trusted reader as its sandbox does, under a limit of memory; return what it answers to all requests."""
    done = subprocess.run(
        [sys.executable, "-m", f"services.worker.runner.{module}", *arguments],
        input="".join(json.dumps(request) + "\n" for request in requests).encode(),
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (4 * 2**30,) * 2),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("seed", range(2))
def test_intake_answers_for_every_pickle(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    members = [mutated(random.choice(PICKLES), random) for _ in range(600)]
    for name in ("archive", "specs", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "archive" / "submission.zip").write_bytes(packed(members))
    (tmp_path / "specs" / "specs.json").write_text(json.dumps(SPECS))
    requests = [{"token": str(index), "index": index} for index in range(len(members))]
    arguments = [word for name in ("archive", "specs", "out") for word in (f"--{name}", str(tmp_path / name))]
    first, *answers = conversation("intake", [*arguments, "--seeds", str(len(members))], requests)
    assert first == {"ready": True, "written": len(members)}
    assert [answer["token"] for answer in answers] == [request["token"] for request in requests]
    accepted = {answer["token"] for answer in answers if "bad" not in answer}
    assert {path.name for path in (tmp_path / "out").iterdir() if path.suffix != ".part"} == accepted
    assert 0 < len(accepted) < len(members)


def test_measurer_answers_for_every_checkpoint(bundle: Bundle, tmp_path: Path) -> None:
    original = tensors.encode(bundle.arrays("public/original.safetensors"))
    random = Random(0)
    places = {str(index): tmp_path / str(index) for index in range(500)}
    for place in places.values():
        place.write_bytes(mutated(original, random))
    arguments = ["--bundle", str(bundle.root), "--checkpoints", str(tmp_path), "--threads", "1"]
    requests = [{"token": "none"}, *({"token": token} for token in places)]
    first, missing, *answers = conversation("measurer", arguments, requests)
    assert "ready" in first and "cannot be opened" in missing["bad"]
    assert [answer["token"] for answer in answers] == list(places)
    assert all(("bad" in answer) != ("reading" in answer) for answer in answers)
    assert any("reading" in answer for answer in answers)
