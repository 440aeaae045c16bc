"""What a receipt states of a submission's score."""

import hashlib
from datetime import UTC
from typing import Any
from uuid import UUID

from services.api.kit.auth import Principal
from services.api.submissions.comparison import NotScored
from services.api.submissions.service import find_visible
from services.core.board import counting
from services.core.board.shown import FiguresForm
from services.core.finals.sealed import final_of
from services.core.models import Entered, Evaluation, Score, Submission
from services.core.record.figures import digests_of
from services.core.store.database import ReadSession

__all__ = ["statement_about", "statement_of"]

VERSION = 1


def statement_of(session: ReadSession, who: Principal, submission_id: UUID) -> dict[str, Any]:
    """State the score that counts for a submission which the caller may see.

    Raises NotFound, or NotScored.
    """
    submission = find_visible(session, who, submission_id)
    score = counting.counting_score(session, submission.phase, submission.evaluation_id)
    if score is None:
        raise NotScored(f"Submission {submission.id} has no score yet. Ask for its receipt after it is scored.")
    return statement_about(session, submission, score)


def statement_about(session: ReadSession, submission: Submission, score: Score) -> dict[str, Any]:
    """State a score of a submission. Callers check who may read it."""
    evaluation, phase = session.get_one(Evaluation, score.evaluation_id), submission.phase
    # left out of scores that were computed before it was kept, so that receipts stay what they were
    program = {"program": score.program} if score.program else {}
    # of its placebo runs; left out without them, so that receipts stay what they were
    placebo = {"placebo_sha256": evaluation.placebo_blob} if evaluation.placebo_blob else {}
    return {
        "version": VERSION,
        "competition": phase.competition.slug,
        "phase": phase.slug,
        "team": submission.team.name,
        "submission": str(submission.id),
        "submitted_at": submission.created_at.astimezone(UTC).isoformat(),
        "upload_sha256": submission.blob,
        "code_sha256": submission.code_sha256,
        "evaluation": str(evaluation.id),
        "benchmark": evaluation.benchmark.digest,
        "environment": phase.environment,
        "provenance": evaluation.provenance,
        "seed_key_sha256": hashlib.sha256(evaluation.seed_key).hexdigest(),
        "measurements_sha256": evaluation.measurements_blob,
        "robustness_sha256": evaluation.stress_blob,  # of its readings under stress; none without the stage
        **placebo,
        "score": str(score.id),
        "scored_at": score.created_at.astimezone(UTC).isoformat(),
        **program,
        "figures": FiguresForm.model_validate(score).model_dump(mode="json"),
        "score_sha256": digests_of(session, [score.id])[score.id],
        "final": _final(session, submission),
    }


def _final(session: ReadSession, submission: Submission) -> dict[str, str] | None:
    """State what a final's seed key follows from; None for a submission that no final selected."""
    entered = session.get(Entered, submission.id)
    if entered is None:
        return None
    return {"commitment": final_of(submission.phase).commitment, "selected": str(entered.selected_id)}
