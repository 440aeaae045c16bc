"""The score of a running submission as it narrows before one's eyes, down to the final one."""

from playwright.sync_api import expect

from services.core.models import Evaluation, EventKind, State
from services.core.queue.lifecycle import add_event, lock_evaluation, move
from services.core.store.database import WriteSession
from tests.api.scores import score
from tests.web.browsing import NARROW, overflow_px
from tests.web.conftest import Visit
from tests.web.exhibits import add_submission
from tests.web.gallery import Gallery, Place, feedback_phase


def test_provisional_scores_come_one_by_one_and_end_with_the_final_one(gallery: Gallery, visit: Visit) -> None:
    who = gallery.add_participant()
    with gallery.database.write() as session:
        phase = feedback_phase(session)
        row = add_submission(session, phase, who, "watched")
        move(session, lock_evaluation(session, row.evaluation_id), State.RUNNING)
        submission_id, evaluation_id = row.id, row.evaluation_id
    page = visit(Place("watched", f"/submissions/{submission_id}", who))
    table = page.get_by_role("table")
    expect(table).to_have_count(0)

    with gallery.database.write() as session:
        tell(session, lock_evaluation(session, evaluation_id), 8, 0.0002, 0.00014)
    expect(table.get_by_role("row", name="8 0.00020 0.00006 – 0.00034")).to_be_visible()

    with gallery.database.write() as session:
        evaluation = lock_evaluation(session, evaluation_id)
        tell(session, evaluation, 16, 0.0001, 0.00004)
        move(session, evaluation, State.MEASURED, seeds=evaluation.seeds)
        score(session, evaluation_id, 0.00012, margin=0.00003)
    expect(page.get_by_role("heading", name="Score by neurips-2023")).to_be_visible()
    expect(table.get_by_role("row")).to_have_text(
        [
            "runsscore95% interval00.00010.00020.00030.0004",
            "80.000200.00006 – 0.00034",
            "160.0001000.000060 – 0.000140",
            "640.0001200.000090 – 0.000150",
        ]
    )
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert overflow_px(page) <= 0


def tell(session: WriteSession, evaluation: Evaluation, models: int, value: float, margin: float) -> None:
    ends = {"ci_low": value - margin, "ci_high": value + margin}
    add_event(session, evaluation, EventKind.PROVISIONAL, models=models, final_score=value, **ends)
