"""Publishing a judged evaluation: its rows of scores, and the pointers of its submissions."""

from sqlalchemy import select

from services.core.board import campaigns, pointers
from services.core.board.standings import lock_board
from services.core.models import Evaluation, EventKind, Phase, Score, Submission
from services.core.models.losses import LossesForm
from services.core.queue.lifecycle import add_event, lock_evaluation
from services.core.record.acts import record_scores
from services.core.store.database import WriteSession
from services.scorer.copies import note_alike
from services.scorer.judging import Judged
from services.scorer.rows import score_row

__all__ = ["publish"]


def publish(session: WriteSession, judged: Judged, losses: LossesForm | None = None) -> bool:
    """Insert missing scores; point every submission of the evaluation at the score by the phase's metric.

    Losses are kept beside them, unless the phase hides its data. Entries of other teams that move weights alike are
    noted.

    The phase is locked first. A campaign locks it too before it moves all pointers, so whichever comes second sees the
    result of the first.
    """
    of = select(Phase).join(Evaluation, Evaluation.phase_id == Phase.id).where(Evaluation.id == judged.evaluation_id)
    phase = lock_board(session, session.scalars(of).one())
    metric = phase.metric
    evaluation = lock_evaluation(session, judged.evaluation_id)
    present = set(session.scalars(select(Score.metric).where(Score.evaluation_id == judged.evaluation_id)))
    rows = {
        report.card.metric: score_row(
            judged.evaluation_id, report, subjects=judged.subjects, run_s=judged.run_s, cost=judged.cost
        )
        for report in judged.reports
    }
    new = rows.keys() - present
    session.add_all(rows[name] for name in sorted(new))
    if losses is not None and not phase.data_hidden:
        evaluation.losses = losses
    note_alike(session, evaluation, judged.movement)
    session.flush()
    record_scores(session, phase, [rows[name] for name in sorted(new)])
    campaigns.take_back(session, evaluation, new)
    if metric in new:
        score = rows[metric]
        own = select(Submission).where(Submission.evaluation_id == judged.evaluation_id)
        for submission in session.scalars(own.order_by(Submission.created_at, Submission.id)):
            pointers.publish(session, submission, score)
        evaluation.may_lack_score = False
        add_event(session, evaluation, EventKind.SCORED, metric=metric, final_score=score.final_score)
    return bool(new)
