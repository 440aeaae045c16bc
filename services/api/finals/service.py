"""Reads finals for those who may, and marks submissions for their teams."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from services.api.competitions.finding import find_phase
from services.api.competitions.rights import require_writable
from services.api.finals.schemas import (
    FinalEntryOut,
    FinalMarkOut,
    FinalOut,
    FinalPhaseOut,
    FinalPreviewOut,
    FinalRunOut,
    FinalTeamOut,
    JointOut,
    SelectedOut,
    SelectionOut,
)
from services.api.kit.auth import Principal
from services.core.board.off import is_off
from services.core.errors import Unavailable
from services.core.finals.sealed import final_of, phases_of
from services.core.finals.selections import Chooser, draws_from, is_open, marked_by, selection_ends, sources_of
from services.core.models import Consent, Entered, Final, JointRow, Selection, Submission, Team
from services.core.store.database import Database, ReadSession, utc_now

__all__ = [
    "PreviewNotReady",
    "find_final",
    "joint_board",
    "marks_of",
    "preview_of",
    "selection_of",
    "show_final",
    "teams_in",
    "writable_final",
]

FRESH = timedelta(seconds=30)  # a preview that is older is counted anew
RETRY_AFTER_S = 1


class PreviewNotReady(Unavailable):
    code = "final_preview_not_ready"


def find_final(session: ReadSession, slug: str, phase: str, who: Principal | None = None) -> Final:
    """Find a final that the caller may see by any of its phases. Raises NotFound or NotAFinal."""
    return final_of(find_phase(session, slug, phase, who=who))


def writable_final(session: ReadSession, slug: str, phase: str, who: Principal) -> Final:
    """Find a final to change something of it. Raises NotFound, NotAFinal or CompetitionArchived."""
    final = find_final(session, slug, phase, who)
    require_writable(final.phase.competition)
    return final


def show_final(session: ReadSession, final: Final) -> FinalOut:
    """Make the JSON form of a final: what everybody may know."""
    return FinalOut(
        competition=final.phase.competition.slug,
        phase=final.phase.slug,
        phases=show_phases(session, final),
        selects=final.selects,
        draws_from=[phase.slug for phase in sources_of(session, final)],
        is_open=is_open(final, utc_now()),
        closes_at=selection_ends(final),
        started_at=final.started_at,
        published_at=final.published_at,
        code_licence=final.phase.competition.code_licence,
        code_licence_required=final.phase.competition.code_licence_required,
        commitment=final.commitment,
        secret=final.secret.hex() if final.revealed_at else None,
    )


def show_phases(session: ReadSession, final: Final) -> list[FinalPhaseOut]:
    """List the phases of a final with their benchmarks."""
    return [
        FinalPhaseOut(phase=one.slug, benchmark=one.benchmark.name, digest=one.benchmark.digest)
        for one in phases_of(session, final)
    ]


def selection_of(session: ReadSession, final: Final, team: Team) -> SelectionOut:
    """Tell what a team enters into a final, or has entered."""
    if final.started_at is None:
        choice = Chooser(session, final).of(team.id)
        entries, by_default = list(choice.submissions), choice.by_default
    else:
        rows = _entered_by(session, final, [team.id])
        entries = [session.get_one(Submission, row.selected_id) for row in rows]
        by_default = any(row.by_default for row in rows)
    left_out = [one for one in marked_by(session, final, team.id) if is_off(session, one)]
    return SelectionOut(
        team=team.name,
        selects=final.selects,
        is_open=is_open(final, utc_now()),
        closes_at=selection_ends(final),
        by_default=by_default,
        entries=[_selected(one) for one in entries],
        left_out=[_selected(one) for one in left_out],
    )


def marks_of(session: ReadSession, submissions: Sequence[Submission]) -> dict[UUID, list[FinalMarkOut]]:
    """Tell of each submission which finals it could enter, and whether it does."""
    competitions = {one.phase.competition_id for one in submissions}
    finals = session.scalars(select(Final).where(Final.competition_id.in_(competitions))).all()
    if not finals:
        return {}
    ids = [one.id for one in submissions]
    marked = session.execute(
        select(Selection.final_id, Selection.submission_id).where(Selection.submission_id.in_(ids))
    )
    entered = session.execute(
        select(Final.id, Entered.selected_id)
        .join(Submission, Submission.phase_id == Final.phase_id)
        .join(Entered, Entered.submission_id == Submission.id)
        .where(Entered.selected_id.in_(ids))
    )
    agreed = session.scalars(select(Consent).where(Consent.submission_id.in_(ids)))
    licences = {one.submission_id: one.licence for one in agreed}
    pairs, there, now = {tuple(row) for row in marked}, {tuple(row) for row in entered}, utc_now()
    return {
        one.id: [
            FinalMarkOut(
                phase=final.phase.slug,
                is_open=is_open(final, now),
                selected=(final.id, one.id) in pairs,
                entered=(final.id, one.id) in there,
                licence=licences.get(one.id),
            )
            for final in finals
            if final.competition_id == one.phase.competition_id and draws_from(final, one.phase)
        ]
        for one in submissions
    }


def preview_of(session: ReadSession, database: Database, final: Final) -> FinalPreviewOut:
    """Return the newest preview, and ask the scorer for another one if it is old. Raises PreviewNotReady."""
    preview, asked = final.preview, final.preview_asked_at
    is_asked = asked is not None and (preview is None or preview.at < asked)
    is_old = preview is None or preview.at < utc_now() - FRESH
    if final.started_at is None and is_old and not is_asked:
        with database.write() as writing:
            writing.get_one(Final, final.id).preview_asked_at = utc_now()
        is_asked = True
    if preview is None:
        raise PreviewNotReady(
            f"The preview is being counted. Ask again in {RETRY_AFTER_S} s.", retry_after_s=RETRY_AFTER_S
        )
    return FinalPreviewOut(**preview.model_dump(), behind=is_asked and final.started_at is None)


def teams_in(session: ReadSession, final: Final, *, after: UUID | None, limit: int) -> list[tuple[UUID, FinalTeamOut]]:
    """List teams with what they enter, or have entered, in the order of their ids."""
    chooser = Chooser(session, final)
    ids = chooser.teams(after=after, limit=limit)
    teams = {team.id: team.name for team in session.scalars(select(Team).where(Team.id.in_(ids)))}
    if final.started_at is None:
        choices = {one: chooser.of(one) for one in ids}
        return [
            (
                one,
                FinalTeamOut(
                    team=teams[one],
                    by_default=choices[one].by_default,
                    entries=[_entry(submission) for submission in choices[one].submissions],
                ),
            )
            for one in ids
        ]
    slugs = {phase.id: phase.slug for phase in phases_of(session, final)}
    rows = _entered_by(session, final, ids, slugs)
    return [(one, _team(teams[one], [row for row in rows if row.submission.team_id == one], slugs)) for one in ids]


def joint_board(session: ReadSession, final: Final, *, after: int, limit: int) -> tuple[int, list[JointOut]]:
    """Read a page of a final's joint board; return how many teams it has, and those behind position `after`."""
    of = JointRow.final_id == final.id
    total = session.scalar(select(func.max(JointRow.position)).where(of)) or 0
    page = select(JointRow).where(of, JointRow.position.between(after + 1, after + limit)).order_by(JointRow.position)
    return total, [
        JointOut(
            team=row.team.name,
            rank=row.rank,
            mean_rank=row.mean_rank,
            mean_low=row.mean_low,
            mean_high=row.mean_high,
            places=row.places,
        )
        for row in session.scalars(page)
    ]


