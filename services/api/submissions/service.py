"""Accepting submissions, showing them to those who may see them, and cancelling them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from services.api.competitions.finding import HELD_PHASE
from services.api.competitions.rights import organises, require_organiser, reviews
from services.api.finals.service import marks_of
from services.api.judging.copies import note_copies
from services.api.kit.auth import Principal
from services.api.people.registering import enter
from services.api.submissions import repeats
from services.api.submissions.admission import SubmitRequest, admit
from services.api.submissions.repeats import Once
from services.api.submissions.schemas import QueuePlaceOut, Rights, SubmissionOut, SubmittedOut
from services.api.teams import seats
from services.core.board import counting, off, pointers
from services.core.board.exclusions import final_has_started
from services.core.board.standings import lock_board
from services.core.errors import Conflict, NotFound
from services.core.finals.sealed import hidden_entries, is_hidden
from services.core.models import (
    Competition,
    Evaluation,
    LeaderboardEntry,
    Phase,
    Reference,
    SharedSubmission,
    State,
    Submission,
    SubmissionKind,
    SubmissionNote,
    Team,
)
from services.core.queue import places
from services.core.queue.lifecycle import ENDED, cancel, lock_evaluation, queue_evaluation, shared_evaluation
from services.core.settings import SandboxKind
from services.core.store.database import Database, ReadSession, WriteSession, utc_now
from services.core.submission.certificate import Claim
from services.core.submission.form import Form

__all__ = [
    "AlreadyEnded",
    "ReceivedFile",
    "accept",
    "cancel_submission",
    "find_visible",
    "own_submissions",
    "sees_data",
    "show",
    "show_with_place",
]


class AlreadyEnded(Conflict):
    code = "already_ended"


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that was received, checked and stored."""

    blob: str
    size_bytes: int
    kind: SubmissionKind
    claim: Claim | None
    form: Form
    warnings: list[str]


def accept(
    database: Database, request: SubmitRequest, sandbox: SandboxKind, upload: ReceivedFile, once: Once | None
) -> SubmittedOut:
    """Insert submission, evaluation and shards in one transaction, under the lock of the team's quota.

    The team's own code may have an evaluation already, apart from comments and layout. If that is scored, the
    submission is on the leaderboard at once. Nothing is shared with other teams; code that is like theirs is noted.
    What was sent before under the same key is answered as it was then.
    """
    with database.write() as session:
        locked = _lock_teams(session, request)
        if once and (kept := repeats.find(session, request, once.key)):
            once.require_same(kept)
            return SubmittedOut.model_validate(kept.answer)
        phase, team = admit(session, request, sandbox, HELD_PHASE)
        if team.id not in locked:
            raise seats.TeamChanged("Your team has just merged with another one. Submit again.")
        submission = _insert(session, request, phase, team, upload)
        shown = show(session, request.who, [submission])[0]
        answer = SubmittedOut(**dict(shown), warnings=upload.warnings)
        if once:
            repeats.keep(session, request, once, answer.model_dump(mode="json"))
        return answer


def _insert(
    session: WriteSession, request: SubmitRequest, phase: Phase, team: Team, upload: ReceivedFile
) -> Submission:
    if request.reference is Reference.NONE:
        enter(session, request.who, phase.competition)
        seats.take_seat(session, request.who, phase.competition, team)
    notebook = upload.kind is SubmissionKind.NOTEBOOK
    submission = Submission(
        phase=phase,
        team=team,
        account_id=request.who.account_id,
        evaluation=_evaluation(session, phase, team, upload.blob, upload.form, notebook=notebook),
        name=request.name,
        filename=request.filename,
        kind=upload.kind,
        reference=request.reference,
        blob=upload.blob,
        code_sha256=upload.form.sha256,
        sketch=upload.form.sketch,
        size_bytes=upload.size_bytes,
        claim=upload.claim,
    )
    session.add(submission)
    session.flush()
    note_copies(session, submission, upload.form)
    _publish_if_scored(session, submission)
    return submission


def own_submissions(
    who: Principal, competition: str | None, phase: str | None, *, ended: bool | None, tag: str | None = None
) -> Select[Submission]:
    """Select the submissions of the caller's teams, filtered by competition, phase, tag and whether they have ended."""
    own = Submission.team_id.in_(seats.teams_of(who.account_id))
    statement = _with_everything().where(own, ~hidden_entries())
    if competition is not None:
        statement = statement.where(Submission.phase.has(Phase.competition.has(Competition.slug == competition)))
    if phase is not None:
        statement = statement.where(Submission.phase.has(Phase.slug == phase))
    if tag is not None:
        tagged = select(SubmissionNote.submission_id).where(SubmissionNote.has_tag(tag))
        statement = statement.where(Submission.id.in_(tagged))
    if ended is not None:
        statement = statement.where(Submission.evaluation.has(Evaluation.has_ended == ended))
    return statement


def find_visible(session: ReadSession, who: Principal, submission_id: UUID) -> Submission:
    """Find a submission that the caller may see. Raises NotFound for any other, whether or not it exists."""
    submission = session.scalars(_with_everything().where(Submission.id == submission_id)).unique().one_or_none()
    if submission is None or not (
        reviews(who, submission.phase.competition)
        or (seats.is_member(session, who, submission.team_id) and not is_hidden(submission))
    ):
        raise NotFound(
            f"There is no submission {submission_id} that you may see. Check the id, or list your submissions."
        )
    return submission


