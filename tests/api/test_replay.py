"""What a replay elsewhere needs, told to those who see the submission, and nothing that is hidden."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from services.core.environments import keep
from services.core.models import BenchmarkRow, Evaluation, FailureKind, Phase, State, Submission
from services.core.queue.lifecycle import fail, lock_evaluation, move
from services.core.store.database import utc_now
from services.worker import failures
from services.worker.failures import SandboxText, told
from tests.api.harness import Api, Caller
from tests.api.test_environments import row

SECRET = "the pixels of image 7"


def failed(api: Api, participant: Caller, *, hidden: bool) -> dict[str, Any]:
    """Let an entry fail as a worker would; return what a replay needs."""
    submitted: dict[str, Any] = participant.submit().json()
    failure = told(failures.bad_checkpoint(2, 8, SandboxText(SECRET)), data_hidden=hidden)
    with api.database.write() as session:
        session.execute(update(Phase).values(data_hidden=hidden))
        evaluation = lock_evaluation(session, UUID(submitted["evaluation_id"]))
        move(session, evaluation, State.RUNNING)
        fail(session, evaluation, failure.kind, failure.message)
    found: dict[str, Any] = participant.get(f"/api/submissions/{submitted['id']}/replay").json()
    return found


def test_limits_benchmark_and_failure_are_told(api: Api, phase: Phase, participant: Caller) -> None:
    with api.database.write() as session:
        keep(session, row("current"))
        manifest = {"oracle_seeds": 512, "origin": {"definition": "digits", "drawn_for": "final", "scenario": None}}
        session.execute(update(BenchmarkRow).values(manifest=manifest))

    found = failed(api, participant, hidden=False)

    assert (found["filename"], found["kind"], found["state"], found["trial"]) == ("entry.py", "module", "failed", None)
    assert (found["limits"]["seeds"], found["limits"]["seed_timeout_s"]) == (8, 10.0)
    assert found["limits"]["memory_bytes"] == 2 * 1024**3
    assert found["benchmark"] == {"name": "tiny", "digest": "d" * 64, "definition": "digits", "scenario": None}
    environment = found["environment"]
    assert (environment["name"], environment["device"]) == ("current", "cpu")
    known = row("current")
    assert (environment["digest"], environment["python"]) == (known.digest, known.python)
    assert (found["failed_run"], SECRET in found["failure"]["message"]) == (3, True)


def test_where_it_ran_is_told_before_where_it_would_run(api: Api, phase: Phase, participant: Caller) -> None:
    with api.database.write() as session:
        keep(session, row("current"))
    found = failed(api, participant, hidden=False)
    with api.database.write() as session:
        session.execute(update(Evaluation).values(provenance={"image_id": "sha256:earlier", "torch": "1.13.0"}))
    found = participant.get(f"/api/submissions/{found['id']}/replay").json()
    assert (found["environment"]["digest"], found["environment"]["torch"]) == ("sha256:earlier", "1.13.0")


def test_nothing_hidden_is_told(api: Api, phase: Phase, participant: Caller) -> None:
    found = failed(api, participant, hidden=True)

    with api.database.read() as session:
        key = session.scalars(select(Evaluation.seed_key)).one()
    assert (found["data_hidden"], found["failure"]["kind"]) == (True, FailureKind.BAD_CHECKPOINT)
    assert found["failed_run"] == 3  # the message names it, too
    assert SECRET not in str(found)
    assert key.hex() not in str(found)


@pytest.mark.parametrize("who", ["lee", None])
def test_strangers_are_told_nothing(api: Api, phase: Phase, participant: Caller, who: str | None) -> None:
    found = failed(api, participant, hidden=False)
    caller = api.caller(who) if who else api.anonymous
    assert caller.get(f"/api/submissions/{found['id']}/replay").status_code == (404 if who else 401)


def test_code_that_is_not_kept_cannot_be_replayed(api: Api, phase: Phase, participant: Caller) -> None:
    found = failed(api, participant, hidden=False)
    with api.database.write() as session:
        session.execute(update(Submission).values(code_deleted_at=utc_now()))
    answer = participant.get(f"/api/submissions/{found['id']}/replay")
    assert (answer.is_success, answer.json()["code"]) == (False, "code_deleted")
