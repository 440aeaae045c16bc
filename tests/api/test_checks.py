"""Checking a file before it is submitted: intake's own answers, at no cost and without a trace."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx2
import pytest
from sqlalchemy import func, select, update

from services.core.models import Device, Phase, Submission, SubmissionKind
from services.core.settings import Settings
from services.core.store.database import utc_now
from tests.api.harness import MODULE, SUBMIT, Api, Caller, numbered, prepare, running, serving
from tests.api.refused import REFUSED
from tests.core.uploads import make_zip

CHECK = f"{SUBMIT}/check"
CERTIFIED = b'CERTIFICATE = {"method": "langevin", "epsilon": 0.25, "delta": 0.004, "steps": 3}\n' + MODULE


def check(caller: Caller, data: bytes = MODULE, filename: str = "entry.py") -> httpx2.Response:
    return caller.post(CHECK, content=data, params={"filename": filename})


def blobs_in(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and "sha256" in path.parts]


def test_what_can_be_submitted_is_described(phase: Phase, participant: Caller) -> None:
    module, archive = (
        check(participant, CERTIFIED),
        check(participant, make_zip({"submission.py": MODULE}), "entry.zip"),
    )

    assert (module.status_code, archive.status_code) == (200, 200)
    found = module.json()
    assert (found["kind"], found["size_bytes"], found["claim"]["epsilon"]) == ("module", len(CERTIFIED), 0.25)
    assert (archive.json()["kind"], archive.json()["claim"]) == (SubmissionKind.ARCHIVE, None)
    assert found["submitted_as"] is None
    assert participant.submit(CERTIFIED).json()["sha256"] == found["sha256"]


@pytest.mark.parametrize(("device", "count"), [(Device.CPU, 1), (Device.GPU, 0)])
def test_calls_that_need_a_gpu_are_warned_of_in_phases_without_one(
    api: Api, phase: Phase, participant: Caller, device: Device, count: int
) -> None:
    with api.database.write() as session:
        session.execute(update(Phase).values(device=device))

    warnings = check(participant, MODULE.replace(b"return net", b"return net.cuda()")).json()["warnings"]

    assert len(warnings) == count
    assert all(warning.startswith("entry.py, line 2: `.cuda()` needs a GPU") for warning in warnings)
    assert check(participant).json()["warnings"] == []


def test_checking_leaves_no_trace_and_costs_no_quota(
    api: Api, phase: Phase, participant: Caller, tmp_path: Path
) -> None:
    for number in range(8):
        assert check(participant, numbered(number)).status_code == 200

    assert not blobs_in(tmp_path)
    with api.database.read() as session:
        assert session.scalars(select(func.count()).select_from(Submission)).one() == 0
    assert [participant.submit(numbered(number)).status_code for number in range(6)] == [201] * 5 + [429]


@pytest.mark.parametrize(("filename", "data", "code"), REFUSED, ids=[f"{one[0]} {one[2]}" for one in REFUSED])
def test_what_cannot_be_submitted_gets_the_answer_of_submitting_it(
    phase: Phase, participant: Caller, filename: str, data: bytes, code: str
) -> None:
    checked, submitted = check(participant, data, filename), participant.submit(data, filename)

    assert (checked.status_code, checked.json()["code"]) == (422, code)
    assert checked.json() == submitted.json()


def test_a_file_is_checked_before_a_phase_opens_and_after_its_quota_is_used(
    api: Api, phase: Phase, participant: Caller
) -> None:
    with api.database.write() as session:
        session.execute(update(Phase).values(opens_at=utc_now() + timedelta(hours=1), quota_per_day=0))

    assert check(participant).status_code == 200
    assert check(participant, b"x = 1").json()["code"] == "no_unlearning"


def test_ones_own_earlier_submission_of_the_same_code_is_named(api: Api, phase: Phase, participant: Caller) -> None:
    """It would share that one's evaluation, and still spend quota."""
    participant.submit(MODULE)
    newest = participant.submit(MODULE).json()["id"]

    assert check(participant).json()["submitted_as"] == newest
    assert check(participant, MODULE + b"#").json()["submitted_as"] == newest
    assert check(participant, numbered(1)).json()["submitted_as"] is None
    assert check(api.caller("eve")).json()["submitted_as"] is None


def test_a_file_over_the_limit_is_refused_while_it_is_sent(settings: Settings, tmp_path: Path) -> None:
    with running(settings) as api:
        ada = prepare(api)
    headers = {"Authorization": f"Bearer {ada.token}"}
    large = make_zip({"submission.py": MODULE, "data.bin": Random(0).randbytes(2 * 1024**2)})

    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"#" * 100_000

    with serving(settings) as served, httpx2.Client(base_url=served.url, headers=headers, timeout=60) as client:
        announced = client.post(CHECK, params={"filename": "a.py"}, content=b"#" * (settings.max_upload_bytes + 1))
        endless_answer = client.post(CHECK, params={"filename": "a.py"}, content=endless())
        following = client.post(CHECK, params={"filename": "a.zip"}, content=large)

    for answer in (announced, endless_answer):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert following.status_code == 200
    assert not blobs_in(tmp_path)


def test_files_are_checked_for_phases_that_exist(phase: Phase, participant: Caller) -> None:
    for path in (CHECK.replace("cup", "none"), CHECK.replace("feedback", "none")):
        assert participant.post(path, content=MODULE, params={"filename": "a.py"}).status_code == 404
