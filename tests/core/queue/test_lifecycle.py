import itertools

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.core.models import Evaluation, Event, FailureKind, Shard, State
from services.core.queue.lifecycle import ENDED, BadTransition, cancel, fail, lock_evaluation, move
from services.core.store.database import Database

ALLOWED = {
    (State.QUEUED, State.RUNNING),
    (State.QUEUED, State.FAILED),
    (State.QUEUED, State.CANCELLED),
    (State.RUNNING, State.MEASURED),
    (State.RUNNING, State.FAILED),
    (State.RUNNING, State.CANCELLED),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_move_obeys_the_table(database: Database, evaluation: Evaluation, before: State, after: State) -> None:
    with database.write() as session:
        row = lock_evaluation(session, evaluation.id)
        row.state = before
        session.flush()
        if (before, after) in ALLOWED:
            move(session, row, after)
            assert row.state is after
        else:
            with pytest.raises(BadTransition):
                move(session, row, after)


def test_events_number_without_gaps(database: Database, evaluation: Evaluation) -> None:
    with database.write() as session:
        row = lock_evaluation(session, evaluation.id)
        move(session, row, State.RUNNING)
        fail(session, row, FailureKind.TIMEOUT, "too slow")
    with database.read() as session:
        events = list(session.scalars(select(Event).order_by(Event.sequence)))
    assert [(event.sequence, event.kind) for event in events] == [(1, "queued"), (2, "running"), (3, "failed")]
    assert events[-1].payload.model_dump() == {"failure": "timeout", "message": "too slow"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(message=st.text(st.characters(), max_size=40))
@example(message="a null \0, half a pair \ud800, \u202ereversed")
@example(message="long" * 10_000)
def test_any_message_can_be_kept(database: Database, evaluation: Evaluation, message: str) -> None:
    with database.write() as session:
        row = lock_evaluation(session, evaluation.id)
        row.state = State.RUNNING
        fail(session, row, FailureKind.EXCEPTION, message)
    with database.read() as session:
        kept = session.get_one(Evaluation, evaluation.id).failure_message
        event = session.scalars(select(Event).order_by(Event.sequence.desc()).limit(1)).one()
    assert kept == event.payload.message
    assert kept is not None and len(kept) < 10_000


def test_cancel_ends_the_shards(database: Database, evaluation: Evaluation) -> None:
    with database.write() as session:
        cancel(session, lock_evaluation(session, evaluation.id))
    with database.read() as session:
        assert set(session.scalars(select(Shard.state))) == {State.CANCELLED}
        assert session.get_one(Evaluation, evaluation.id).finished_at is not None


def test_ended_states_have_no_way_out() -> None:
    assert {State.MEASURED, State.FAILED, State.CANCELLED} == ENDED
