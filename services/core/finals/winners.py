"""After a final is published: teams consent to publish code, organisers decide on finalists and have them run again.

A decision is one row that changes, and each change is on record. Code is public only if its team consented and the
finalist is verified, so taking back either hides it again.
"""

from uuid import UUID

from sqlalchemy import select, update

from services.core.board.standings import lock_board
from services.core.errors import BadInput, Conflict, NotFound
from services.core.finals.acts import FinalNotPublished
from services.core.finals.sealed import phases_of
from services.core.finals.selections import lock_final
from services.core.models import (
    Act,
    Competition,
    Consent,
    Entered,
    Evaluation,
    Final,
    Finalist,
    FinalistState,
    LeaderboardEntry,
    Phase,
    Score,
    Shard,
    Submission,
    SubmissionKind,
    VerifyingRun,
)
from services.core.queue.lifecycle import ENDED, cancel, lock_evaluation, queue_evaluation
from services.core.queue.turns import barred
from services.core.queue.workers import serving
from services.core.record.acts import record
from services.core.retention.deleting import require_code
from services.core.store.database import ReadSession, WriteSession, clock

__all__ = [
    "CodePublished",
    "ConsentNeeded",
    "LicenceChanged",
    "NoFinalist",
    "consent",
    "consent_of",
    "decide",
    "entries_of",
    "require_consent",
    "run_again",
    "take_back_consent",
    "workers_of",
]

ACTS = {
    FinalistState.VERIFIED: Act.FINALIST_VERIFIED,
    FinalistState.REFUSED: Act.FINALIST_REFUSED,
    FinalistState.IN_REVIEW: Act.FINALIST_REVIEWED_AGAIN,
}


class ConsentNeeded(BadInput):
    code = "consent_needed"


class LicenceChanged(Conflict):
    code = "licence_changed"


class CodePublished(Conflict):
    code = "code_published"


class NoFinalist(NotFound):
    code = "no_finalist"


def consent_of(session: ReadSession, submission_id: UUID) -> Consent | None:
    """Find the consent to publish the code of a submission."""
    return session.get(Consent, submission_id)


def require_consent(session: ReadSession, competition: Competition, submission: Submission) -> None:
    """Raise ConsentNeeded if a competition asks for consent and there is none to the licence in force."""
    found = consent_of(session, submission.id)
    if competition.code_licence_required and (found is None or found.licence != competition.code_licence):
        raise ConsentNeeded(
            f"Who enters this final agrees that the code is published under {competition.code_licence} if it wins. "
            "Run `lethe select` with --publish-code, or tick the box on its page.",
            licence=competition.code_licence,
        )


def consent(
    session: WriteSession, submission: Submission, licence: str, account_id: UUID, *, rules_version: str | None
) -> Consent:
    """Consent to publish the code of a submission; do nothing if that was done. Raises LicenceChanged.

    The consent is kept with the version of the rules that are in force.
    Of an entry of a final, the consent is to the code of the submission that was selected, which is the same.
    """
    entered = session.get(Entered, submission.id)
    submission = submission if entered is None else entered.selected
    wanted = submission.phase.competition.code_licence
    if licence != wanted:
        asked = f"asks for consent to {wanted}" if wanted else "asks for no licence"
        raise LicenceChanged(f"The competition {asked}, not to {licence!r}. Read its page again.", licence=wanted)
    found = consent_of(session, submission.id)
    if found is not None and (found.licence, found.rules_version) == (licence, rules_version):
        return found
    if found is not None:
        session.delete(found)
        session.flush()
    made = Consent(submission_id=submission.id, licence=licence, account_id=account_id, rules_version=rules_version)
    session.add(made)
    session.flush()
    _record_consent(session, Act.CODE_LICENSED, submission, made, account_id)
    return made


def take_back_consent(session: WriteSession, submission: Submission, account_id: UUID) -> None:
    """Take a consent back, unless the code is public; do nothing if there is none. Raises CodePublished."""
    found = consent_of(session, submission.id)
    if found is None:
        return
    for final in session.scalars(select(Final).where(Final.competition_id == submission.phase.competition_id)):
        lock_final(session, final)
        decided = session.get(Finalist, (final.id, submission.id), populate_existing=True)
        if final.published_at is not None and decided is not None and decided.state is FinalistState.VERIFIED:
            raise CodePublished("The code is published with the winners, so its licence stays. Ask the organiser.")
    session.delete(found)
    _record_consent(session, Act.CODE_LICENCE_WITHDRAWN, submission, found, account_id)


def entries_of(session: ReadSession, final: Final, selected_id: UUID) -> list[Submission]:
    """List the entries that a final made of a selected submission, one for each benchmark. Raises NoFinalist."""
    phases = [phase.id for phase in phases_of(session, final)]
    statement = select(Submission).join(Entered, Entered.submission_id == Submission.id)
    statement = statement.where(Entered.selected_id == selected_id, Submission.phase_id.in_(phases))
    found = {one.phase_id: one for one in session.scalars(statement)}
    if not found:
        raise NoFinalist(f"Submission {selected_id} did not enter {final.phase.slug!r}. See the winners' page for ids.")
    return [found[phase_id] for phase_id in phases if phase_id in found]


