"""Benchmarks that were exported elsewhere: uploaded in parts, verified beside requests, published by consent."""

from collections.abc import Iterable
from functools import partial
from typing import Annotated
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import select

from services.api.benchmarks import deciding, receiving
from services.api.benchmarks.schemas import (
    ArchitectureOut,
    BenchmarkConsent,
    BenchmarkRefusal,
    BenchmarkUploadOut,
    NewBenchmarkUpload,
    Sha256,
)
from services.api.kit.auth import Principal
from services.api.kit.bodies import COUNTED_BY_ITSELF
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Hosting
from services.api.kit.sessions import Reading, Writing
from services.api.state import ApiState, State
from services.core.errors import LetheError
from services.core.models import Account, BenchmarkUpload
from services.core.store.blobs import receive, sha256_hex
from services.core.store.database import ReadSession
from services.core.store.parts import PART_BYTES, PartStore

__all__ = ["router"]

router = APIRouter(tags=["benchmark uploads"])
PATH = "/benchmark-uploads"
PART_BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the part.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
MOST_OFFSET = 2**50


@router.post(PATH, status_code=201, responses={200: {"model": BenchmarkUploadOut, "description": "It goes on."}})
def begin_benchmark_upload(
    new: NewBenchmarkUpload, who: Hosting, session: Writing, state: State, response: Response
) -> BenchmarkUploadOut:
    """Begin to upload a benchmark, or go on with your own upload of the same file: `received_bytes` says where."""
    row, is_new = receiving.begin(session, state.settings, who, new)
    if not is_new:
        response.status_code = 200
    return _shown(session, who, [row])[0]


@router.put(PATH + "/{upload_id}/parts/{offset}", openapi_extra=PART_BODY, max_body_size=COUNTED_BY_ITSELF)
async def put_benchmark_part(
    *,
    upload_id: UUID,
    offset: Annotated[int, Path(ge=0, le=MOST_OFFSET, description="The byte of the file at which the part begins.")],
    sha256: Annotated[Sha256, Query(description="SHA-256 of the part.")],
    body: Request,
    who: Hosting,
    state: State,
) -> BenchmarkUploadOut:
    """Send the next part. The same part again changes nothing; another one than the next is refused with its place."""
    expected = await anyio.to_thread.run_sync(_expected, state, who, upload_id, offset, sha256)
    data = await receive(body.stream(), limit_bytes=expected or PART_BYTES)
    return await anyio.to_thread.run_sync(partial(_add, state, who, upload_id, offset, sha256, data))


@router.get(PATH)
def list_benchmark_uploads(
    who: Hosting, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[BenchmarkUploadOut]:
    """List your uploads, newest first; if you may publish them, those of everybody."""
    rows, following = newest_first(
        session,
        select(BenchmarkUpload).where(receiving.seen_by(session, who)),
        BenchmarkUpload,
        cursors=state.cursors,
        listing=f"benchmark-uploads:{who.account_id}",
        limit=limit,
        after=after,
    )
    return Page(items=_shown(session, who, rows), next=following)


@router.get(PATH + "/{upload_id}")
def show_benchmark_upload(upload_id: UUID, who: Hosting, session: Reading) -> BenchmarkUploadOut:
    """Show an upload: yours, or any if you may publish them."""
    return _shown(session, who, [receiving.find_upload(session, who, upload_id)])[0]


@router.get(PATH + "/{upload_id}/architecture")
def show_architecture(upload_id: UUID, who: Hosting, session: Reading) -> ArchitectureOut:
    """Show the code that the benchmark brings, once it is verified. Workers run it, confined: read it first."""
    return ArchitectureOut(text=receiving.find_upload(session, who, upload_id).architecture or "")


@router.post(PATH + "/{upload_id}/consent", status_code=202)
def consent_to_benchmark(
    upload_id: UUID, consent: BenchmarkConsent, who: Hosting, session: Writing
) -> BenchmarkUploadOut:
    """Let a verified upload be published, as an operator or an organiser trusted with it. It is on record."""
    return _shown(session, who, [deciding.consent(session, who, upload_id, consent.accept_unfit)])[0]


@router.post(PATH + "/{upload_id}/refuse")
def refuse_benchmark(upload_id: UUID, refusal: BenchmarkRefusal, who: Hosting, session: Writing) -> BenchmarkUploadOut:
    """Refuse a verified upload, with a reason that its uploader sees. It is on record."""
    return _shown(session, who, [deciding.refuse(session, who, upload_id, refusal.reason)])[0]


@router.delete(PATH + "/{upload_id}")
def give_up_benchmark_upload(upload_id: UUID, who: Hosting, session: Writing) -> BenchmarkUploadOut:
    """Give up an upload that is not published. What has arrived is deleted."""
    return _shown(session, who, [deciding.give_up(session, who, upload_id)])[0]


def _expected(state: ApiState, who: Principal, upload_id: UUID, offset: int, sha256: str) -> int:
    with state.database.read() as session:
        return receiving.expected_bytes(session, who, upload_id, offset, sha256)


def _add(  # noqa: PLR0917 - what a part is
    state: ApiState, who: Principal, upload_id: UUID, offset: int, sha256: str, data: bytes
) -> BenchmarkUploadOut:
    """Store a part, then let it count. Whatever fails, no byte that counted is lost."""
    if sha256_hex(data) != sha256:
        raise receiving.DamagedPart("The part does not have the SHA-256 that it was sent with. Send it again.")
    parts = PartStore(state.blobs)
    parts.put(upload_id, offset, data)
    try:
        with state.database.write() as session:
            row = receiving.add_part(session, who, upload_id, offset=offset, size_bytes=len(data), sha256=sha256)
            return _shown(session, who, [row])[0]
    except LetheError:
        with state.database.read() as session:
            receiving.forget_unless_counted(session, parts, upload_id, offset, sha256)
        raise


def _shown(session: ReadSession, who: Principal, rows: Iterable[BenchmarkUpload]) -> list[BenchmarkUploadOut]:
    shown = list(rows)
    wanted = {row.account_id for row in shown} | {row.decided_by for row in shown}
    named = select(Account.id, Account.username).where(Account.id.in_([one for one in wanted if one is not None]))
    names = dict(session.execute(named).all())
    may_decide = receiving.may_publish(session, who)
    return [
        BenchmarkUploadOut.of(row, names, is_own=row.account_id == who.account_id, may_decide=may_decide)
        for row in shown
    ]