def sees_data(who: Principal, submission: Submission) -> bool:
    """Whether the caller, who may see the submission, may also see how its runs treated the data."""
    return not submission.phase.data_hidden or reviews(who, submission.phase.competition)


def show(session: ReadSession, who: Principal, submissions: Iterable[Submission]) -> list[SubmissionOut]:
    """Return submissions with their scores, first the one by the metric of their phase."""
    shown = list(submissions)
    on_board = set(
        session.scalars(
            select(LeaderboardEntry.submission_id).where(
                LeaderboardEntry.submission_id.in_([one.id for one in shown]), LeaderboardEntry.retired_at.is_(None)
            )
        )
    )
    retrainings = pointers.retrainings(session, {one.phase_id for one in shown})
    reasons = off.reasons_of(session, [one.id for one in shown])
    rights = _rights(session, who, shown)
    marks = marks_of(session, shown)
    notes = _notes(session, shown)
    shared = _shared(session, shown)
    return [
        _shown(
            one,
            on_board=one.id in on_board,
            sees_data=sees_data(who, one),
            retraining=retrainings[one.phase_id],
            exclusions=reasons.get(one.id, []),
            rights=rights[one.id],
            finals=marks.get(one.id, []),
            note=notes.get(one.id),
            shared=one.id in shared,
        )
        for one in shown
    ]


def show_with_place(session: ReadSession, who: Principal, submission: Submission) -> SubmissionOut:
    """Return a submission with its scores and, while it waits, its place in the queue."""
    shown = show(session, who, [submission])[0]
    place = places.place_of(session, submission.evaluation)
    return shown if place is None else shown.model_copy(update={"place": QueuePlaceOut.model_validate(place)})


def cancel_submission(session: WriteSession, who: Principal, submission: Submission) -> None:
    """Cancel its evaluation, for its team or an organiser. Raises NotOrganiser or AlreadyEnded."""
    if not seats.is_member(session, who, submission.team_id):
        require_organiser(who, submission.phase.competition)
    evaluation = lock_evaluation(session, submission.evaluation_id)
    if evaluation.state in ENDED:
        raise AlreadyEnded(f"The submission has ended ({evaluation.state}); there is nothing to cancel.")
    cancel(session, evaluation)


def _shown(submission: Submission, **context: Any) -> SubmissionOut:
    scores = {score.metric: score for score in submission.evaluation.scores}
    own = scores.pop(submission.phase.metric, None)
    return SubmissionOut.of(submission, own, list(scores.values()), **context)


def _notes(session: ReadSession, submissions: list[Submission]) -> dict[UUID, SubmissionNote]:
    ids = [one.id for one in submissions]
    return {
        row.submission_id: row
        for row in session.scalars(select(SubmissionNote).where(SubmissionNote.submission_id.in_(ids)))
    }


def _shared(session: ReadSession, submissions: list[Submission]) -> set[UUID]:
    ids = [one.id for one in submissions]
    found = select(SharedSubmission.submission_id).where(SharedSubmission.submission_id.in_(ids))
    return set(session.scalars(found))


def _rights(session: ReadSession, who: Principal, submissions: list[Submission]) -> dict[UUID, Rights]:
    """Tell what the caller may do with each submission that the caller may see."""
    teams = set(session.scalars(seats.teams_of(who.account_id)))
    competitions = {one.phase.competition for one in submissions}
    fixed = {one.id for one in competitions if final_has_started(session, one.id, utc_now())}
    return {
        one.id: Rights(
            annotates=one.team_id in teams,
            withdraws=one.team_id in teams and one.phase.competition_id not in fixed,
            cancels=one.team_id in teams or organises(who, one.phase.competition),
            judges=organises(who, one.phase.competition),
        )
        for one in submissions
    }


def _lock_teams(session: WriteSession, request: SubmitRequest) -> set[UUID]:
    """Lock the caller's teams, because one of them is about to spend its quota; return their ids."""
    own = set(session.scalars(seats.teams_of(request.who.account_id)))
    seats.lock_teams(session, own)
    return own


def _evaluation(
    session: WriteSession, phase: Phase, team: Team, blob: str, form: Form, *, notebook: bool
) -> Evaluation:
    """Share the evaluation that the same code of the team has in the phase, or queue one. The team is locked."""
    found = shared_evaluation(session, phase, team.id, form.sha256)
    if found is not None:
        lock_board(session, phase)  # before the evaluation, as a scorer does
        locked = lock_evaluation(session, found)
        if locked.state not in (State.FAILED, State.CANCELLED):
            return locked
    return queue_evaluation(session, phase, blob, team_id=team.id, notebook=notebook)


def _publish_if_scored(session: WriteSession, submission: Submission) -> None:
    """Move the leaderboard's pointer for a submission whose evaluation is scored already: no scorer will come again."""
    score = counting.counting_score(session, submission.phase, submission.evaluation_id)
    if score is not None:
        pointers.publish(session, submission, score)


def _with_everything() -> Select[Submission]:
    return select(Submission).options(
        joinedload(Submission.team),
        joinedload(Submission.evaluation).selectinload(Evaluation.scores),
        joinedload(Submission.phase).joinedload(Phase.competition).selectinload(Competition.members),
    )
