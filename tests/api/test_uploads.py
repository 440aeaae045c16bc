"""Uploads that cannot be submissions: each gets a typed refusal, leaves nothing behind, and costs no quota."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from services.core.models import Event, Phase, Reference, Role, Shard, Submission, SubmissionKind
from services.core.settings import SandboxKind, Settings
from tests.api.harness import MODULE, SUBMIT, Api, Caller, numbered, prepare, running, serving
from tests.api.refused import REFUSED
from tests.core.uploads import make_zip


def test_an_upload_becomes_submission_evaluation_and_shards(
    api: Api, phase: Phase, participant: Caller, settings: Settings
) -> None:
    answer = participant.submit(name="My idea")

    shown = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/submissions/{shown['id']}"
    assert (shown["name"], shown["team"], shown["state"], shown["seeds"]) == ("My idea", "ada", "queued", 8)
    with api.database.read() as session:
        submission = session.scalars(select(Submission)).one()
        shards = session.scalars(select(Shard).order_by(Shard.seed_start)).all()
        assert submission.evaluation.code_sha256 == submission.blob == shown["sha256"]
        assert [(shard.seed_start, shard.seed_stop) for shard in shards] == [(0, 4), (4, 8)]
        assert session.scalars(select(Event.kind)).all() == ["queued"]
    assert api.state.blobs.get(shown["sha256"]) == MODULE


def test_an_archive_is_accepted(api: Api, phase: Phase, participant: Caller) -> None:
    shown = participant.submit(make_zip({"submission.py": MODULE, "data.bin": b"\1"}), "entry.zip").json()

    assert shown["kind"] == SubmissionKind.ARCHIVE
    assert shown["name"] == "entry"


@pytest.mark.parametrize(("filename", "data", "code"), REFUSED, ids=[f"{one[0]} {one[2]}" for one in REFUSED])
def test_bad_uploads_are_refused_with_a_remedy(
    api: Api, phase: Phase, participant: Caller, tmp_path: Path, filename: str, data: bytes, code: str
) -> None:
    answer = participant.submit(data, filename)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["remedy"]
    assert not list((tmp_path / "data" / "blobs").rglob("*.*")) and not list((tmp_path / "data").rglob("sha256/*"))
    with api.database.read() as session:
        assert session.scalars(select(func.count()).select_from(Submission)).one() == 0


def test_refused_uploads_cost_no_quota(phase: Phase, participant: Caller) -> None:
    for _ in range(10):
        assert participant.submit(b"x = 1").status_code == 422

    answers = [participant.submit(numbered(number)).status_code for number in range(6)]

    assert answers == [201] * 5 + [429]


@pytest.mark.parametrize("filename", ["", "a/b.py", "..\\b.py", "a\n.py", "x" * 201 + ".py"])
def test_file_names_that_are_paths_are_refused(phase: Phase, participant: Caller, filename: str) -> None:
    answer = participant.submit(filename=filename)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("end", ["", "/check"])
@pytest.mark.parametrize("query", [{}, {"filename": "my entry.py", "team": "ada"}])
def test_a_form_is_refused_with_the_command_that_works(
    settings: Settings, tmp_path: Path, end: str, query: dict[str, str]
) -> None:
    """`curl -F file=@x.py` wraps the file in lines of its own."""
    (tmp_path / query.get("filename", "entry.py")).write_bytes(MODULE)
    with running(settings) as api:
        ada = prepare(api)
    headers = {"Authorization": f"Bearer {ada.token}"}

    with serving(settings) as served, httpx2.Client(base_url=served.url, headers=headers, timeout=60) as client:
        answer = client.post(f"{SUBMIT}{end}", params=query, files={"file": ("x.py", MODULE)})
        command = answer.json()["remedy"].partition(": ")[2]
        done = subprocess.run(
            ["bash", "-c", f"{command} --silent --fail-with-body"],
            cwd=tmp_path,
            env=os.environ | {"LETHE_TOKEN": ada.token or ""},
            capture_output=True,
            check=False,
        )

    assert (answer.status_code, answer.json()["code"]) == (422, "form_upload")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["kind"] == "module"


def test_an_upload_over_the_limit_is_refused_before_it_is_sent(settings: Settings, tmp_path: Path) -> None:
    """A client that announces 2 GB is answered before it has sent a byte of them."""
    with running(settings) as api:
        ada = prepare(api)
    with serving(settings) as served, socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        head = f"POST {SUBMIT}?filename=a.py HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ada.token}\r\n"
        client.sendall(f"{head}Content-Length: {2 * 1024**3}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"}"):
            answer += client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large"' in answer


def test_an_upload_over_the_limit_is_refused_while_it_is_sent(settings: Settings) -> None:
    """A client that announces no size is stopped where the limit is passed, and another is served meanwhile."""
    with running(settings) as api:
        ada = prepare(api)
    headers = {"Authorization": f"Bearer {ada.token}"}

    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"#" * 100_000

    with serving(settings) as served, httpx2.Client(base_url=served.url, headers=headers, timeout=60) as client:
        answer = client.post(SUBMIT, params={"filename": "a.py"}, content=endless())
        following = client.post(SUBMIT, params={"filename": "a.py"}, content=MODULE)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert following.status_code == 201


def test_a_client_that_hangs_up_leaves_nothing(settings: Settings) -> None:
    with running(settings) as api:
        ada = prepare(api)
        with serving(settings) as served:
            with socket.create_connection(("127.0.0.1", served.port)) as client:
                head = f"POST {SUBMIT}?filename=a.py HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
                client.sendall(f"{head}Content-Length: 1000\r\n\r\nhalf".encode())
            assert httpx2.get(f"{served.url}/api/health").status_code == 200
        with api.database.read() as session:
            assert session.scalars(select(func.count()).select_from(Submission)).one() == 0


def test_only_the_operator_submits_to_the_process_sandbox(settings: Settings) -> None:
    with running(settings.model_copy(update={"sandbox": SandboxKind.PROCESS})) as api:
        ada, root = prepare(api), api.caller("root", Role.OPERATOR)

        refused = ada.submit()

        assert (refused.status_code, refused.json()["code"]) == (403, "sandbox_requires_operator")
        assert root.submit().status_code == 201


def test_those_in_several_teams_say_which(api: Api, phase: Phase) -> None:
    root = api.caller("root", Role.OPERATOR)
    root.post("/api/teams", json={"name": "second"})

    assert root.submit().json()["code"] == "team_needed"
    assert root.submit(team="second").json()["team"] == "second"
    assert root.submit(team="nobody").json()["code"] == "not_in_team"


def test_nobody_submits_for_another_team(api: Api, phase: Phase, participant: Caller) -> None:
    api.caller("eve")

    assert participant.submit(team="eve").json()["code"] == "not_in_team"


def test_only_organisers_submit_reference_rows(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    assert participant.submit(reference="retrain").json()["code"] == "not_organiser"
    assert api.caller("other", Role.ORGANISER).submit(reference="retrain").json()["code"] == "not_organiser"
    assert organiser.submit(reference="retrain").json()["reference"] == Reference.RETRAIN


def test_uploads_go_to_phases_that_exist(phase: Phase, participant: Caller) -> None:
    for path in (SUBMIT.replace("cup", "none"), SUBMIT.replace("feedback", "none")):
        assert participant.post(path, content=MODULE, params={"filename": "a.py"}).status_code == 404
