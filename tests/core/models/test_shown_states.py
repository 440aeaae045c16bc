"""The state that people are shown: alike in Python and in SQL, on both databases."""

from sqlalchemy import select

from services.core.models import Evaluation, EventKind, Phase, Score, State, SubmissionState
from services.core.queue.lifecycle import awaiting_score
from services.core.store.database import Database

OWN, OTHER = "neurips-2023", "lethe-1"  # the phase's metric, and another one
CASES = [  # state, tried out only, scored by, shown as
    (State.QUEUED, False, None, SubmissionState.QUEUED),
    (State.RUNNING, False, None, SubmissionState.RUNNING),
    (State.RUNNING, True, None, SubmissionState.RUNNING),
    (State.MEASURED, False, None, SubmissionState.MEASURED),
    (State.MEASURED, False, OTHER, SubmissionState.MEASURED),
    (State.MEASURED, False, OWN, SubmissionState.SCORED),
    (State.MEASURED, True, None, SubmissionState.CHECKED),
    (State.FAILED, False, None, SubmissionState.FAILED),
    (State.FAILED, True, None, SubmissionState.FAILED),
    (State.CANCELLED, False, None, SubmissionState.CANCELLED),
]
ENDED = {SubmissionState.SCORED, SubmissionState.CHECKED, SubmissionState.FAILED, SubmissionState.CANCELLED}


def score_by(evaluation: Evaluation, metric: str) -> Score:
    ends = [f"{name}{end}" for name in ("forgetting_quality", "utility") for end in ("", "_low", "_high")]
    counts = dict.fromkeys(["seeds", "distinct_models", "effective_models"], 8)
    numbers = dict.fromkeys([*ends, "final_score", "ci_low", "ci_high", "run_s"], 0.5)
    return Score(evaluation_id=evaluation.id, metric=metric, **counts, **numbers)


def test_shown_state_is_the_same_in_python_and_in_sql(database: Database, evaluation: Evaluation) -> None:
    for state, dry_run, metric, shown in CASES:
        with database.write() as session:
            row = session.get_one(Evaluation, evaluation.id)
            row.state, row.dry_run = state, dry_run
            for score in session.scalars(select(Score)):
                session.delete(score)
            session.flush()
            session.add_all([score_by(row, metric)] if metric else [])
        with database.read() as session:
            row = session.get_one(Evaluation, evaluation.id)
            in_python = (row.shown_state, row.has_ended, row.is_scored)
            in_sql = session.execute(select(Evaluation.shown_state, Evaluation.has_ended, Evaluation.is_scored)).one()
            beside_phase = select(Evaluation.shown_state).join(Phase, Phase.id == Evaluation.phase_id)
            selected = {
                one
                for one in SubmissionState
                if session.scalars(select(Evaluation).where(Evaluation.shown_state == one)).all()
            }
            waits = session.scalars(awaiting_score()).one_or_none() is not None

            assert in_python == tuple(in_sql) == (shown, shown in ENDED, metric == OWN)
            assert session.scalars(beside_phase).one() is shown
            assert (selected, waits) == ({shown}, shown is SubmissionState.MEASURED)


def test_every_state_is_shown_in_a_case() -> None:
    assert {shown for *_, shown in CASES} == set(SubmissionState)
    assert {state for state in SubmissionState if state.ended} == ENDED


def test_every_state_begins_with_the_event_of_its_name() -> None:
    assert {kind.leads_to for kind in EventKind} == {*SubmissionState, None}
    staying = {EventKind.PROGRESS, EventKind.PROVISIONAL, EventKind.RETRIED, EventKind.DISCARDED}
    assert {kind for kind in EventKind if kind.leads_to is None} == staying
    assert all(kind.leads_to == kind.value for kind in EventKind if kind not in staying)
