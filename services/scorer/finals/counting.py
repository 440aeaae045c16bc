"""What an organiser reads of a final before and while it runs: who would enter, and how far the runs are."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from services.core.finals.sealed import phases_of
from services.core.finals.selections import Choice, Chooser
from services.core.models import Entered, Evaluation, Final, Score, Submission, SubmissionState
from services.core.models.stored import FinalPreview, FinalProgress
from services.core.queue.workers import serving
from services.core.store.database import Database, ReadSession, clock

__all__ = ["count_teams", "progress_of"]

PORTION = 100  # teams that are looked at before others have a turn
HOUR_S = 3600.0


@dataclass(slots=True)
class _Tally:
    """What was counted so far."""

    teams: int = 0
    by_default: int = 0
    left_out: int = 0
    entries: int = 0
    run_s: float = 0.0  # of one run of each entry

    def add(self, session: ReadSession, choice: Choice) -> None:
        if not choice.submissions:
            self.left_out += 1
            return
        self.teams += 1
        self.by_default += choice.by_default
        self.entries += len(choice.submissions)
        self.run_s += _run_s(session, choice)


def count_teams(database: Database, final_id: UUID) -> Iterator[FinalPreview | None]:
    """Count what would enter a final, a portion of teams at a time: None after each, and in the end the preview."""
    tally, after = _Tally(), None
    while True:
        with database.read() as session:
            final = session.get_one(Final, final_id)
            chooser = Chooser(session, final)
            portion = chooser.teams(after=after, limit=PORTION)
            for team_id in portion:
                tally.add(session, chooser.of(team_id))
            if len(portion) < PORTION:
                yield _preview(session, final, tally)
                return
        after = portion[-1]
        yield None


def progress_of(session: ReadSession, final: Final) -> FinalProgress:
    """Count the entries of a final in each state."""
    each = (
        select(Evaluation.shown_state.label("state"))
        .join(Submission, Submission.evaluation_id == Evaluation.id)
        .join(Entered, Entered.submission_id == Submission.id)
        .where(Submission.phase_id.in_([phase.id for phase in phases_of(session, final)]))
        .subquery()
    )
    counted = session.execute(select(each.c.state, func.count()).group_by(each.c.state))
    states = {SubmissionState(state): count for state, count in counted}
    total = sum(states.values())
    ended = sum(count for state, count in states.items() if state.ended)
    return FinalProgress(
        at=clock(session),
        entries=total,
        states={state.value: count for state, count in states.items()},
        ended=ended,
        complete=final.entered_at is not None and ended == total,
    )


def _run_s(session: ReadSession, choice: Choice) -> float:
    """Add up how long one run of each entry took where it was scored."""
    of = select(func.max(Score.run_s)).group_by(Score.evaluation_id)
    return sum(session.scalars(of.where(Score.evaluation_id.in_([one.evaluation_id for one in choice.submissions]))))


def _preview(session: ReadSession, final: Final, tally: _Tally) -> FinalPreview:
    seeds = sum(phase.seeds for phase in phases_of(session, final))
    run_hours = tally.run_s * seeds / HOUR_S
    slots = sum(worker.slots for worker in serving(session, final.phase.device, final.phase.environment))
    return FinalPreview(
        at=clock(session),
        teams=tally.teams,
        by_default=tally.by_default,
        left_out=tally.left_out,
        entries=tally.entries,
        runs=tally.entries * seeds,
        run_hours=run_hours,
        hours=run_hours / slots if slots else None,
    )
