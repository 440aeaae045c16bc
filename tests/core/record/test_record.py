"""The record: whatever is edited, dropped, added or swapped is found; writing to it waits for nobody."""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, text, update

from services.core.errors import BadInput
from services.core.models import Account, Act, AuditEvent, Competition, Evaluation, Phase, Score
from services.core.record.acts import record, record_scores
from services.core.record.chain import ChainReport, Head, canonical, head_of, link, links
from services.core.record.verifying import export, parse_head, verify_database, verify_file
from services.core.store.database import Database, WriteSession
from tests.api.scores import measure, score

ACTS = 5


def act(session: WriteSession, number: int) -> None:
    competition = session.scalars(select(Competition)).one()
    author = session.scalars(select(Account.id)).first()
    details = {"number": number, "share": 0.1, "words": "\u00e9\u2028"}
    record(session, Act.CODE_READ, competition_id=competition.id, account_id=author, details=details)


def number_all(database: Database) -> None:
    with database.write() as session:
        link(session)


def add_score(session: WriteSession, evaluation: Evaluation, value: float, metric: str) -> Score:
    row = score(session, evaluation.id, value, metric=metric)
    record_scores(session, session.get_one(Phase, evaluation.phase_id), [row])
    return row


@pytest.fixture
def recorded(database: Database, evaluation: Evaluation) -> Iterator[Database]:
    """Some acts, each in a transaction of its own, and two scores."""
    for number in range(ACTS):
        with database.write() as session:
            act(session, number)
    with database.write() as session:
        measure(session, evaluation.id)
        add_score(session, evaluation, 0.25, "neurips-2023")
        add_score(session, evaluation, 0.1, "lethe-1")
    number_all(database)
    yield database


def tampered(database: Database, how: str) -> ChainReport:
    with database.write() as session:
        session.execute(text(how))
    return verify_database(database)


def test_an_untouched_record_has_no_problem_and_a_head_for_every_length(recorded: Database) -> None:
    report = verify_database(recorded)
    assert (report.problems, report.links) == ([], ACTS + 2)
    with recorded.read() as session:
        assert head_of(session) == report.head
    with recorded.write() as session:
        act(session, ACTS)
    assert verify_database(recorded).head == report.head  # what waits for its number is not in it
    number_all(recorded)
    assert verify_database(recorded, [report.head]).problems == []
    assert verify_database(recorded).head.number == report.head.number + 1


@pytest.mark.parametrize(
    "how",
    [
        "UPDATE audit_events SET act = 'code_compared' WHERE number = 2",
        "UPDATE audit_events SET details = '{}' WHERE number = 2",
        "UPDATE audit_events SET account_id = NULL WHERE number = 2",
        "UPDATE audit_events SET competition_id = NULL WHERE number = 2",
        "UPDATE audit_events SET created_at = '2026-01-01 00:00:00' WHERE number = 2",
        "UPDATE audit_events SET hash = '0' WHERE number = 2",
        "DELETE FROM audit_events WHERE number = 2",
        "DELETE FROM audit_events WHERE number = 1",
        "UPDATE scores SET final_score = 0.9 WHERE metric = 'lethe-1'",
        "UPDATE scores SET alarms = '[1]' WHERE metric = 'lethe-1'",
        "UPDATE scores SET epsilons = '[]' WHERE metric = 'lethe-1'",
        "DELETE FROM scores WHERE metric = 'lethe-1'",
    ],
)
def test_an_edited_or_dropped_row_is_found(recorded: Database, how: str) -> None:
    assert tampered(recorded, how).problems


def test_an_act_that_was_edited_and_hashed_anew_breaks_the_next(recorded: Database) -> None:
    with recorded.write() as session:
        first, second = islice(links(session), 2)
        body = (second.body or {}) | {"details": {}}
        anew = hashlib.sha256(canonical([first.hash, 2, body])).hexdigest()
        session.execute(update(AuditEvent).where(AuditEvent.number == 2).values(details={}, hash=anew))
    assert [problem.split(" does")[0] for problem in verify_database(recorded).problems] == ["Number 3"]


