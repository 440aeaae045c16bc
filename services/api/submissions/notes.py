"""Notes and tags of submissions, which the team writes and only those see who may see the submission."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from services.api.competitions.rights import require_writable
from services.api.kit.auth import Principal
from services.api.kit.policy import Forbidden
from services.api.kit.schemas import Input, Label, in_words, presentable
from services.api.submissions.service import find_visible
from services.api.teams.seats import is_member
from services.core.models import Submission, SubmissionNote
from services.core.store.database import WriteSession

__all__ = ["NotYourSubmission", "Note", "Tag", "write_note"]

MAX_NOTE, MAX_TAGS, MAX_TAG = 2000, 10, 40

Tag = Annotated[
    Label, StringConstraints(max_length=MAX_TAG), in_words(f"give each tag in 1 to {MAX_TAG} visible characters")
]


class Note(Input):
    """What a team notes about its submission."""

    note: Annotated[str, StringConstraints(max_length=MAX_NOTE, strip_whitespace=True), AfterValidator(presentable)] = (
        Field("", description="Plain text; nobody but the team and those who run or review the competition sees it.")
    )
    tags: list[Tag] = Field(default_factory=list, max_length=MAX_TAGS)


class NotYourSubmission(Forbidden):
    code = "not_your_submission"


def write_note(session: WriteSession, who: Principal, submission_id: UUID, note: Note) -> Submission:
    """Replace note and tags. Raises NotFound, CompetitionArchived, or NotYourSubmission unless the team writes."""
    submission = find_visible(session, who, submission_id)
    if not is_member(session, who, submission.team_id):
        raise NotYourSubmission("Only the team of a submission writes notes about it. Read them here.")
    require_writable(submission.phase.competition)
    session.merge(SubmissionNote(submission_id=submission.id, note=note.note, tags=_once(note.tags)))
    session.flush()
    return submission


def _once(tags: Collection[str]) -> list[str]:
    """Keep the first of tags that are the same apart from case."""
    kept = {tag.casefold(): tag for tag in reversed(list(tags))}
    return list(reversed(kept.values()))
