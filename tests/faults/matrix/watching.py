"""What a site is doing: read from its database and its API, which may be away."""

import contextlib
import urllib.request
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import OperationalError

from services.core.models import Evaluation, MeasurementRow, State
from services.core.queue.lifecycle import ENDED
from tests.faults.matrix.site import Site


def counted(place: Site, what: ColumnElement[bool]) -> int | None:
    """Count evaluations; None if the database does not answer."""
    with contextlib.suppress(OperationalError), place.installation.database.read() as session:
        return session.scalars(select(func.count()).select_from(Evaluation).where(what)).one()
    return None


def seeds_done(place: Site, evaluations: list[UUID]) -> int | None:
    """Count recorded seeds; None if the database does not answer."""
    with contextlib.suppress(OperationalError), place.installation.database.read() as session:
        seeds = select(func.count()).where(MeasurementRow.evaluation_id.in_(evaluations))
        return session.scalars(seeds).one()
    return None


def anything_runs(place: Site, evaluations: list[UUID]) -> bool:
    """Tell whether seeds remain to be run."""
    return counted(place, Evaluation.id.in_(evaluations) & Evaluation.state.in_([State.QUEUED, State.RUNNING])) != 0


def nothing_waits_for_a_score(place: Site, evaluations: list[UUID]) -> bool:
    """Tell whether every measured evaluation is scored."""
    is_measured = Evaluation.id.in_(evaluations) & (Evaluation.state == State.MEASURED)
    return counted(place, is_measured & ~Evaluation.is_scored) == 0


def all_ended(place: Site, evaluations: list[UUID]) -> bool:
    """Tell whether every evaluation has failed or is scored."""
    return not anything_runs(place, evaluations) and nothing_waits_for_a_score(place, evaluations)


def progress(place: Site, evaluations: list[UUID]) -> str:
    """Say how far the evaluations are."""
    ended = Evaluation.id.in_(evaluations) & Evaluation.state.in_(ENDED)
    return f"{seeds_done(place, evaluations)} seeds, {counted(place, ended)} of {len(evaluations)} evaluations ended"


def api_answers(place: Site) -> bool:
    """Tell whether the API answers."""
    try:
        urllib.request.urlopen(f"{place.installation.stack.url}/api/health", timeout=5).close()
    except OSError:
        return False
    return True