def test_swapped_acts_are_found(recorded: Database) -> None:
    with recorded.write() as session:
        for one, other in ((2, 99), (3, 2), (99, 3)):
            session.execute(update(AuditEvent).where(AuditEvent.number == one).values(number=other))
    assert verify_database(recorded).problems


def test_swapped_scores_are_found(recorded: Database) -> None:
    with recorded.write() as session:
        one, other = session.scalars(select(Score.id).order_by(Score.metric))
        values = dict(session.execute(select(Score.id, Score.final_score)).all())
        session.execute(update(Score).where(Score.id == one).values(final_score=values[other]))
        session.execute(update(Score).where(Score.id == other).values(final_score=values[one]))
    assert len(verify_database(recorded).problems) == 2


def test_a_score_that_no_scorer_wrote_is_found(recorded: Database, evaluation: Evaluation) -> None:
    with recorded.write() as session:
        score(session, evaluation.id, 1.0, metric="forged")
    assert ["not on record" in problem for problem in verify_database(recorded).problems] == [True]


def test_an_end_that_was_cut_off_or_written_anew_is_found_by_a_head_that_somebody_kept(recorded: Database) -> None:
    kept = verify_database(recorded).head
    with recorded.write() as session:
        session.execute(delete(AuditEvent).where(AuditEvent.number == 3))
        session.execute(update(AuditEvent).values(number=None, hash=None))
    number_all(recorded)
    assert not [one for one in verify_database(recorded).problems if "Score" not in one]
    assert "not there any more" in verify_database(recorded, [kept]).problems[0]
    with recorded.write() as session:
        act(session, 7)
    number_all(recorded)
    assert "another hash" in verify_database(recorded, [kept]).problems[0]


def test_an_export_is_checked_by_itself(recorded: Database, tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    assert export(recorded, file) == ACTS + 2
    report = verify_file(file)
    assert (report.problems, report.head) == ([], verify_database(recorded).head)
    lines = file.read_text().splitlines()
    edits: list[Callable[[list[str]], list[str]]] = [
        lambda whole: whole[:2] + whole[3:],
        lambda whole: [whole[1], whole[0], *whole[2:]],
        lambda whole: [whole[0].replace("code_read", "code_compared"), *whole[1:]],
        lambda whole: [*whole, whole[-1]],
    ]
    for edit in edits:
        file.write_text("\n".join(edit(lines)))
        assert verify_file(file).problems
    file.write_text("\n".join(lines[:-1]))
    assert verify_file(file).problems == []
    assert verify_file(file, [report.head]).problems
    for broken in ("{}", "[]", json.dumps({"number": "x", "hash": "", "body": {}})):
        file.write_text(broken)
        with pytest.raises(BadInput, match="Line 1"):
            verify_file(file)


def test_a_head_is_read_as_it_is_printed() -> None:
    assert parse_head("3:" + "a" * 64) == Head(3, "a" * 64)
    for broken in ("", "3", "x:" + "a" * 64, "3:abc"):
        with pytest.raises(BadInput):
            parse_head(broken)


def test_acts_side_by_side_and_two_that_number_leave_one_gapless_chain(
    database: Database, evaluation: Evaluation
) -> None:
    def write(number: int) -> None:
        with database.write() as session:
            act(session, number)
        number_all(database)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    number_all(database)

    report = verify_database(database)
    assert (report.problems, report.head.number) == ([], 40)


def test_an_act_whose_transaction_is_still_open_holds_up_nobody(database: Database, evaluation: Evaluation) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with database.write() as slow:
        act(slow, 1)
        slow.flush()
        with database.write() as quick:
            act(quick, 2)
        number_all(database)
        with database.read() as session:
            assert session.scalar(select(func.count()).where(AuditEvent.number.is_not(None))) == 1
    number_all(database)
    assert verify_database(database).links == 2


def test_a_forged_act_in_the_middle_is_found(recorded: Database) -> None:
    with recorded.write() as session:
        session.execute(update(AuditEvent).where(AuditEvent.number == ACTS + 2).values(number=ACTS + 3))
        forged = AuditEvent(id=uuid4(), act=Act.CODE_READ, details={}, number=ACTS + 2, hash="f" * 64)
        session.add(forged)
    assert verify_database(recorded).problems
