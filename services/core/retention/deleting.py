"""Carrying out a competition's retention: a portion of rows at a time, first blobs, then the rows that name them.

Rows stay, with all their hashes, so that boards, receipts and the record do too. Whoever is killed in between finds the
same rows again. A blob that another row names is left to that row: blobs are shared by all who store the same bytes.

Somebody may store the same bytes meanwhile. So blobs are set aside first, then rows are asked again who names them, and
only then they are dropped; whoever stores bytes looks after its row is committed whether they are still there
(`Blobs.keep`). Whichever comes second sees the other.
"""

from collections.abc import Collection, Generator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update

from services.core.errors import Conflict, LetheError
from services.core.models import (
    Act,
    BenchmarkRow,
    Campaign,
    CampaignState,
    Competition,
    CompetitionImage,
    Entered,
    Evaluation,
    Final,
    Finalist,
    FinalistState,
    MeasurementRow,
    Phase,
    Reference,
    Submission,
)
from services.core.models.losses import LossesForm
from services.core.queue.lifecycle import ENDED
from services.core.record.acts import record
from services.core.retention.rules import DueDate, Rule, dues_of
from services.core.store.blobs import Blobs
from services.core.store.database import Database, ReadSession, WriteSession, clock

__all__ = ["CodeDeleted", "PlannedDeletion", "WorkUnderWay", "carry_out", "plan", "require_code"]

PACKED = (Evaluation.measurements_blob, Evaluation.stress_blob, Evaluation.placebo_blob)
SINGLE = (MeasurementRow.blob, MeasurementRow.stress_blob, MeasurementRow.placebo_blob)
PORTION = 100


class WorkUnderWay(Conflict):
    code = "work_under_way"


class CodeDeleted(LetheError):
    code = "code_deleted"
    status = 410


@dataclass(frozen=True, slots=True)
class PlannedDeletion:
    """What a rule would delete."""

    due: DueDate
    ready: bool  # the rule is due
    rows: int  # evaluations, or submissions in the case of code


def require_code(submission: Submission) -> None:
    """Raise CodeDeleted if the code of a submission is not kept any more."""
    if submission.code_deleted_at is not None:
        raise CodeDeleted(
            f"The code of {submission.name!r} was deleted on {submission.code_deleted_at:%Y-%m-%d}, as the "
            "competition's retention says. Its hash and its score are still there."
        )


def plan(session: ReadSession, competition: Competition) -> list[PlannedDeletion]:
    """Say what the rules of a competition would delete now, or will once they are due."""
    now = clock(session)
    return [
        PlannedDeletion(
            due, due.is_past(now), session.scalar(select(func.count()).where(_meant(competition, due.rule))) or 0
        )
        for due in dues_of(session, competition)
    ]


def carry_out(database: Database, blobs: Blobs, competition_id: UUID) -> Generator[int, None, None]:
    """Delete what is due, a portion in each transaction; yield how many rows each had. Raises WorkUnderWay."""
    with database.read() as session:
        competition = session.get_one(Competition, competition_id)
        _require_rest(session, competition)
        rules = [one.due.rule for one in plan(session, competition) if one.ready]
    for rule in rules:
        while done := _delete_some(database, blobs, competition_id, rule):
            yield done


def _delete_some(database: Database, blobs: Blobs, competition_id: UUID, rule: Rule) -> int:
    with database.read() as session:
        competition = session.get_one(Competition, competition_id)
        found = _portion(session, competition, rule)
        names = {name for some in found.values() for name in some}
        free = names - _needed(session, competition, rule, names)
    free = _delete_unless_needed(database, blobs, competition_id, rule, free)
    if found:
        with database.write() as session:
            _forget(session, rule, list(found))
            details = {"rule": rule.value, "rows": len(found), "files": len(free)}
            record(session, Act.DATA_DELETED, competition_id=competition_id, account_id=None, details=details)
    return len(found)


def _delete_unless_needed(
    database: Database, blobs: Blobs, competition_id: UUID, rule: Rule, names: Collection[str]
) -> set[str]:
    """Delete blobs, except those that a row has come to need meanwhile; return which are gone."""
    for name in sorted(names):
        blobs.set_aside(name)
    with database.read() as session:
        needed = _needed(session, session.get_one(Competition, competition_id), rule, names)
    for name in sorted(needed):
        blobs.bring_back(name)
    gone = set(names) - needed
    for name in sorted(gone):
        blobs.drop(name)
    return gone