def _entered_by(
    session: ReadSession, final: Final, team_ids: Sequence[UUID], phases: Iterable[UUID] | None = None
) -> Sequence[Entered]:
    """List the entries of some teams in the phases of a final, or only in the one that names it."""
    wanted = [final.phase_id] if phases is None else list(phases)
    statement = select(Entered).join(Submission, Submission.id == Entered.submission_id)
    statement = statement.where(Submission.phase_id.in_(wanted), Submission.team_id.in_(team_ids))
    return session.scalars(statement.order_by(Submission.created_at, Submission.id)).all()


def _selected(submission: Submission) -> SelectedOut:
    return SelectedOut(submission_id=submission.id, name=submission.name, phase=submission.phase.slug)


def _entry(selected: Submission, runs: Sequence[FinalRunOut] = ()) -> FinalEntryOut:
    return FinalEntryOut(**_selected(selected).model_dump(), runs=list(runs))


def _team(name: str, rows: Sequence[Entered], slugs: dict[UUID, str]) -> FinalTeamOut:
    order = list(slugs)
    entries: dict[UUID, list[Entered]] = {}
    for row in rows:
        entries.setdefault(row.selected_id, []).append(row)
    return FinalTeamOut(
        team=name,
        by_default=any(row.by_default for row in rows),
        entries=[
            _entry(
                some[0].selected,
                [_run(one, slugs) for one in sorted(some, key=lambda one: order.index(one.submission.phase_id))],
            )
            for some in entries.values()
        ],
    )


def _run(row: Entered, slugs: dict[UUID, str]) -> FinalRunOut:
    submission = row.submission
    return FinalRunOut(
        phase=slugs[submission.phase_id], submission_id=submission.id, state=submission.evaluation.shown_state
    )
