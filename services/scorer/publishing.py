"""Publishing a judged evaluation: its rows of scores, and the pointers of its submissions."""

from sqlalchemy import select

from services.core.board import campaigns, standing
from services.core.models import Evaluation, EventKind, Phase, Score, Submission
from services.core.queue.lifecycle import add_event, lock_evaluation
from services.core.store.database import WriteSession
from services.scorer.judging import Judged
from services.scorer.rows import score_row

__all__ = ["publish"]


def publish(session: WriteSession, judged: Judged) -> bool:
    """Insert missing scores; point every submission of the evaluation at the score by the phase's metric.

    The phase is locked first. A campaign locks it too before it moves all pointers, so whichever comes second sees the
    result of the first.
    """
    phase_id = session.scalars(select(Evaluation.phase_id).where(Evaluation.id == judged.evaluation_id)).one()
    metric = session.scalars(select(Phase.metric).where(Phase.id == phase_id).with_for_update(read=True)).one()
    evaluation = lock_evaluation(session, judged.evaluation_id)
    present = set(session.scalars(select(Score.metric).where(Score.evaluation_id == judged.evaluation_id)))
    rows = {
        report.card.metric: score_row(judged.evaluation_id, report, subjects=judged.subjects, run_s=judged.run_s)
        for report in judged.reports
    }
    new = rows.keys() - present
    session.add_all(rows[name] for name in sorted(new))
    session.flush()
    campaigns.take_back(session, evaluation, new)
    if metric in new:
        score = rows[metric]
        own = select(Submission).where(Submission.evaluation_id == judged.evaluation_id)
        for submission in session.scalars(own.order_by(Submission.created_at, Submission.id)):
            standing.publish(session, submission, score)
        add_event(session, evaluation, EventKind.SCORED, metric=metric, final_score=score.final_score)
    return bool(new)