def _portion(session: ReadSession, competition: Competition, rule: Rule) -> dict[UUID, list[str]]:
    """Find the next rows, each with the blobs that it names."""
    if rule is Rule.CODE_OF_LOSERS:
        rows = select(Submission.id, Submission.blob).where(_meant(competition, rule)).order_by(Submission.id)
        return {one: [blob] for one, blob in session.execute(rows.limit(PORTION))}
    if rule is Rule.PICTURES:
        losses = select(Evaluation.id, Evaluation.losses).where(_meant(competition, rule)).order_by(Evaluation.id)
        return {one: list(_pictures(form)) for one, form in session.execute(losses.limit(PORTION))}
    columns = (Evaluation.log_blob, Evaluation.executed_blob, Evaluation.measurements_blob)
    column = dict(zip((Rule.LOGS, Rule.NOTEBOOKS, Rule.MEASUREMENTS), columns, strict=True))[rule]
    statement = select(Evaluation.id, column).where(_meant(competition, rule)).order_by(Evaluation.id)
    found = {one: [blob] if blob else [] for one, blob in session.execute(statement.limit(PORTION))}
    if rule is Rule.MEASUREMENTS:
        packed = [select(Evaluation.id, name).where(Evaluation.id.in_(found)) for name in PACKED[1:]]
        single = [
            select(MeasurementRow.evaluation_id, name).where(MeasurementRow.evaluation_id.in_(found)) for name in SINGLE
        ]
        for named in (*packed, *single):
            for one, blob in session.execute(named):
                found[one] += [blob] if blob else []
    return found


def _forget(session: WriteSession, rule: Rule, ids: Collection[UUID]) -> None:
    now = clock(session)
    match rule:
        case Rule.LOGS:
            session.execute(update(Evaluation).where(Evaluation.id.in_(ids)).values(log_blob=None))
        case Rule.NOTEBOOKS:
            session.execute(update(Evaluation).where(Evaluation.id.in_(ids)).values(executed_blob=None))
        case Rule.CODE_OF_LOSERS:
            values = {"code_deleted_at": now, "sketch": None}
            session.execute(update(Submission).where(Submission.id.in_(ids)).values(values))
        case Rule.PICTURES:
            session.execute(update(Evaluation).where(Evaluation.id.in_(ids)).values(losses=None))
        case Rule.MEASUREMENTS:  # receipts state the hash of the packed ones, so that stays
            gone = {"measurements_deleted_at": now, "readings_until": None, "movement": None}
            session.execute(update(Evaluation).where(Evaluation.id.in_(ids)).values(gone))
            rows = update(MeasurementRow).where(MeasurementRow.evaluation_id.in_(ids))
            session.execute(rows.values(blob=None, stress_blob=None, placebo_blob=None))


def _meant(competition: Competition, rule: Rule) -> ColumnElement[bool]:
    """Select the rows that a rule of a competition speaks of and that still name something."""
    phases = select(Phase.id).where(Phase.competition_id == competition.id)
    of_competition = Evaluation.phase_id.in_(phases)
    match rule:
        case Rule.LOGS:
            return and_(of_competition, Evaluation.log_blob.is_not(None))
        case Rule.NOTEBOOKS:
            return and_(of_competition, Evaluation.executed_blob.is_not(None))
        case Rule.PICTURES:
            return and_(of_competition, Evaluation.losses.is_not(None))
        case Rule.CODE_OF_LOSERS:
            own = and_(Submission.phase_id.in_(phases), Submission.reference == Reference.NONE)
            return and_(own, Submission.code_deleted_at.is_(None), ~_is_of_winner(competition))
        case Rule.MEASUREMENTS:
            single = exists().where(MeasurementRow.evaluation_id == Evaluation.id, MeasurementRow.blob.is_not(None))
            there = or_(Evaluation.measurements_blob.is_not(None), single)
            return and_(of_competition, Evaluation.measurements_deleted_at.is_(None), there)


