"""The catalogue: what metrics, suite columns, flags and alarms mean. The same for everybody, so anyone may keep it."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from services.api.catalogue.schemas import CatalogueOut
from services.api.kit.etags import etag, matches
from services.api.kit.policy import PUBLIC
from services.core.catalogue import ALARMS, DEFAULT_METRIC, FLAGS, METRICS, SUITES

__all__ = ["router"]

MAX_AGE_S = 300

router = APIRouter(tags=["catalogue"])


@router.get(
    "/metrics",
    dependencies=[PUBLIC],
    response_model=CatalogueOut,
    responses={304: {"description": "Not changed since the tag in If-None-Match."}},
)
def show_metrics(response: Response, if_none_match: Annotated[str | None, Header()] = None) -> CatalogueOut | Response:
    """Show every metric that a phase can rank by, and what the suites, flags and alarms of a score mean."""
    shown = CatalogueOut(
        metrics=list(METRICS.values()),
        default_metric=DEFAULT_METRIC,
        suites=list(SUITES.values()),
        flags=list(FLAGS.values()),
        alarms=list(ALARMS.values()),
    )
    headers = {"ETag": etag(shown), "Cache-Control": f"public, max-age={MAX_AGE_S}"}
    if matches(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return shown