def decide(
    session: WriteSession, final: Final, selected_id: UUID, account_id: UUID, *, state: FinalistState, reason: str
) -> Finalist:
    """Verify or refuse a finalist, or put it back into review. Raises FinalNotPublished or NoFinalist."""
    _lock_published(session, final)
    entries_of(session, final, selected_id)
    found = session.get(Finalist, (final.id, selected_id), populate_existing=True)
    before = FinalistState.IN_REVIEW if found is None else found.state
    now = clock(session)
    if found is None:
        found = Finalist(final_id=final.id, selected_id=selected_id)
    found.state, found.reason, found.account_id, found.decided_at = state, reason, account_id, now
    session.add(found)
    session.flush()
    _record(session, ACTS[state], final, selected_id, account_id, before=before.value, reason=reason)
    return found


def run_again(
    session: WriteSession, final: Final, selected_id: UUID, account_id: UUID, *, same_seeds: bool
) -> list[VerifyingRun]:
    """Queue the runs of a finalist again on each benchmark, by other workers if there are any.

    Runs of an earlier call that have not ended are cancelled. Raises FinalNotPublished or NoFinalist.
    """
    for phase in sorted(phases_of(session, final), key=lambda phase: phase.id):
        lock_board(session, phase)
    _lock_published(session, final)
    made = []
    for entry in entries_of(session, final, selected_id):
        _cancel_earlier(session, entry)
        made.append(_queue(session, entry, account_id, same_seeds=same_seeds))
    session.flush()
    runs = {str(one.submission_id): str(one.evaluation_id) for one in made}
    _record(session, Act.FINALIST_RUN_AGAIN, final, selected_id, account_id, runs=runs, same_seeds=same_seeds)
    return made


def workers_of(session: ReadSession, evaluation_id: UUID) -> set[str]:
    """Name the workers that ran an evaluation."""
    statement = select(Shard.worker).where(Shard.evaluation_id == evaluation_id, Shard.worker.is_not(None))
    return {name for name in session.scalars(statement.distinct()) if name is not None}


def _lock_published(session: WriteSession, final: Final) -> None:
    lock_final(session, final)
    if final.published_at is None:
        raise FinalNotPublished("The final is not published. Publish it before you decide on its finalists.")


def _cancel_earlier(session: WriteSession, entry: Submission) -> None:
    earlier = select(VerifyingRun.evaluation_id).where(VerifyingRun.submission_id == entry.id)
    for evaluation_id in session.scalars(earlier.order_by(VerifyingRun.evaluation_id)):
        evaluation = lock_evaluation(session, evaluation_id)
        if evaluation.state not in ENDED:
            cancel(session, evaluation)


def _queue(session: WriteSession, entry: Submission, account_id: UUID, *, same_seeds: bool) -> VerifyingRun:
    require_code(entry)
    phase = session.get_one(Phase, entry.phase_id)
    original = session.get_one(Evaluation, _standing(session, entry))
    notebook = entry.kind is SubmissionKind.NOTEBOOK
    key = original.seed_key if same_seeds else None
    evaluation = queue_evaluation(session, phase, entry.blob, notebook=notebook, seed_key=key)
    before = workers_of(session, original.id)
    others = {worker.name for worker in serving(session, phase.device, phase.environment)} - before
    avoids = sorted(before) if others and before else None
    if avoids:
        marks = "".join(map(barred, avoids))
        session.execute(update(Shard).where(Shard.evaluation_id == evaluation.id).values(avoids=marks))
    run = VerifyingRun(
        evaluation_id=evaluation.id,
        submission_id=entry.id,
        replaced_id=original.id,
        same_seeds=same_seeds,
        avoids=avoids,
        account_id=account_id,
    )
    session.add(run)
    return run


def _standing(session: ReadSession, entry: Submission) -> UUID:
    """Find the evaluation whose score stands on the board, or else the entry's own."""
    statement = (
        select(Score.evaluation_id)
        .join(LeaderboardEntry, LeaderboardEntry.score_id == Score.id)
        .where(LeaderboardEntry.submission_id == entry.id, LeaderboardEntry.retired_at.is_(None))
    )
    return session.scalar(statement) or entry.evaluation_id


def _record(
    session: WriteSession, act: Act, final: Final, selected_id: UUID, account_id: UUID, **details: object
) -> None:
    own = {"phase": final.phase.slug, "submission": str(selected_id), **details}
    record(session, act, competition_id=final.competition_id, account_id=account_id, details=own)


def _record_consent(session: WriteSession, act: Act, submission: Submission, of: Consent, account_id: UUID) -> None:
    details = {
        "phase": submission.phase.slug,
        "submission": str(submission.id),
        "team": str(submission.team_id),
        "licence": of.licence,
        "rules_version": of.rules_version,
    }
    record(session, act, competition_id=submission.phase.competition_id, account_id=account_id, details=details)
