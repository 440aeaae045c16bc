"""Compares two submissions to a phase by the paired test that also forms the leaderboard's tie groups."""

from dataclasses import asdict
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import exists, select

from services.api.kit.auth import Principal
from services.api.kit.finding import UNSEEN
from services.api.submissions.service import find_visible
from services.core.errors import Conflict
from services.core.finals.sealed import is_sealed
from services.core.models import Competition, LeaderboardEntry, Phase, Score, Submission
from services.core.store.database import ReadSession

__all__ = ["ComparisonOut", "NotComparable", "NotScored", "compare_scores", "score_of"]


class NotComparable(Conflict):
    code = "not_comparable"


class NotScored(Conflict):
    code = "not_scored"


class ComparedOut(BaseModel):
    """One of two compared submissions."""

    submission_id: UUID
    name: str
    team: str
    final_score: float

    @classmethod
    def of(cls, submission: Submission, score: Score) -> Self:
        """Make the JSON form of a compared submission."""
        return cls(
            submission_id=submission.id,
            name=submission.name,
            team=submission.team.name,
            final_score=score.final_score,
        )


class ComparisonOut(BaseModel):
    """The first submission's final score minus the second's, both measured against the same oracle."""

    first: ComparedOut
    second: ComparedOut
    metric: str
    difference: float
    low: float = Field(description="Lower end of the 95% interval of the difference if both were re-run.")
    high: float = Field(description="Upper end of that interval.")
    p_better: float = Field(description="Probability that the first is better if both were re-run.")
    p_better_elsewhere: float | None = Field(
        description="Probability that the first is better if both were re-run with a different forget set."
    )
    separated: bool = Field(description="Whether the difference is beyond noise at the 5% level.")


def compare_scores(session: ReadSession, who: Principal, one: UUID, other: UUID) -> ComparisonOut:
    """Compare two submissions. Raises NotFound, NotScored, or NotComparable if their phases differ."""
    # Here, because numpy and scipy are a third of the memory of an API process, which nothing else there uses.
    from services.core.board.paired import HalvedScore, compare

    submissions = [_find(session, who, submission_id) for submission_id in (one, other)]
    if submissions[0].phase_id != submissions[1].phase_id:
        raise NotComparable("The two submissions belong to different phases. Choose two submissions to one phase.")
    scores = [score_of(session, submission) for submission in submissions]
    found = compare(*(HalvedScore(score.final_score, score.halves, score.subject_points) for score in scores))
    first, second = (ComparedOut.of(*pair) for pair in zip(submissions, scores, strict=True))
    return ComparisonOut(first=first, second=second, metric=scores[0].metric, **asdict(found))


def _find(session: ReadSession, who: Principal, submission_id: UUID) -> Submission:
    """Find a submission that is on a leaderboard which everybody sees, or that the caller may see."""
    stands = exists().where(LeaderboardEntry.submission_id == submission_id, LeaderboardEntry.retired_at.is_(None))
    seen = Submission.phase.has(Phase.competition.has(Competition.visibility.not_in(UNSEEN)))
    submission = session.scalars(select(Submission).where(Submission.id == submission_id, stands, seen)).one_or_none()
    if submission is None or is_sealed(submission.phase):
        return find_visible(session, who, submission_id)
    return submission


def score_of(session: ReadSession, submission: Submission) -> Score:
    """Return the score by the metric that the phase ranks by. Raises NotScored."""
    score = session.scalars(
        select(Score).where(Score.evaluation_id == submission.evaluation_id, Score.metric == submission.phase.metric)
    ).one_or_none()
    if score is None:
        raise NotScored(f"Submission {submission.id} has no score yet. Come back when it is scored.")
    return score