def _is_of_winner(competition: Competition) -> ColumnElement[bool]:
    """Whether a submission, or the one that it is an entry of, is a verified finalist."""
    verified = (
        select(Finalist.selected_id)
        .join(Final, Final.id == Finalist.final_id)
        .where(Final.competition_id == competition.id, Finalist.state == FinalistState.VERIFIED)
    )
    copies = select(Entered.submission_id).where(Entered.selected_id.in_(verified))
    return or_(Submission.id.in_(verified), Submission.id.in_(copies))


def _needed(session: ReadSession, competition: Competition, rule: Rule, names: Collection[str]) -> set[str]:
    """Find those names that somebody else needs."""
    images = set(session.scalars(select(CompetitionImage.blob).where(CompetitionImage.blob.in_(names))))
    return set(names) & (images | _files_of_benchmarks(session) | _named_elsewhere(session, competition, rule, names))


def _named_elsewhere(session: ReadSession, competition: Competition, rule: Rule, names: Collection[str]) -> set[str]:
    """Find those names that a row needs of which this rule does not speak."""
    phases = select(Phase.id).where(Phase.competition_id == competition.id)
    others = Evaluation.phase_id.not_in(phases)
    mine = {Rule.LOGS: Evaluation.log_blob, Rule.NOTEBOOKS: Evaluation.executed_blob}
    found: set[str] = set()
    for column in (Evaluation.log_blob, Evaluation.executed_blob, *PACKED):
        of_readings = any(column is one for one in PACKED)
        statement = select(column).where(column.in_(names))
        if column is mine.get(rule) or (rule is Rule.MEASUREMENTS and of_readings):
            statement = statement.where(others)
        if of_readings:
            statement = statement.where(Evaluation.measurements_deleted_at.is_(None))
        found |= {str(name) for name in session.scalars(statement)}
    code = select(Submission.blob).where(Submission.blob.in_(names), Submission.code_deleted_at.is_(None))
    if rule is Rule.CODE_OF_LOSERS:
        code = code.where(~_meant(competition, rule))
    found |= set(session.scalars(code))
    for single in SINGLE:
        rows = select(single).where(single.in_(names))
        if rule is Rule.MEASUREMENTS:
            rows = rows.where(MeasurementRow.evaluation_id.in_(select(Evaluation.id).where(others)))
        found |= {str(name) for name in session.scalars(rows)}
    if rule is Rule.PICTURES:
        found |= _pictured(session, phases)
    return found


def _pictured(session: ReadSession, phases: Select[UUID]) -> set[str]:
    """Name the pictures that evaluations of other competitions show; those of one benchmark share them."""
    benchmarks = select(Evaluation.benchmark_id).where(Evaluation.phase_id.in_(phases))
    theirs = (Evaluation.phase_id.not_in(phases), Evaluation.benchmark_id.in_(benchmarks))
    losses = select(Evaluation.losses).where(Evaluation.losses.is_not(None), *theirs)
    return {name for form in session.scalars(losses.execution_options(yield_per=PORTION)) for name in _pictures(form)}


def _pictures(losses: LossesForm | None) -> set[str]:
    return {one.picture for one in losses.examples if one.picture is not None} if losses else set()


def _files_of_benchmarks(session: ReadSession) -> set[str]:
    """Name the blobs of all benchmarks: whoever uploads the bytes of one must not have it deleted."""
    found: set[str] = set()
    for row in session.execute(select(BenchmarkRow.manifest_blob, BenchmarkRow.manifest)):
        found.add(row.manifest_blob)
        found |= {str(file["sha256"]) for file in row.manifest.get("files", {}).values()}
    return found


def _require_rest(session: ReadSession, competition: Competition) -> None:
    phases = select(Phase.id).where(Phase.competition_id == competition.id)
    runs = exists().where(Evaluation.phase_id.in_(phases), Evaluation.state.not_in(ENDED))
    rescored = exists().where(Campaign.phase_id.in_(phases), Campaign.state.in_(CampaignState.under_way()))
    if session.scalar(select(or_(runs, rescored))):
        raise WorkUnderWay("Runs or a rescoring of the competition are under way. Wait, or cancel them first.")
