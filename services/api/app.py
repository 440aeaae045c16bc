"""The REST API: puts the features together. The rules live in the features and in core."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from services.api.accounts.endpoints import router as accounts
from services.api.admin.endpoints import router as admin
from services.api.announcements.endpoints import router as announcements
from services.api.benchmarks.endpoints import router as benchmarks
from services.api.benchmarks.verifying import Verifier
from services.api.campaigns.endpoints import router as campaigns
from services.api.catalogue.endpoints import router as catalogue
from services.api.competitions.endpoints import router as competitions
from services.api.docs import install_docs
from services.api.files.endpoints import router as files
from services.api.finals.endpoints import router as finals
from services.api.frozen.endpoints import router as frozen
from services.api.frozen.freezer import Freezer
from services.api.judging.endpoints import router as judging
from services.api.kit.bodies import MAX_BODY_BYTES, TooLargeProblems, too_large
from services.api.kit.bodiless import Bodiless
from services.api.kit.crowds import CrowdLimit
from services.api.kit.deadlines import BodyDeadline
from services.api.kit.hosts import KnownHosts
from services.api.kit.loops import LOOK_EVERY_S, Loop
from services.api.kit.middleware import SecurityHeaders
from services.api.kit.observing import Observed
from services.api.kit.origin import same_origin
from services.api.kit.policy import deny_others
from services.api.kit.problems import PROBLEMS, install_problems
from services.api.kit.streaming import Streaming
from services.api.leaderboard.endpoints import router as leaderboard
from services.api.matrices.endpoints import router as matrices
from services.api.notices.endpoints import router as notices
from services.api.openid.endpoints import router as openid
from services.api.organising.endpoints import router as organising
from services.api.own.endpoints import router as own
from services.api.people.endpoints import router as people
from services.api.record.endpoints import router as record
from services.api.references.endpoints import router as references
from services.api.reliability.endpoints import router as reliability
from services.api.sharing.endpoints import router as sharing
from services.api.state import ApiState, make_state
from services.api.submissions.endpoints import router as submissions
from services.api.submissions.outcomes import router as outcomes
from services.api.teams.endpoints import router as teams
from services.api.web import BUILT, install_web
from services.api.webhooks.endpoints import router as webhooks
from services.api.winners.endpoints import router as winners
from services.core.distribution import installed_version
from services.core.settings import Settings

__all__ = ["ROUTERS", "create_app"]

ROUTERS = (  # what is asked for most comes first: a request is compared with one route after another
    leaderboard,
    submissions,
    competitions,
    accounts,
    own,
    openid,
    benchmarks,
    files,
    frozen,
    outcomes,
    references,
    reliability,
    organising,
    people,
    teams,
    judging,
    finals,
    winners,
    matrices,
    campaigns,
    record,
    announcements,
    sharing,
    catalogue,
    admin,
    notices,
    webhooks,
)


class _App(FastAPI):
    """Adds the layers that must hold for every response.

    Middleware that is added to an app lies within the one that answers unexpected errors, and never sees that answer.
    """

    def build_middleware_stack(self) -> ASGIApp:
        state: ApiState = self.state.lethe
        bounded = BodyDeadline(TooLargeProblems(Bodiless(Streaming(super().build_middleware_stack()))))
        known = KnownHosts(bounded, state.settings.host_names)
        return Observed(SecurityHeaders(CrowdLimit(known)), latencies=state.latencies)


def create_app(settings: Settings, *, web: Path = BUILT) -> FastAPI:
    """Make the app of one API process; its database must already have the newest schema.

    `web` is the directory of the built web app; without its files only the API is served.
    """
    deny_others(ROUTERS)
    app = _App(
        title="Lethe",
        description="Open competitions for machine unlearning.",
        version=installed_version(),
        max_body_size=MAX_BODY_BYTES,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=_operation_id,
    )
    app.state.lethe = make_state(settings)
    app.state.look_every_s = LOOK_EVERY_S
    install_problems(app)
    app.add_exception_handler(413, too_large)
    for router in ROUTERS:
        app.include_router(router, prefix="/api", dependencies=[Depends(same_origin)], responses=PROBLEMS)
    install_docs(app)
    install_web(app, web)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: ApiState = app.state.lethe
    poller = asyncio.create_task(state.feed.poll())
    freezer = Freezer(state.database, state.blobs, state.key)
    verifier = Verifier(state.settings, state.database, state.blobs)
    beside = (*state.loops, Loop("freezing", freezer.step), Loop("verifying", verifier.step))
    loops = [asyncio.create_task(loop.run(app.state.look_every_s)) for loop in beside]
    try:
        yield
    finally:
        state.feed.close()
        freezer.close()
        verifier.close()
        for loop in beside:
            loop.close()
        await asyncio.gather(poller, *loops)
        state.database.dispose()


def _operation_id(route: APIRoute) -> str:
    return route.name
