"""Counts a team's remaining submissions to a phase, and finds the time of the next. Only the database counts.

A submission counts from its upload. It stops counting if the platform fails to run it, or if it is cancelled before its
first run starts, after which no run can start. So every evaluation that starts is counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from services.core.errors import LetheError
from services.core.models import Evaluation, FailureKind, Phase, Reference, Submission, Team
from services.core.store.database import ReadSession

__all__ = ["Quota", "QuotaExceeded", "Use", "next_slot_at", "quota_of", "require_slot", "use_of"]

WINDOW = timedelta(hours=24)
MAX_GIVEN_BACK = 50  # cancelled submissions in the window that do not count, because every upload is stored


class QuotaExceeded(LetheError):
    code = "quota_exceeded"
    status = 429


@dataclass(frozen=True, slots=True)
class Quota:
    """A team's use of a phase's quota in the last 24 hours, and of the one in all, if the phase has one."""

    per_day: int
    used: int
    free_at: datetime | None  # time of the next possible submission: now or later; None if there will be none
    left_in_all: int | None = None

    @property
    def left(self) -> int:
        """Return the number of submissions that are possible now."""
        today = max(0, self.per_day - self.used)
        return today if self.left_in_all is None else min(today, self.left_in_all)


@dataclass(frozen=True, slots=True)
class Use:
    """How many submissions of a team to a phase count: of the last 24 hours, and in all."""

    today: int
    in_all: int


def quota_of(session: ReadSession, phase: Phase, team: Team, now: datetime) -> Quota:
    """Count the team's submissions of the last 24 hours, and in all if that is limited."""
    times = _today(session, phase, team.id, now)
    free_at = next_slot_at(times, phase.quota_per_day, now)
    if phase.quota_total is None:
        return Quota(phase.quota_per_day, len(times), free_at)
    left = phase.quota_total - _in_all(session, phase, team.id, phase.quota_total)
    return Quota(phase.quota_per_day, len(times), free_at if left else None, left)


def use_of(session: ReadSession, phase: Phase, team_id: UUID, now: datetime) -> Use:
    """Count what a team has used of a phase's quota, without regard to the limits."""
    return Use(len(_today(session, phase, team_id, now)), _in_all(session, phase, team_id, None))


def _counted(phase: Phase, team_id: UUID) -> Select[datetime, bool]:
    return (
        select(Submission.created_at, Evaluation.never_started)
        .join(Evaluation, Submission.evaluation_id == Evaluation.id)
        .where(
            Submission.team_id == team_id,
            Submission.phase_id == phase.id,
            Submission.reference == Reference.NONE,
            or_(Evaluation.failure_kind.is_(None), Evaluation.failure_kind != FailureKind.PLATFORM),
        )
    )


def _today(session: ReadSession, phase: Phase, team_id: UUID, now: datetime) -> list[datetime]:
    today = _counted(phase, team_id).where(Submission.created_at > now - WINDOW)
    rows = session.execute(today.order_by(Submission.created_at.desc())).all()
    given_back = [row.created_at for row in rows if row.never_started]
    started = [row.created_at for row in rows if not row.never_started]
    return sorted(started + given_back[MAX_GIVEN_BACK:], reverse=True)


def _in_all(session: ReadSession, phase: Phase, team_id: UUID, most: int | None) -> int:
    started = _counted(phase, team_id).where(~Evaluation.never_started).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(started)) or 0


def require_slot(session: ReadSession, phase: Phase, team: Team, now: datetime) -> None:
    """Raise QuotaExceeded, with the time of the next possible submission, unless one is possible now."""
    quota = quota_of(session, phase, team, now)
    if quota.left_in_all == 0:
        raise QuotaExceeded(
            f"Team {team.name!r} has used its {phase.quota_total} submissions to phase {phase.slug!r}. No more follow.",
            next_slot_at=None,
        )
    if quota.free_at is None:
        raise QuotaExceeded(f"Phase {phase.slug!r} accepts no submissions: its quota is 0.", next_slot_at=None)
    if quota.free_at > now:
        raise QuotaExceeded(
            f"Team {team.name!r} has used its quota of {phase.quota_per_day} submissions in 24 hours. "
            f"Submit again at {quota.free_at:%Y-%m-%d %H:%M:%S} UTC or later.",
            next_slot_at=quota.free_at,
            retry_after_s=int((quota.free_at - now).total_seconds()) + 1,
        )


def next_slot_at(submitted_at: list[datetime], quota: int, now: datetime) -> datetime | None:
    """Return when a team may submit next, given the times of its counted submissions, newest first.

    The result is `now` if it may submit at once, and None if it never may because the quota is 0.
    """
    counted = [moment for moment in submitted_at if moment > now - WINDOW]
    if quota == 0:
        return None
    return now if len(counted) < quota else counted[quota - 1] + WINDOW
