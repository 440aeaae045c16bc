"""What a happening is about, who is to know of it, and in which words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Select, select, union

from services.core.finals.sealed import is_sealed
from services.core.models import (
    Account,
    Announcement,
    Competition,
    Happening,
    HappeningKind,
    Phase,
    Reference,
    Registration,
    RegistrationState,
    Score,
    Seat,
    Submission,
    TeamMember,
    Visibility,
)
from services.core.store.database import ReadSession

__all__ = ["Subject", "accounts_of", "subjects_of"]

_UNSEEN = (Visibility.DRAFT, Visibility.DELETED)
_OF_SUBMISSION = {
    HappeningKind.ACCEPTED: "Your submission “{name}” waits for its runs.",
    HappeningKind.RUNNING: "Your submission “{name}” runs.",
    HappeningKind.SCORED: "Your submission “{name}” is scored: {score}.",
    HappeningKind.CHECKED: "Your notebook “{name}” passed its check.",
    HappeningKind.FAILED: "Your submission “{name}” failed. Its page says why.",
    HappeningKind.CANCELLED: "Your submission “{name}” is cancelled.",
}
_OF_COMPETITION = {
    HappeningKind.ANNOUNCED: "{competition} announces: {title}",
    HappeningKind.OPENED: "{competition}: phase {phase} is open.",
    HappeningKind.CLOSING: "{competition}: phase {phase} closes within a day.",
    HappeningKind.BOARD_CHANGED: "{competition}: the leaderboard of {phase} has changed as a whole.",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a happening is about. With several submissions of one evaluation, each is a subject of its own."""

    happening: Happening
    competition: Competition
    phase: Phase | None = None
    submission: Submission | None = None
    announcement: Announcement | None = None
    score: float | None = None

    @property
    def text(self) -> str:
        """One sentence for people."""
        if self.submission is not None:
            score = "see its page" if self.score is None else f"{self.score:.4f}"
            return _OF_SUBMISSION[self.happening.kind].format(name=self.submission.name, score=score)
        phase = "" if self.phase is None else self.phase.title or self.phase.slug
        words = {"competition": self.competition.title, "phase": phase}
        title = "" if self.announcement is None else self.announcement.title
        return _OF_COMPETITION[self.happening.kind].format(title=title, **words)

    @property
    def path(self) -> str:
        """The page about it."""
        if self.submission is not None:
            return f"/submissions/{self.submission.id}"
        page = f"/competitions/{self.competition.slug}"
        if self.announcement is not None:
            return f"{page}/announcements"
        board = self.happening.kind is HappeningKind.BOARD_CHANGED and self.phase is not None
        return f"{page}/leaderboard?phase={self.phase.slug}" if board and self.phase else page

    @property
    def data(self) -> dict[str, Any]:
        """What a webhook is told."""
        found: dict[str, Any] = {"competition": self.competition.slug, "page": self.path}
        if self.phase is not None:
            found["phase"] = self.phase.slug
        if self.submission is not None:
            found |= {"submission": str(self.submission.id), "name": self.submission.name}
            found |= {"team": self.submission.team.name}
        if self.score is not None:
            found["final_score"] = self.score
        if self.announcement is not None:
            found |= {"announcement": str(self.announcement.id), "title": self.announcement.title}
        return found


def subjects_of(session: ReadSession, happening: Happening) -> list[Subject]:
    """Find what a happening is about; nothing, if nobody is to know of it: it is hidden, sealed or gone."""
    competition = session.get(Competition, happening.competition_id)
    if competition is None or competition.visibility in _UNSEEN:
        return []
    if happening.kind is HappeningKind.ANNOUNCED:
        post = session.get(Announcement, happening.announcement_id)
        gone = post is None or post.retracted_at is not None
        return [] if gone else [Subject(happening, competition, announcement=post)]
    phase = session.get(Phase, happening.phase_id)
    if phase is None:
        return []
    if happening.evaluation_id is None:
        hidden = happening.kind is HappeningKind.BOARD_CHANGED and is_sealed(phase)
        return [] if hidden else [Subject(happening, competition, phase)]
    if is_sealed(phase):
        return []
    score = _score(session, happening, phase)
    own = (Submission.evaluation_id == happening.evaluation_id, Submission.reference == Reference.NONE)
    submissions = session.scalars(select(Submission).where(*own).order_by(Submission.created_at, Submission.id)).all()
    return [Subject(happening, competition, phase, one, score=score) for one in submissions]


def accounts_of(session: ReadSession, subject: Subject, *, after: UUID | None, limit: int) -> Sequence[Account]:
    """List who is to know of a subject, in order of their ids: a team, or everybody who takes part."""
    if subject.submission is not None:
        wanted = _members(subject.competition.id, subject.submission.team_id)
    else:
        wanted = _participants(subject.competition.id)
    people = select(Account).where(Account.id.in_(wanted), Account.deleted_at.is_(None)).order_by(Account.id)
    if after is not None:
        people = people.where(Account.id > after)
    return session.scalars(people.limit(limit)).all()


def _members(competition_id: UUID, team_id: UUID) -> CompoundSelect[UUID]:
    there = (Seat.competition_id == competition_id, Seat.team_id == team_id, Seat.left_at.is_(None))
    own = select(TeamMember.account_id).where(TeamMember.team_id == team_id)
    return union(select(Seat.account_id).where(*there), own)


def _participants(competition_id: UUID) -> CompoundSelect[UUID]:
    seated: Select[UUID] = select(Seat.account_id).where(Seat.competition_id == competition_id, Seat.left_at.is_(None))
    accepted = (Registration.competition_id == competition_id, Registration.state == RegistrationState.ACCEPTED)
    return union(seated, select(Registration.account_id).where(*accepted))


def _score(session: ReadSession, happening: Happening, phase: Phase) -> float | None:
    if happening.kind is not HappeningKind.SCORED:
        return None
    by = (Score.evaluation_id == happening.evaluation_id, Score.metric == phase.metric)
    return session.scalars(select(Score.final_score).where(*by)).one_or_none()
