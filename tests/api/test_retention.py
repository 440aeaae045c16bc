"""A competition deletes what it said it would, and breaks no board, receipt, record nor anybody else's data."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Select, select, update

from services.api.frozen.checking import check
from services.core.models import (
    AuditEvent,
    BenchmarkRow,
    Competition,
    Entered,
    Evaluation,
    Final,
    Phase,
    Role,
    Shard,
    State,
    Submission,
)
from services.core.models.losses import ExampleLoss, LossesForm
from services.core.record.chain import link
from services.core.record.verifying import verify_database
from services.core.retention.deleting import WorkUnderWay, carry_out, plan
from services.core.store.blobs import BlobMissing, Blobs
from services.core.store.database import ReadSession, utc_now
from tests.api.finals import FINAL, end_runs, entries_of, make_final, publish, start
from tests.api.harness import BOARD, Api, Caller
from tests.api.rescoring import code, submit_scored
from tests.api.test_frozen import frozen, put_on_record

ALL = {"logs": "1 day", "notebooks": "1 day", "code_of_losers": "1 day", "measurements": "1 day"}


def has(api: Api, digest: str | None) -> bool:
    assert digest is not None
    try:
        return bool(api.state.blobs.get(digest)) or True
    except BlobMissing:
        return False


def retain(api: Api) -> int:
    with api.database.read() as session:
        competition = _cup(session)
    return sum(carry_out(api.database, api.state.blobs, competition.id))


@pytest.fixture
def over(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> dict[str, Submission]:
    """The entries of a published final that eve won, all over for ten days, with measurements and print-outs."""
    make_final(organiser)
    submit_scored(api, participant, code(1), 0.5)
    hers = submit_scored(api, api.caller("eve"), code(2), 0.4)
    start(api, organiser)
    end_runs(api, {"ada": 0.2, "eve": 0.6})
    assert publish(organiser).status_code == 200
    organiser.post(f"{FINAL}/winners/{hers}/verify", json={"reason": "Read."})
    put_on_record(api)
    entries = {name.partition("/")[0]: one for name, one in entries_of(api).items()}
    past = utc_now() - timedelta(days=10)
    with api.database.write() as session:
        session.execute(update(Shard).values(state=State.MEASURED))
        session.execute(update(Phase).values(opens_at=past - timedelta(days=1), closes_at=past))
        session.scalars(select(Competition)).one().retention = ALL
        for entry in entries.values():
            run = session.get_one(Evaluation, entry.evaluation_id)
            run.measurements_blob = api.state.blobs.put(f"measurements of {entry.id}".encode())
            run.stress_blob = api.state.blobs.put(f"under stress {entry.id}".encode())
            run.placebo_blob = api.state.blobs.put(f"from placebos {entry.id}".encode())
            run.log_blob = api.state.blobs.put(b"printed by both")
            run.executed_blob = api.state.blobs.put(f"executed {entry.id}".encode())
        while link(session):
            pass
    return entries


def published_long_ago(api: Api) -> None:
    with api.database.write() as session:
        session.scalars(select(Final)).one().published_at = utc_now() - timedelta(days=9)


def test_what_is_due_goes_and_boards_receipts_and_record_stay(
    api: Api, over: dict[str, Submission], organiser: Caller, participant: Caller, tmp_path: Path
) -> None:
    published_long_ago(api)
    board = api.anonymous.get(BOARD.replace("feedback", "final")).json()["items"]
    receipt = organiser.get(f"/api/submissions/{over['ada'].id}/receipt").json()
    with api.database.write() as session:
        run = session.get_one(Evaluation, over["ada"].evaluation_id)
        log, measured, stressed = run.log_blob, run.measurements_blob, (run.stress_blob, run.placebo_blob)
        file = api.state.blobs.put(b"a file of a benchmark")
        run.executed_blob = file
        row = session.scalars(select(BenchmarkRow)).one()
        row.manifest = row.manifest | {"files": {"public/a.b": {"sha256": file}}}
    with api.database.read() as session:
        planned = {one.due.rule.value: (one.ready, one.rows) for one in plan(session, _cup(session))}
    assert planned == {
        "logs": (True, 2),
        "notebooks": (True, 2),
        "code_of_losers": (True, 2),
        "measurements": (True, 2),
    }

    assert retain(api) == 8

    assert retain(api) == 0
    assert not has(api, log)
    assert not has(api, measured)
    assert not any(has(api, one) for one in stressed)
    assert has(api, file)
    assert (has(api, over["ada"].blob), has(api, over["eve"].blob)) == (False, True)
    assert api.anonymous.get(BOARD.replace("feedback", "final")).json()["items"] == board
    assert organiser.get(f"/api/submissions/{over['ada'].id}/receipt").json() == receipt
    gone = participant.get(f"/api/submissions/{over['ada'].id}/code")
    assert (gone.status_code, gone.json()["code"]) == (410, "code_deleted")
    refused = organiser.post(f"{FINAL}/winners/{_selected(api, over['ada'])}/rerun", json={})
    assert refused.json()["code"] == "code_deleted"
    again = organiser.post(
        "/api/competitions/cup/phases/feedback/campaigns", json={"metric": "neurips-2023", "re_run": True}
    )
    assert again.json()["code"] == "code_deleted"
    with api.database.write() as session:
        while link(session):
            pass
    assert verify_database(api.database).problems == []
    frozen(api, tmp_path / "cup.zip")
    assert check(tmp_path / "cup.zip").problems == []
    with api.database.read() as session:
        acts = session.scalars(select(AuditEvent).where(AuditEvent.act == "data_deleted")).all()
        assert {one.details["rule"]: one.details["rows"] for one in acts} == dict.fromkeys(ALL, 2)


def test_nothing_goes_before_its_time_or_while_something_runs(
    api: Api, over: dict[str, Submission], organiser: Caller
) -> None:
    assert retain(api) == 0  # the final was published a moment ago
    published_long_ago(api)
    organiser.post(f"{FINAL}/winners/{_selected(api, over['eve'])}/rerun", json={})
    with pytest.raises(WorkUnderWay):
        retain(api)
    organiser.post(f"{FINAL}/seal")
    with api.database.read() as session:
        assert [one.due.at for one in plan(session, _cup(session))] == [None] * 4


def test_who_was_interrupted_goes_on_and_shared_bytes_stay(
    api: Api, over: dict[str, Submission], monkeypatch: pytest.MonkeyPatch
) -> None:
    published_long_ago(api)
    monkeypatch.setattr("services.core.retention.deleting.PORTION", 1)
    with api.database.write() as session:
        eve = session.get_one(Submission, over["eve"].id)
        run = session.get_one(Evaluation, over["ada"].evaluation_id)
        run.log_blob = eve.blob  # printed by ada: the very bytes of the code that won
    with api.database.read() as session:
        competition_id = _cup(session).id
    going = carry_out(api.database, api.state.blobs, competition_id)
    assert next(going) == 1
    going.close()

    assert retain(api) == 7

    assert has(api, over["eve"].blob)


def _cup(session: ReadSession) -> Competition:
    return session.scalars(select(Competition).where(Competition.slug == "cup")).one()


def _selected(api: Api, entry: Submission) -> UUID:
    with api.database.read() as session:
        return session.get_one(Entered, entry.id).selected_id


class _Meeting(Blobs):
    """A store in which somebody stores and somebody deletes the same bytes at one moment."""

    def __init__(self, blobs: Blobs, *, meets: Callable[[], object], at: str) -> None:
        super().__init__(blobs._store)
        self._meets, self._at = meets, at

    def _meet(self, act: str) -> None:
        if act == self._at:
            self._at = ""
            self._meets()

    def put(self, data: bytes) -> str:
        digest = super().put(data)
        self._meet("put")
        return digest

    def set_aside(self, digest: str) -> None:
        self._meet("before")
        super().set_aside(digest)
        self._meet("after")


def _twin(api: Api) -> Caller:
    """Somebody who submits to an open phase of another competition."""
    host = api.caller("host", Role.ORGANISER)
    assert host.post("/api/competitions", json={"slug": "other", "title": "Other"}).status_code == 201
    new = {"slug": "feedback", "kind": "feedback", "benchmark": "tiny", "seeds": 8, "references": False}
    new["closes_at"] = (utc_now() + timedelta(days=1)).isoformat()
    answer = host.post("/api/competitions/other/phases", json=new)
    assert answer.status_code == 201, answer.text
    return api.caller("twin")


def _submit_elsewhere(api: Api, who: Caller, data: bytes) -> None:
    path = BOARD.replace("/cup/", "/other/").replace("leaderboard", "submissions")
    answer = who.post(path, content=data, params={"filename": "same.py"})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("at", ["before", "after"])
def test_bytes_that_somebody_submits_during_a_deletion_stay(api: Api, over: dict[str, Submission], at: str) -> None:
    published_long_ago(api)
    who, data = _twin(api), api.state.blobs.get(over["ada"].blob)
    meeting = _Meeting(api.state.blobs, meets=lambda: _submit_elsewhere(api, who, data), at=at)
    with api.database.write() as session:
        competition = _cup(session)
        competition.retention = {"code_of_losers": "1 day"}

    assert sum(carry_out(api.database, meeting, competition.id)) == 2

    assert has(api, over["ada"].blob)
    with api.database.read() as session:
        assert session.get_one(Submission, over["ada"].id).code_deleted_at is not None


def test_bytes_that_are_deleted_while_somebody_submits_them_are_stored_again(
    api: Api, over: dict[str, Submission]
) -> None:
    published_long_ago(api)
    who, data = _twin(api), api.state.blobs.get(over["ada"].blob)
    deleted: list[int] = []
    meeting = _Meeting(api.state.blobs, meets=lambda: deleted.append(retain(api)), at="put")
    object.__setattr__(api.state, "blobs", meeting)

    _submit_elsewhere(api, who, data)

    assert deleted == [8]
    assert has(api, over["ada"].blob)


def test_an_interrupted_deletion_is_finished_by_the_next(api: Api, over: dict[str, Submission]) -> None:
    published_long_ago(api)

    def killed() -> None:
        raise KeyboardInterrupt

    with api.database.read() as session:
        competition = _cup(session)
    with pytest.raises(KeyboardInterrupt):
        list(carry_out(api.database, _Meeting(api.state.blobs, meets=killed, at="after"), competition.id))
    assert retain(api) == 8
    assert not has(api, over["ada"].blob)


def test_pictures_go_unless_another_competition_shows_them(api: Api, over: dict[str, Submission]) -> None:
    published_long_ago(api)
    picture, shared = (api.state.blobs.put(data) for data in (b"a face", b"a face that two contests show"))
    with api.database.write() as session:
        competition = _cup(session)
        competition.retention = {"pictures": "1 day"}
        mine = session.get_one(Evaluation, over["ada"].evaluation_id)
        mine.losses = _losses(picture, shared)
    _submit_elsewhere(api, _twin(api), code(7))
    with api.database.write() as session:
        theirs = session.scalars(select(Evaluation).where(Evaluation.phase_id.not_in(_phases_of_cup()))).one()
        theirs.losses = _losses(shared)

    assert retain(api) == 1

    assert (has(api, picture), has(api, shared)) == (False, True)
    with api.database.read() as session:
        assert session.get_one(Evaluation, over["ada"].evaluation_id).losses is None
    assert retain(api) == 0


def _phases_of_cup() -> Select[UUID]:
    return select(Phase.id).join(Competition, Competition.id == Phase.competition_id).where(Competition.slug == "cup")


def _losses(*pictures: str) -> LossesForm:
    examples = [
        ExampleLoss(
            example=number,
            label=0,
            subject=None,
            epsilon=1.0,
            quality=0.5,
            retrained_epsilon=None,
            retrained_quality=None,
            picture=picture,
        )
        for number, picture in enumerate(pictures)
    ]
    return LossesForm(examples=examples, total=9, quality=0.5, retrained_quality=None, labels=[])
