"""Which submissions a team enters into a final: those that it marked, or else its best ranked one.

A team marks submissions until the selection closes: when the organiser starts the final, or when its phase opens. What
is withdrawn or disqualified counts no more; if nothing that a team marked is left, its best ranked one enters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from services.core.board import counting, pointers
from services.core.board.counting import BestEntry
from services.core.board.off import is_off, off_board
from services.core.board.order import Submitted, place_of, time_ratio, unranked_kind, unranked_reason
from services.core.board.standings import lock_board
from services.core.errors import Conflict
from services.core.models import (
    Act,
    Final,
    Phase,
    PhaseKind,
    Reference,
    Selection,
    Submission,
    SubmissionKind,
)
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession, clock

__all__ = [
    "Choice",
    "Chooser",
    "NotSelectable",
    "SelectionClosed",
    "TooManySelected",
    "draws_from",
    "is_open",
    "lock_final",
    "mark",
    "marked_by",
    "selection_ends",
    "sources_of",
    "unmark",
]


class SelectionClosed(Conflict):
    code = "selection_closed"


class NotSelectable(Conflict):
    code = "not_selectable"


class TooManySelected(Conflict):
    code = "too_many_selected"


@dataclass(frozen=True, slots=True)
class Choice:
    """What enters a final for one team, the earliest mark first."""

    submissions: Sequence[Submission]
    by_default: bool


def lock_final(session: WriteSession, final: Final) -> Final:
    """Lock a final by the phase that names it, and read it anew."""
    lock_board(session, final.phase)
    session.refresh(final)
    return final


def is_open(final: Final, now: datetime) -> bool:
    """Tell whether teams may mark submissions."""
    return final.started_at is None and now < final.phase.opens_at


def selection_ends(final: Final) -> datetime:
    """Return when the selection ends or ended: when the phase opens, or when the final was started if earlier."""
    return min(final.phase.opens_at, final.started_at or final.phase.opens_at)


def sources_of(session: ReadSession, final: Final) -> list[Phase]:
    """List the phases whose submissions can enter a final, the one that opened last first."""
    of_competition = select(Phase).where(Phase.competition_id == final.competition_id)
    newest_first = of_competition.order_by(Phase.opens_at.desc(), Phase.slug)
    return [phase for phase in session.scalars(newest_first) if draws_from(final, phase)]


def draws_from(final: Final, phase: Phase) -> bool:
    """Tell whether submissions to a phase of the same competition can enter a final."""
    if final.draws_from is None:
        return phase.kind is PhaseKind.FEEDBACK
    return phase.slug in final.draws_from


def marked_by(session: ReadSession, final: Final, team_id: UUID) -> list[Submission]:
    """List what a team marked, the earliest mark first, also what is off the board by now."""
    of_team = (Selection.final_id == final.id, Selection.team_id == team_id)
    statement = select(Submission).join(Selection, Selection.submission_id == Submission.id).where(*of_team)
    return list(session.scalars(statement.order_by(Selection.created_at, Submission.id)))


def mark(session: WriteSession, final: Final, submission: Submission, account_id: UUID) -> None:
    """Enter a submission into a final for its team; do nothing if it is marked already.

    Raises SelectionClosed, NotSelectable or TooManySelected.
    """
    _require_open(session, final)
    session.refresh(submission, ["team_id"])  # its team may have merged while we waited
    marked = marked_by(session, final, submission.team_id)
    if submission in marked:
        return
    _require_selectable(session, final, submission)
    counting = [one for one in marked if not is_off(session, one)]
    for one in counting:
        if one.code_sha256 == submission.code_sha256:
            raise NotSelectable(f"It is the same code as {one.name!r}, which your team entered. Nothing is left to do.")
    if len(counting) >= final.selects:
        names = ", ".join(repr(one.name) for one in counting)
        raise TooManySelected(
            f"The final takes {final.selects} submission{'s' * (final.selects > 1)} of a team, and yours entered "
            f"{names}. Take one back first."
        )
    selection = Selection(
        final_id=final.id, submission_id=submission.id, team_id=submission.team_id, account_id=account_id
    )
    session.add(selection)
    session.flush()
    _record(session, Act.ENTRY_SELECTED, final, submission, account_id)


def unmark(session: WriteSession, final: Final, submission: Submission, account_id: UUID) -> None:
    """Take a submission back from a final; do nothing if it is not marked. Raises SelectionClosed."""
    _require_open(session, final)
    of_entry = (Selection.final_id == final.id, Selection.submission_id == submission.id)
    if session.scalar(select(Selection.team_id).where(*of_entry)) is None:
        return
    session.execute(delete(Selection).where(*of_entry))
    _record(session, Act.ENTRY_UNSELECTED, final, submission, account_id)


class Chooser:
    """Tells what enters a final for one team after another, as of one transaction."""

    def __init__(self, session: ReadSession, final: Final) -> None:
        self.sources = sources_of(session, final)
        self._session, self._final = session, final
        self._retrainings = pointers.retrainings(session, [one.id for one in self.sources])

    def teams(self, *, after: UUID | None, limit: int) -> list[UUID]:
        """List teams that submitted something, in the order of their ids."""
        theirs = (
            Submission.phase_id.in_([one.id for one in self.sources]),
            Submission.reference == Reference.NONE,
        )
        statement = select(Submission.team_id).where(*theirs).distinct().order_by(Submission.team_id).limit(limit)
        return list(self._session.scalars(statement if after is None else statement.where(Submission.team_id > after)))

    def of(self, team_id: UUID) -> Choice:
        """Choose for a team. Code that is the same apart from comments and layout enters once."""
        marked = [one for one in self._counting(team_id) if self._final.phase.notebooks or not _is_notebook(one)]
        if marked:
            return Choice(_different(marked)[: self._final.selects], by_default=False)
        best = next((one for source in self.sources if (one := self._best_ranked(source, team_id))), None)
        return Choice([best.submission] if best else [], by_default=True)

    def _counting(self, team_id: UUID) -> Sequence[Submission]:
        of_team = (Selection.final_id == self._final.id, Selection.team_id == team_id)
        statement = select(Submission).join(Selection, Selection.submission_id == Submission.id)
        statement = statement.where(*of_team, ~off_board()).order_by(Selection.created_at, Submission.id)
        return self._session.scalars(statement).all()

    def _best_ranked(self, phase: Phase, team_id: UUID) -> BestEntry | None:
        runs = counting.runs_of(self._session, phase, team_id=team_id)
        found = counting.competing(self._session, phase, phase.metric, runs, team_id=team_id)
        ranked = [one for one in found if self._can_enter(phase, one)]
        return min(ranked, key=_place, default=None)

    def _can_enter(self, phase: Phase, one: BestEntry) -> bool:
        ratio = time_ratio(one.score, self._retrainings[phase.id])
        kind = unranked_kind(one.submission.reference, one.score.flags)
        accepted = self._final.phase.notebooks or not _is_notebook(one.submission)
        return accepted and unranked_reason(kind, ratio.value, phase.max_time_ratio) is None


def _place(one: BestEntry) -> tuple[float, Submitted]:
    return place_of(one.score.final_score, Submitted(one.submission.created_at, one.submission.id))


def _is_notebook(submission: Submission) -> bool:
    return submission.kind is SubmissionKind.NOTEBOOK


def _different(submissions: Iterable[Submission]) -> list[Submission]:
    found: dict[str, Submission] = {}
    for one in submissions:
        found.setdefault(one.code_sha256, one)
    return list(found.values())


def _require_open(session: WriteSession, final: Final) -> None:
    """Lock the final, so that nobody starts it meanwhile, and raise SelectionClosed if it has closed."""
    lock_final(session, final)
    if not is_open(final, clock(session)):
        why = "the organiser has started the final" if final.started_at else "the selection has ended"
        raise SelectionClosed(f"Entries of {final.phase.slug!r} are fixed: {why}. Ask the organiser.")


def _require_selectable(session: ReadSession, final: Final, submission: Submission) -> None:
    problem = _problem(session, final, submission)
    if problem is not None:
        raise NotSelectable(f"Submission {submission.name!r} cannot enter {final.phase.slug!r}: {problem}")


def _problem(session: ReadSession, final: Final, submission: Submission) -> str | None:
    """Say why a submission cannot enter, and what to do instead; None if it can."""
    sources = sources_of(session, final)
    if submission.reference is not Reference.NONE:
        return "it is a reference row. Select a team's entry."
    if submission.phase_id not in [one.id for one in sources]:
        names = ", ".join(one.slug for one in sources) or "none"
        return f"the final draws from other phases ({names}). Select a submission to one of them."
    if is_off(session, submission):
        return "it is withdrawn or disqualified. Select another one."
    if not submission.evaluation.is_scored:
        return f"it is {submission.evaluation.shown_state}, not scored. Select it once it is scored, or another one."
    if _is_notebook(submission) and not final.phase.notebooks:
        return "the final takes no notebooks. Select a module or an archive."
    return None


def _record(session: WriteSession, act: Act, final: Final, submission: Submission, account_id: UUID) -> None:
    details = {"phase": final.phase.slug, "submission": str(submission.id), "team": str(submission.team_id)}
    record(session, act, competition_id=final.competition_id, account_id=account_id, details=details)
