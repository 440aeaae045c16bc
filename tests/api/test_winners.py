"""After a published final: agreements, decisions, new runs on other workers, published code, an archive."""

import hashlib
import io
import json
import zipfile
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import delete, select, update

from services.core.models import (
    Act,
    AuditEvent,
    Competition,
    CompetitionPage,
    Device,
    Evaluation,
    LeaderboardEntry,
    MeasurementRow,
    Phase,
    Shard,
    State,
    VerifyingRun,
    WorkerRow,
)
from services.core.queue import workers
from services.core.queue.lifecycle import lock_evaluation
from services.core.queue.turns import WorkerOffer, next_shard
from services.core.record.receipts import check_receipt
from services.core.store.database import clock, utc_now
from tests.api.finals import FINAL, choose, end_runs, entries_of, make_final, publish, start
from tests.api.harness import Api, Caller
from tests.api.rescoring import code, submit_scored
from tests.api.scores import measure, score

WINNERS = f"{FINAL}/winners"


def ask_for(api: Api, *, required: bool = False) -> None:
    with api.database.write() as session:
        cup = session.scalars(select(Competition)).one()
        cup.code_licence, cup.code_licence_required = "Apache-2.0", required


def listed(caller: Caller) -> dict[str, dict[str, Any]]:
    answer = caller.get(WINNERS)
    assert answer.status_code == 200, answer.text
    return {one["team"]: one for one in answer.json()["items"]}


def decide(organiser: Caller, act: str, finalist: UUID, reason: str = "We read it.") -> httpx2.Response:
    return organiser.post(f"{WINNERS}/{finalist}/{act}", json={"reason": reason})


def agree(caller: Caller, submission: UUID, licence: str = "Apache-2.0") -> httpx2.Response:
    return caller.request("PUT", f"/api/submissions/{submission}/agreement", json={"licence": licence})


def acts(api: Api) -> list[str]:
    with api.database.read() as session:
        return [str(one.act) for one in session.scalars(select(AuditEvent).order_by(AuditEvent.created_at))]


