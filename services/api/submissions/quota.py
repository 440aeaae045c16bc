"""How many submissions a team has left in a phase, and when the next is possible. Counted in the database alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from services.core.errors import LetheError
from services.core.models import Evaluation, FailureKind, Phase, Reference, Submission, Team
from services.core.store.database import ReadSession

__all__ = ["Quota", "QuotaExceeded", "next_slot_at", "quota_of", "require_slot"]

WINDOW = timedelta(hours=24)


class QuotaExceeded(LetheError):
    code = "quota_exceeded"
    status = 429


@dataclass(frozen=True, slots=True)
class Quota:
    """What a team has used of a phase's quota in the last 24 hours."""

    per_day: int
    used: int
    free_at: datetime | None  # when the next submission is possible: now, later, or never with a quota of 0

    @property
    def left(self) -> int:
        return max(0, self.per_day - self.used)


def quota_of(session: ReadSession, phase: Phase, team: Team, now: datetime) -> Quota:
    """Count the team's submissions of the last 24 hours; those that failed through our fault are given back."""
    times = session.scalars(
        select(Submission.created_at)
        .join(Evaluation, Submission.evaluation_id == Evaluation.id)
        .where(
            Submission.team_id == team.id,
            Submission.phase_id == phase.id,
            Submission.reference == Reference.NONE,
            Submission.created_at > now - WINDOW,
            or_(Evaluation.failure_kind.is_(None), Evaluation.failure_kind != FailureKind.PLATFORM),
        )
        .order_by(Submission.created_at.desc())
    ).all()
    return Quota(phase.quota_per_day, len(times), next_slot_at(list(times), phase.quota_per_day, now))


def require_slot(session: ReadSession, phase: Phase, team: Team, now: datetime) -> None:
    """Raise QuotaExceeded, saying when the next submission is possible, unless one is now."""
    quota = quota_of(session, phase, team, now)
    if quota.free_at is None:
        raise QuotaExceeded(f"Phase {phase.slug!r} takes no submissions: its quota is 0.", next_slot_at=None)
    if quota.free_at > now:
        raise QuotaExceeded(
            f"Team {team.name!r} has used its {phase.quota_per_day} submissions of the last 24 hours. "
            f"The next is possible at {quota.free_at:%Y-%m-%d %H:%M:%S} UTC.",
            next_slot_at=quota.free_at,
            retry_after_s=int((quota.free_at - now).total_seconds()) + 1,
        )


def next_slot_at(submitted_at: list[datetime], quota: int, now: datetime) -> datetime | None:
    """Say when a team may submit next, from the times of what counts, newest first; `now` when it may at once.

    None when it never may, because the quota is zero.
    """
    counted = [moment for moment in submitted_at if moment > now - WINDOW]
    if quota == 0:
        return None
    return now if len(counted) < quota else counted[quota - 1] + WINDOW
