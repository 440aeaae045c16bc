"""Endpoints for health, installation, system and queue."""

import shutil
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import select

from services.api.admin.metrics import render
from services.api.admin.queue import read_queue
from services.api.admin.schemas import HealthOut, InstallationOut, ProviderOut, QueueOut, SystemOut, WorkerOut
from services.api.kit.policy import PUBLIC, Operating
from services.api.kit.sessions import Reading
from services.api.state import State as ApiState
from services.core.distribution import installed_version
from services.core.queue.workers import all_workers
from services.core.store.parts import PART_BYTES

__all__ = ["router"]

METRICS: dict[int | str, dict[str, Any]] = {200: {"description": "Metrics", "content": {"text/plain": {}}}}

router = APIRouter()


@router.get("/health", dependencies=[PUBLIC], tags=["health"])
def health(session: Reading) -> HealthOut:
    """Confirm that API and database answer; the status is 503 if the database does not."""
    session.execute(select(1))
    return HealthOut(version=installed_version())


@router.get("/installation", dependencies=[PUBLIC], tags=["installation"])
def show_installation(state: ApiState) -> InstallationOut:
    """Show the settings that visitors and clients need to know."""
    settings = state.settings
    return InstallationOut(
        version=installed_version(),
        sandbox=settings.resolved_sandbox,
        sign_up_open=settings.sign_up_open,
        sends_mail=settings.mail_configured,
        sign_in_with=[ProviderOut(name=one.name, title=one.title) for one in settings.oidc],
        max_upload_bytes=settings.max_upload_bytes,
        max_benchmark_bytes=settings.max_benchmark_bytes,
        benchmark_part_bytes=PART_BYTES,
    )


@router.get("/admin/system", tags=["admin"])
def show_system(state: ApiState, who: Operating) -> SystemOut:
    """Show the database and stores of this API process, and the free disk space under its data directory."""
    settings = state.settings
    settings.make_data_dir()
    disk = shutil.disk_usage(settings.data_dir)
    return SystemOut(
        database=state.database.engine.dialect.name,
        doorbell="in process" if settings.embedded else "redis",
        blobs="s3" if settings.blob_url else "directory",
        data_dir=str(settings.data_dir.resolve()),
        disk_free_bytes=disk.free,
        disk_total_bytes=disk.total,
    )


@router.get("/workers", tags=["admin"])
def list_workers(session: Reading, who: Operating) -> list[WorkerOut]:
    """List the workers, also those that have been gone for less than a day."""
    return [WorkerOut.of(worker) for worker in all_workers(session)]


@router.get("/admin/queue", tags=["admin"])
def queue(session: Reading, who: Operating) -> QueueOut:
    """Show the evaluations that wait or run, the workers that run them, and recent platform failures."""
    return read_queue(session)


@router.get("/admin/metrics", tags=["admin"], response_class=Response, responses=METRICS)
def metrics(state: ApiState, who: Operating) -> Response:
    """Return metrics in the text format of Prometheus, which needs an operator's token to scrape them."""
    return Response(render(state.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