@pytest.fixture
def finalists(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> tuple[UUID, UUID]:
    """The selected submissions of ada, who is second, and of eve, who won."""
    ask_for(api)
    make_final(organiser)
    mine = submit_scored(api, participant, code(1), 0.5)
    hers = submit_scored(api, api.caller("eve"), code(2), 0.4)
    start(api, organiser)
    end_runs(api, {"ada": 0.2, "eve": 0.6})
    assert publish(organiser).status_code == 200
    with api.database.write() as session:
        session.execute(update(Shard).values(state=State.MEASURED))  # what workers would have done
    return mine, hers


def test_entering_a_final_may_need_an_agreement(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    ask_for(api, required=True)
    make_final(organiser)
    mine = submit_scored(api, participant, code(1), 0.5)
    refused = choose(participant, mine)
    assert (refused.status_code, refused.json()["code"]) == (422, "consent_needed")
    other = participant.request("PUT", f"{FINAL}/selection/{mine}", params={"licence": "MIT"})
    assert (other.status_code, other.json()["code"]) == (409, "licence_changed")

    chosen = participant.request("PUT", f"{FINAL}/selection/{mine}", params={"licence": "Apache-2.0"})

    assert chosen.status_code == 200, chosen.text
    assert participant.get(f"/api/submissions/{mine}").json()["finals"][0]["licence"] == "Apache-2.0"
    assert acts(api)[-2:] == ["code_licensed", "entry_selected"]
    assert agree(api.caller("eve"), mine).status_code == 404
    with api.database.read() as session:
        recorded = session.scalars(select(AuditEvent).where(AuditEvent.act == Act.CODE_LICENSED)).one()
        assert participant.account is not None
        assert (recorded.account_id, recorded.details["licence"]) == (participant.account.id, "Apache-2.0")
        assert recorded.details["rules_version"] is None  # it has none


def test_code_is_public_only_while_agreed_and_verified(
    api: Api, finalists: tuple[UUID, UUID], organiser: Caller, participant: Caller
) -> None:
    mine, hers = finalists
    shown = listed(api.anonymous)
    assert list(shown) == ["eve", "ada"]
    assert (shown["eve"]["state"], shown["eve"]["places"][0]["rank"]) == ("in_review", 1)
    assert decide(organiser, "verify", mine).status_code == 200
    assert not listed(api.anonymous)["ada"]["code_published"]
    assert api.anonymous.get(f"{WINNERS}/{mine}/code").status_code == 404

    assert agree(participant, mine).status_code == 200

    found = api.anonymous.get(f"{WINNERS}/{mine}/code").json()
    assert (found["licence"], found["files"][0]["text"]) == ("Apache-2.0", code(1).decode())
    kept = participant.request("DELETE", f"/api/submissions/{mine}/agreement")
    assert (kept.status_code, kept.json()["code"]) == (409, "code_published")
    assert decide(organiser, "refuse", hers, "It reads a file.").status_code == 200
    assert listed(api.anonymous)["eve"]["reason"] == "It reads a file."
    assert decide(organiser, "review", mine).json()["state"] == "in_review"
    assert api.anonymous.get(f"{WINNERS}/{mine}/code").status_code == 404
    assert participant.request("DELETE", f"/api/submissions/{mine}/agreement").json()["licence"] is None
    of_winners = [one for one in acts(api) if one.startswith(("finalist", "code_licen"))]
    assert of_winners == [
        "finalist_verified",
        "code_licensed",
        "finalist_refused",
        "finalist_reviewed_again",
        "code_licence_withdrawn",
    ]


def test_winners_of_a_sealed_final_are_nobodys(
    api: Api, finalists: tuple[UUID, UUID], organiser: Caller, participant: Caller
) -> None:
    mine, _ = finalists
    agree(participant, mine)
    decide(organiser, "verify", mine)

    organiser.post(f"{FINAL}/seal")

    assert participant.get(WINNERS).json()["code"] == "board_sealed"
    assert participant.get(f"{WINNERS}/{mine}/code").status_code == 404
    assert decide(organiser, "verify", mine).json()["code"] == "final_not_published"
    with api.database.read() as session:
        own = session.scalars(select(VerifyingRun)).all()
    assert not own


def add_worker(api: Api, name: str) -> None:
    with api.database.write() as session:
        facts = {"slots": 1, "slots_busy": 0, "free_disk_bytes": 1, "started_at": utc_now()}
        row = WorkerRow(
            name=name, device_classes=["cpu-x86_64"], sandbox="docker", environments=["current"], version="1", **facts
        )
        workers.report(session, row)


def ran_by(api: Api, evaluation_id: UUID, worker: str, *, models: str = "a") -> None:
    """Note who ran an evaluation, and which models it made."""
    with api.database.write() as session:
        evaluation = lock_evaluation(session, evaluation_id)
        for shard in session.scalars(select(Shard).where(Shard.evaluation_id == evaluation_id)):
            shard.worker = worker
        for seed in range(evaluation.seeds):
            digest = f"{models if seed else '0'}{seed}".ljust(64, "0")
            session.add(MeasurementRow(evaluation_id=evaluation_id, seed=seed, checkpoint_sha256=digest, run_s=1.0))


def offered(api: Api, worker: str) -> UUID | None:
    """Return the evaluation whose shard a worker would claim next."""
    offer = WorkerOffer(worker=worker, device=Device.CPU, device_class="cpu-x86_64", memory_bytes=2**33)
    with api.database.read() as session:
        shard_id = next_shard(session, offer, clock(session))
        return None if shard_id is None else session.get_one(Shard, shard_id).evaluation_id


@pytest.mark.parametrize("same_seeds", [True, False])
def test_a_finalist_runs_again_on_another_worker_and_no_board_moves(
    api: Api, finalists: tuple[UUID, UUID], organiser: Caller, same_seeds: bool
) -> None:
    _, hers = finalists
    entry = entries_of(api)["eve/entry"]
    ran_by(api, entry.evaluation_id, "one", models="a")
    for name in ("one", "two"):
        add_worker(api, name)
    before = api.anonymous.get("/api/competitions/cup/phases/final/leaderboard").json()

    queued = organiser.post(f"{WINNERS}/{hers}/rerun", json={"same_seeds": same_seeds})

    assert queued.status_code == 200, queued.text
    assert queued.json()["places"][0]["again"]["independent"] is None
    with api.database.read() as session:
        run = session.scalars(select(VerifyingRun)).one()
        keys = [session.get_one(Evaluation, one).seed_key for one in (run.evaluation_id, entry.evaluation_id)]
        assert (keys[0] == keys[1]) is same_seeds
        assert run.avoids == ["one"]
    assert (offered(api, "one"), offered(api, "two")) == (None, run.evaluation_id)
    with api.database.write() as session:
        measure(session, run.evaluation_id)
        score(session, run.evaluation_id, 0.5)
    ran_by(api, run.evaluation_id, "two", models="b")
    again = listed(api.anonymous)["eve"]["places"][0]["again"]
    assert (again["state"], again["independent"], again["same_models"]) == ("scored", True, 1 if same_seeds else None)
    assert again["difference"] == pytest.approx(-0.1)
    assert again["low"] < -0.1 < again["high"]
    after = api.anonymous.get("/api/competitions/cup/phases/final/leaderboard").json()
    assert after["items"] == before["items"]
    with api.database.read() as session:
        assert len(session.scalars(select(LeaderboardEntry)).all()) == 4


def test_without_another_worker_the_page_says_so_and_a_new_run_replaces_one_that_waits(
    api: Api, finalists: tuple[UUID, UUID], organiser: Caller
) -> None:
    _, hers = finalists
    entry = entries_of(api)["eve/entry"]
    ran_by(api, entry.evaluation_id, "one", models="a")
    add_worker(api, "one")
    for _ in range(2):
        assert organiser.post(f"{WINNERS}/{hers}/rerun", json={}).status_code == 200
    with api.database.read() as session:
        states = [str(one.evaluation.state) for one in session.scalars(select(VerifyingRun))]
        newest = session.scalars(select(VerifyingRun).order_by(VerifyingRun.created_at.desc())).first()
        assert newest is not None
    assert sorted(states) == ["cancelled", "queued"]
    assert offered(api, "one") == newest.evaluation_id
    with api.database.write() as session:
        measure(session, newest.evaluation_id)
        score(session, newest.evaluation_id, 0.6)
    ran_by(api, newest.evaluation_id, "one", models="a")

    again = listed(api.anonymous)["eve"]["places"][0]["again"]

    assert (again["independent"], again["separated"]) == (False, False)


def write_rules(api: Api, text: str) -> str:
    """Give the competition rules; return their version."""
    with api.database.write() as session:
        cup = session.scalars(select(Competition)).one()
        session.execute(delete(CompetitionPage).where(CompetitionPage.slug == "rules"))
        session.add(CompetitionPage(competition_id=cup.id, slug="rules", title="Rules", body=text, position=0))
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_consent_is_kept_with_the_rules_in_force(api: Api, finalists: tuple[UUID, UUID], participant: Caller) -> None:
    mine, _ = finalists
    first = write_rules(api, "Be honest.")
    assert agree(participant, mine).json()["rules_version"] == first
    assert listed(api.anonymous)["ada"]["rules_version"] == first

    second = write_rules(api, "Be honest, and quick.")

    assert listed(api.anonymous)["ada"]["rules_version"] == first
    assert agree(participant, mine).json()["rules_version"] == second  # asked again, and agreed again
    assert acts(api).count("code_licensed") == 2
    assert agree(participant, mine).status_code == 200
    assert acts(api).count("code_licensed") == 2


def test_an_archive_holds_all_of_a_finalist(
    api: Api, finalists: tuple[UUID, UUID], organiser: Caller, participant: Caller
) -> None:
    mine, _ = finalists
    agree(participant, mine)
    organiser.post(f"{WINNERS}/{mine}/rerun", json={})

    answer = organiser.get(f"{WINNERS}/{mine}/archive")

    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.read("code/entry.py") == code(1)
        assert json.loads(packed.read("licence.json"))["licence"] == "Apache-2.0"
        receipt = check_receipt(packed.read("final/receipt.json"))["statement"]
        assert receipt["figures"]["final_score"] == 0.2
        assert json.loads(packed.read("final/again-1/runs.json"))["state"] == "queued"
    assert acts(api)[-1] == "upload_downloaded"
    assert participant.get(f"{WINNERS}/{mine}/archive").status_code == 403
    assert organiser.get(f"{WINNERS}/{entries_of(api)['ada/entry'].id}/archive").json()["code"] == "no_finalist"
