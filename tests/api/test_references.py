"""Reference rows that the platform makes with a phase: by API and by file, on record, and nobody's."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from services.core.device import Device
from services.core.models import (
    AuditEvent,
    BenchmarkRow,
    Competition,
    Evaluation,
    FailureKind,
    Phase,
    Reference,
    Shard,
    Submission,
    Visibility,
)
from services.core.queue import leases
from services.core.queue.lifecycle import fail, lock_evaluation
from services.core.queue.turns import WorkerOffer
from services.core.references import platform
from services.core.store.database import utc_now
from services.scorer.references import References
from services.scorer.stores import Stores
from tests.api.harness import SUBMIT, Api, Caller, numbered

PHASES = "/api/competitions/cup/phases"
ROWS = f"{PHASES}/late/references"
RECIPE = {"epochs": 40, "batch_size": 64, "learning_rate": 0.1, "optimizer": "sgd"}
KINDS = {"identity", "retrain", "retrain-5", "retrain-10", "retrain-20", "retrain-50"}


@pytest.fixture(autouse=True)
def trained(api: Api, phase: Phase) -> None:
    """The benchmark says for how many epochs its models were trained."""
    describe(api, {"oracle_seeds": 512, "recipe": RECIPE})


def describe(api: Api, manifest: dict[str, Any]) -> None:
    with api.database.write() as session:
        session.execute(update(BenchmarkRow).values(manifest=manifest))


def keep(api: Api) -> int:
    """Make what is missing, as the scorer does."""
    return References(Stores(api.database, api.state.blobs, api.state.settings)).keep()


def add(organiser: Caller, **changes: Any) -> dict[str, Any]:
    body = {
        "slug": "late",
        "kind": "feedback",
        "benchmark": "tiny",
        "closes_at": (utc_now() + timedelta(days=1)).isoformat(),
        "seeds": 8,
        "shard_seeds": 4,
    }
    answer = organiser.post(PHASES, json=body | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def shown(caller: Caller, path: str = ROWS) -> dict[str, Any]:
    found: dict[str, Any] = caller.get(path).json()
    return found


def test_a_phase_is_made_with_its_reference_rows(api: Api, organiser: Caller) -> None:
    assert add(organiser)["references"] is True
    assert shown(organiser)["waiting"] is True
    assert {one["submission_id"] for one in shown(organiser)["items"]} == {None}

    assert (keep(api), keep(api)) == (6, 0)

    found = shown(organiser)
    assert (found["wanted"], found["why_none"], found["waiting"]) == (True, None, False)
    assert {one["reference"] for one in found["items"]} == KINDS
    assert {one["state"] for one in found["items"]} == {"queued"}
    with api.database.read() as session:
        rows = session.scalars(select(Submission).where(Submission.team_id == platform.TEAM)).all()
        assert {row.team.name for row in rows} == {"lethe"}
        assert len({row.code_sha256 for row in rows}) == 6
        sources = {row.reference: api.state.blobs.get(row.blob).decode() for row in rows}
        acts = list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.created_at)))
    assert '"epochs": 8,' in sources[Reference.RETRAIN_20]
    assert "references_made" in acts


def test_a_phase_can_be_made_without_and_get_them_later(api: Api, organiser: Caller) -> None:
    assert add(organiser, references=False)["references"] is False
    assert keep(api) == 0
    assert shown(organiser)["wanted"] is False

    assert organiser.post(ROWS).json()["waiting"] is True
    assert keep(api) == 6


def test_what_failed_or_was_cancelled_is_made_again_and_nothing_else(api: Api, organiser: Caller) -> None:
    add(organiser)
    keep(api)
    ids = {one["reference"]: one["submission_id"] for one in shown(organiser)["items"]}
    with api.database.write() as session:
        evaluation_id = session.get_one(Submission, ids_of(ids, "retrain")).evaluation_id
        fail(session, lock_evaluation(session, evaluation_id), FailureKind.TIMEOUT, "too slow")
    assert organiser.post(f"/api/submissions/{ids['identity']}/cancel").status_code < 300
    states = {one["reference"]: (one["state"], one["failure"]) for one in shown(organiser)["items"]}
    assert states["retrain"] == ("failed", "too slow")
    assert keep(api) == 0

    organiser.post(ROWS)

    assert keep(api) == 2
    now = {one["reference"]: one["submission_id"] for one in shown(organiser)["items"]}
    assert {one for one in KINDS if now[one] != ids[one]} == {"retrain", "identity"}
    assert {one["state"] for one in shown(organiser)["items"]} == {"queued"}


def ids_of(ids: dict[str, str], name: str) -> Any:
    from uuid import UUID

    return UUID(ids[name])


@pytest.mark.parametrize("manifest", [{"learning": {"sigma": 1}, "recipe": {"steps": 9}}, {"recipe": {}}])
def test_a_benchmark_that_can_have_none_says_so(api: Api, organiser: Caller, manifest: dict[str, Any]) -> None:
    describe(api, {"oracle_seeds": 512} | manifest)
    add(organiser)

    assert keep(api) == 0

    found = shown(organiser)
    assert found["items"] == []
    assert "by hand" in found["why_none"] or "certified" in found["why_none"]
    refused = organiser.post(ROWS)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_references")


def test_nobody_takes_them_off_the_board(api: Api, organiser: Caller) -> None:
    add(organiser)
    keep(api)
    one = shown(organiser)["items"][0]["submission_id"]

    body = {"submission_id": one, "reason": "because"}
    refused = organiser.post("/api/competitions/cup/disqualifications", json=body)

    assert (refused.status_code, refused.json()["code"]) == (409, "platform_row")


def test_in_a_draft_they_wait_until_it_is_public(api: Api, organiser: Caller) -> None:
    set_visibility(api, Visibility.DRAFT)
    add(organiser)
    assert keep(api) == 0
    assert shown(organiser)["waiting"] is True

    set_visibility(api, Visibility.UNLISTED)

    assert keep(api) == 6


def set_visibility(api: Api, visibility: Visibility) -> None:
    with api.database.write() as session:
        session.execute(update(Competition).values(visibility=visibility))


def apply(organiser: Caller, text: str) -> Any:
    token = organiser.post("/api/competition-files/preview", json={"text": text}).json()["token"]
    body = {"text": text, "based_on": token, "confirm": True}
    return organiser.post("/api/competition-files/apply", json=body)


def test_a_file_makes_them_and_changes_what_nobody_has_submitted_to(api: Api, organiser: Caller) -> None:
    """Rows that no longer fit are stopped and retired, and others take their place."""
    add(organiser)
    keep(api)
    before = {one["submission_id"] for one in shown(organiser)["items"]}
    text = organiser.get("/api/competitions/cup/file").json()["text"]
    late = text.index("slug: late")
    changed = text[:late] + text[late:].replace("seeds: 8", "seeds: 16", 1)
    assert changed != text

    answer = apply(organiser, changed)

    assert answer.status_code == 200, answer.text
    assert shown(organiser)["waiting"] is True
    assert keep(api) == 6
    assert not before & {one["submission_id"] for one in shown(organiser)["items"]}
    with api.database.read() as session:
        rows = session.scalars(select(Submission).where(Submission.team_id == platform.TEAM)).all()
        assert {(str(row.id) in before, row.evaluation.state.value, row.evaluation.seeds) for row in rows} == {
            (True, "cancelled", 8),
            (False, "queued", 16),
        }


def test_a_phase_with_reference_rows_stays_in_the_file(api: Api, organiser: Caller) -> None:
    add(organiser)
    keep(api)
    text = organiser.get("/api/competitions/cup/file").json()["text"]
    head, _, rest = text.partition("  - slug: late")
    without = head + ("  - slug:" + rest.split("  - slug:", 1)[1] if "  - slug:" in rest else "")

    refused = organiser.post("/api/competition-files/preview", json={"text": without})

    assert refused.status_code == 422
    assert "late" in refused.text


def test_a_competition_with_nothing_but_reference_rows_can_be_deleted(api: Api, organiser: Caller) -> None:
    add(organiser)
    keep(api)

    assert organiser.request("DELETE", "/api/competitions/cup").status_code == 204

    assert api.anonymous.get("/api/competitions/cup").status_code == 404
    with api.database.read() as session:
        assert {one.state.value for one in session.scalars(select(Evaluation))} == {"cancelled"}


@pytest.mark.parametrize("kind", ["feedback", "check"])
def test_they_run_behind_every_team(api: Api, organiser: Caller, participant: Caller, kind: str) -> None:
    """Also those of a check phase, whose entries come first."""
    add(organiser, kind=kind)
    keep(api)
    for number in range(3):
        assert participant.submit(numbered(number)).status_code == 201

    teams = [claim(api) for _ in range(8)]

    assert teams == [False] * 6 + [True] * 2


def claim(api: Api) -> bool:
    """Claim a shard as a worker does; tell whether it was one of the platform's."""
    offer = WorkerOffer("w", Device.CPU, "cpu", 64 * 2**30)
    with api.database.write() as session:
        lease = leases.claim(session, offer, lease_s=60)
        assert lease is not None
        shard = session.get_one(Shard, lease.shard_id)
        of = select(Submission.team_id).where(Submission.evaluation_id == shard.evaluation_id)
        return session.scalars(of).one() == platform.TEAM


def test_they_make_nobody_wait_longer(api: Api, organiser: Caller, participant: Caller) -> None:
    participant.submit(numbered(1))
    quota = f"{PHASES}/feedback/quota"
    before = participant.get(quota).json()

    add(organiser)
    keep(api)

    after = participant.get(quota).json()
    assert after["place"]["ahead"] == before["place"]["ahead"]
    assert after["left"] == before["left"]
    assert participant.get(SUBMIT).status_code in (200, 404, 405)
