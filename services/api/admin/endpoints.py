"""Whether the installation works, and what waits in its queue."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import func, select

from services.api.admin.metrics import render
from services.api.admin.schemas import HealthOut, QueueOut
from services.api.kit.policy import PUBLIC, Operating
from services.api.kit.sessions import Reading
from services.api.state import State as ApiState
from services.core.database import utc_now
from services.core.models import Evaluation, Shard, State

__all__ = ["router"]

METRICS: dict[int | str, dict[str, Any]] = {200: {"description": "Metrics", "content": {"text/plain": {}}}}

router = APIRouter()


@router.get("/health", dependencies=[PUBLIC], tags=["health"])
def health(session: Reading) -> HealthOut:
    """Say that API and database answer; 503 when the database does not."""
    session.execute(select(1))
    return HealthOut(version=version("lethe"))


@router.get("/admin/queue", tags=["admin"])
def queue(session: Reading, _who: Operating) -> QueueOut:
    """Count shards by state, and say how long the oldest queued one has waited."""
    shards = dict.fromkeys(State, 0)
    for state, count in session.execute(select(Shard.state, func.count()).group_by(Shard.state)):
        shards[state] = count
    oldest = session.scalars(
        select(func.min(Evaluation.created_at))
        .join(Shard, Shard.evaluation_id == Evaluation.id)
        .where(Shard.state == State.QUEUED)
    ).one()
    return QueueOut(
        shards=shards,
        oldest_queued_s=(utc_now() - oldest).total_seconds() if oldest else None,
    )


@router.get("/admin/metrics", tags=["admin"], response_class=Response, responses=METRICS)
def metrics(state: ApiState, _who: Operating) -> Response:
    """Give metrics in the text format of Prometheus, which scrapes with a token of an operator's."""
    return Response(render(state.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
