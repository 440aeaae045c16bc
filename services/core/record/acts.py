"""Writing acts to the record, in the transaction of the act itself."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from services.core.models import Act, AuditEvent, Phase, Score
from services.core.record.figures import digests_of
from services.core.store.database import WriteSession

__all__ = ["record", "record_scores"]


def record(
    session: WriteSession,
    act: Act,
    *,
    competition_id: UUID | None,
    account_id: UUID | None,
    subject_id: UUID | None = None,
    details: Mapping[str, object],
) -> None:
    """Record an act with its author. Details are JSON; they name people by ids, so that an account can be deleted."""
    session.add(
        AuditEvent(
            act=act, competition_id=competition_id, account_id=account_id, subject_id=subject_id, details=dict(details)
        )
    )


def record_scores(session: WriteSession, phase: Phase, scores: Iterable[Score]) -> None:
    """Record scores that were just inserted, each with a digest of all that was written."""
    written = {score.id: score for score in scores}
    for score_id, digest in sorted(digests_of(session, written.keys()).items()):
        score = written[score_id]
        record(
            session,
            Act.SCORED,
            competition_id=phase.competition_id,
            account_id=None,
            subject_id=score_id,
            details={
                "evaluation": str(score.evaluation_id),
                "metric": score.metric,
                "final_score": score.final_score,
                "digest": digest,
            },
        )
