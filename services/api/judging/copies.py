"""Finds near-identical code of other teams when code comes in, and lists it for organisers.

Entries that move weights alike are found by the scorer (`scorer.copies`) and stand in the same list.

A look costs the same however many submissions there are: a few by each number that alike code shares, earliest first.
"""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Select, exists, select
from sqlalchemy.orm import joinedload, undefer

from services.core.models import CodeBand, Competition, Copy, CopyKind, Submission
from services.core.store.database import ReadSession, WriteSession
from services.core.submission.form import Form, bands_of, likeness

__all__ = ["CopyOut", "copies_in", "note_copies"]

ALIKE = 0.75
LOOKED_AT = 8  # other teams' submissions by each number
MOST = 3  # that are noted for one submission


class CopiedOut(BaseModel):
    """One of two near-identical submissions."""

    submission_id: UUID
    submission: str
    team: str
    phase: str
    submitted_at: datetime

    @classmethod
    def of(cls, row: Submission) -> Self:
        """Make the JSON form of a submission."""
        return cls(
            submission_id=row.id,
            submission=row.name,
            team=row.team.name,
            phase=row.phase.slug,
            submitted_at=row.created_at,
        )


class CopyOut(BaseModel):
    """A submission that is nearly another team's earlier one."""

    later: CopiedOut
    earlier: CopiedOut
    kind: CopyKind = Field(
        description="`code`: their code is nearly the same. `weights`: their runs move the weights of the original "
        "models nearly alike, on the mean."
    )
    same_code: bool = Field(description="Whether both are the same apart from comments and layout.")
    likeness: float = Field(
        description="From 0 to 1. Of code: the share that both have, whatever variables are called and values are. Of "
        "weights: 1 less the distance between both movements over their length, without what the noise of runs adds."
    )

    @classmethod
    def of(cls, row: Copy) -> Self:
        """Make the JSON form of a copy."""
        return cls(
            later=CopiedOut.of(row.submission),
            earlier=CopiedOut.of(row.other),
            kind=row.kind,
            same_code=row.same_code,
            likeness=row.likeness,
        )


def note_copies(session: WriteSession, submission: Submission, form: Form) -> None:
    """Note which earlier submissions of other teams a new one is like, unless its team had the same code before."""
    competition_id, numbers = submission.phase.competition_id, bands_of(form)
    of_form = exists().where(
        CodeBand.competition_id == competition_id,
        CodeBand.number == numbers[0],
        CodeBand.team_id == submission.team_id,
    )
    if session.scalar(select(of_form)):
        return
    for other, alike in _alike(session, submission, form, numbers):
        session.add(
            Copy(
                competition_id=competition_id,
                submission_id=submission.id,
                other_id=other.id,
                same_code=other.code_sha256 == form.sha256,
                likeness=alike,
            )
        )
    for number in set(numbers):
        session.add(
            CodeBand(
                competition_id=competition_id,
                number=number,
                created_at=submission.created_at,
                submission_id=submission.id,
                team_id=submission.team_id,
            )
        )


def _alike(
    session: ReadSession, submission: Submission, form: Form, numbers: list[int]
) -> list[tuple[Submission, float]]:
    """Find the earlier submissions that are most like a form, the likest first."""
    ids: set[UUID] = set()
    for number in numbers:
        band = select(CodeBand.submission_id).where(
            CodeBand.competition_id == submission.phase.competition_id,
            CodeBand.number == number,
            CodeBand.team_id != submission.team_id,
        )
        ids.update(session.scalars(band.order_by(CodeBand.created_at).limit(LOOKED_AT)))
    others = select(Submission).where(Submission.id.in_(ids)).options(undefer(Submission.sketch))
    rows = session.scalars(others.order_by(Submission.created_at, Submission.id))
    found = [(other, alike) for other in rows if (alike := _likeness(form, other)) >= ALIKE]
    return sorted(found, key=lambda pair: -pair[1])[:MOST]


def _likeness(form: Form, other: Submission) -> float:
    if other.code_sha256 == form.sha256:
        return 1.0
    return 0.0 if form.sketch is None or other.sketch is None else likeness(form.sketch, other.sketch)


def copies_in(competition: Competition) -> Select[Copy]:
    """Select what is listed for the organiser of a competition."""
    both = (
        joinedload(one).options(joinedload(Submission.team), joinedload(Submission.phase))
        for one in (Copy.submission, Copy.other)
    )
    return select(Copy).options(*both).where(Copy.competition_id == competition.id)
