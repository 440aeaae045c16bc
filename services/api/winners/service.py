"""Reading the finalists of a published final, in the order of its board, with all that was decided and verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased, joinedload, undefer

from services.api.winners.schemas import FinalistOut, PlacedOut, RunAgainOut
from services.core.board import standings
from services.core.errors import NotFound
from services.core.finals.sealed import phases_of
from services.core.finals.winners import workers_of
from services.core.models import (
    Consent,
    Entered,
    Final,
    Finalist,
    FinalistState,
    JointRow,
    LeaderboardEntry,
    MeasurementRow,
    Phase,
    Reference,
    Score,
    StandingRow,
    Submission,
    VerifyingRun,
)
from services.core.store.database import ReadSession

__all__ = ["finalists", "is_published", "one_finalist", "published_consent", "show_finalists"]


@dataclass(frozen=True, slots=True)
class _Place:
    row: StandingRow
    score: Score


def finalists(session: ReadSession, final: Final, *, after: int, limit: int) -> tuple[int, list[FinalistOut]]:
    """Read finalists behind a position of the board; return how many positions it has, and them."""
    total, entries = _page(session, final, after, limit)
    entered = session.scalars(select(Entered).where(Entered.submission_id.in_(entries)))
    selected = {one.submission_id: one.selected_id for one in entered}
    return total, show_finalists(session, final, [selected[one] for one in entries if one in selected])


def one_finalist(session: ReadSession, final: Final, selected_id: UUID) -> FinalistOut:
    """Read one finalist, whatever its place."""
    return show_finalists(session, final, [selected_id])[0]


def is_published(consent: Consent | None, decided: Finalist | None) -> bool:
    """Tell whether everybody may read the code of a finalist: its team agreed, and it is verified."""
    return consent is not None and decided is not None and decided.state is FinalistState.VERIFIED


def published_consent(session: ReadSession, final: Final, selected_id: UUID) -> Consent:
    """Return the consent under which the code of a finalist is public. Raises NotFound if it is not."""
    consent = session.get(Consent, selected_id)
    sealed = final.published_at is None
    if sealed or consent is None or not is_published(consent, session.get(Finalist, (final.id, selected_id))):
        raise NotFound("This code is not published. It is if the team agreed to that and the organiser verified it.")
    return consent


def _page(session: ReadSession, final: Final, after: int, limit: int) -> tuple[int, list[UUID]]:
    """List entries of the final in the order of its joint board, or else of its only board."""
    on_page = (after + 1, after + limit)
    total = session.scalar(select(func.max(JointRow.position)).where(JointRow.final_id == final.id))
    if total is not None:
        page = select(JointRow).where(JointRow.final_id == final.id, JointRow.position.between(*on_page))
        rows = session.scalars(page.order_by(JointRow.position))
        return total, [row.places[0].submission_id for row in rows]
    board = standings.newest(session, final.phase)
    if board is None:
        return 0, []
    of_board = select(LeaderboardEntry.submission_id).join(StandingRow, StandingRow.entry_id == LeaderboardEntry.id)
    of_board = of_board.where(StandingRow.standings_id == board.id, StandingRow.position.between(*on_page))
    teams = of_board.where(LeaderboardEntry.reference == Reference.NONE)
    return board.total, list(session.scalars(teams.order_by(StandingRow.position)))


def show_finalists(session: ReadSession, final: Final, selected_ids: Sequence[UUID]) -> list[FinalistOut]:
    """Make the JSON form of some finalists, in this order."""
    phases = phases_of(session, final)
    own = select(Submission).options(joinedload(Submission.team)).where(Submission.id.in_(selected_ids))
    selected = {one.id: one for one in session.scalars(own)}
    of_page = select(Entered.selected_id, Submission).join(Submission, Submission.id == Entered.submission_id)
    of_page = of_page.where(Entered.selected_id.in_(selected_ids), Submission.phase_id.in_([one.id for one in phases]))
    entries = {(selected_id, entry.phase_id): entry for selected_id, entry in session.execute(of_page)}
    places = _places(session, phases, [entry.id for entry in entries.values()])
    consents = session.scalars(select(Consent).where(Consent.submission_id.in_(selected_ids)))
    agreed = {one.submission_id: one for one in consents}
    decided = {one: session.get(Finalist, (final.id, one)) for one in selected_ids}
    return [
        FinalistOut(
            team=selected[one].team.name,
            submission_id=one,
            name=selected[one].name,
            state=found.state if (found := decided[one]) else FinalistState.IN_REVIEW,
            reason=found and found.reason,
            decided_at=found and found.decided_at,
            licence=agreed[one].licence if one in agreed else None,
            rules_version=agreed[one].rules_version if one in agreed else None,
            code_published=is_published(agreed.get(one), found),
            places=[
                _placed(session, phase, entry, places.get(entry.id))
                for phase in phases
                if (entry := entries.get((one, phase.id))) is not None
            ],
        )
        for one in selected_ids
    ]


def _places(session: ReadSession, phases: Sequence[Phase], entry_ids: Sequence[UUID]) -> dict[UUID, _Place]:
    boards = [board.id for phase in phases if (board := standings.newest(session, phase)) is not None]
    statement = (
        select(LeaderboardEntry.submission_id, StandingRow, Score)
        .join(LeaderboardEntry, LeaderboardEntry.id == StandingRow.entry_id)
        .join(Score, Score.id == LeaderboardEntry.score_id)
        .options(undefer(Score.halves), undefer(Score.subject_points))
        .where(StandingRow.standings_id.in_(boards), LeaderboardEntry.submission_id.in_(entry_ids))
    )
    return {submission_id: _Place(row, score) for submission_id, row, score in session.execute(statement)}


def _placed(session: ReadSession, phase: Phase, entry: Submission, place: _Place | None) -> PlacedOut:
    row, score = (None, None) if place is None else (place.row, place.score)
    return PlacedOut(
        phase=phase.slug,
        submission_id=entry.id,
        rank=row and row.rank,
        rank_best=row and row.rank_best,
        rank_worst=row and row.rank_worst,
        tie_group=row and row.tie_group,
        final_score=score and score.final_score,
        ci_low=score and score.ci_low,
        ci_high=score and score.ci_high,
        again=_again(session, entry, score),
    )


def _again(session: ReadSession, entry: Submission, counting: Score | None) -> RunAgainOut | None:
    newest = select(VerifyingRun).where(VerifyingRun.submission_id == entry.id)
    newest = newest.order_by(VerifyingRun.created_at.desc(), VerifyingRun.evaluation_id).limit(1)
    run = session.scalars(newest).one_or_none()
    if run is None:
        return None
    whole = (undefer(Score.halves), undefer(Score.subject_points))
    metric = counting.metric if counting is not None else entry.phase.metric
    own = select(Score).options(*whole).where(Score.evaluation_id == run.evaluation_id, Score.metric == metric)
    score = session.scalars(own).one_or_none()
    workers = workers_of(session, run.evaluation_id)
    return RunAgainOut(
        state=run.evaluation.shown_state,
        same_seeds=run.same_seeds,
        independent=workers.isdisjoint(workers_of(session, run.replaced_id)) if workers else None,
        same_models=_same_models(session, run) if run.same_seeds and score is not None else None,
        final_score=score and score.final_score,
        ci_low=score and score.ci_low,
        ci_high=score and score.ci_high,
        created_at=run.created_at,
        **_difference(score, counting),
    )


def _difference(score: Score | None, counting: Score | None) -> dict[str, float | bool | None]:
    if score is None or counting is None:
        return dict.fromkeys(("difference", "low", "high", "separated"))
    # Here, because numpy and scipy are a third of the memory of an API process, which little else there uses.
    from services.core.board.paired import HalvedScore, compare

    found = compare(*(HalvedScore(one.final_score, one.halves, one.subject_points) for one in (score, counting)))
    return {"difference": found.difference, "low": found.low, "high": found.high, "separated": found.separated}


def _same_models(session: ReadSession, run: VerifyingRun) -> int:
    """Count the seeds of which both evaluations made the same model."""
    other = aliased(MeasurementRow)
    both = and_(other.seed == MeasurementRow.seed, other.checkpoint_sha256 == MeasurementRow.checkpoint_sha256)
    statement = select(func.count()).select_from(MeasurementRow).join(other, both)
    of_both = (MeasurementRow.evaluation_id == run.evaluation_id, other.evaluation_id == run.replaced_id)
    return session.scalar(statement.where(*of_both)) or 0
