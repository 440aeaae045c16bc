"""Consenting to an upload, refusing it, giving it up. What follows is done beside requests, by `verifying`."""

from collections.abc import Mapping
from uuid import UUID

from services.api.benchmarks.moves import end, move
from services.api.benchmarks.receiving import OPEN, UploadClosed, find_upload, may_publish
from services.api.kit.auth import Principal
from services.api.kit.roles import Forbidden
from services.core.errors import BadInput
from services.core.models import Act, BenchmarkUpload, BenchmarkUploadState
from services.core.record.acts import record
from services.core.store.database import WriteSession

__all__ = ["NotTrusted", "consent", "give_up", "refuse"]


class NotTrusted(Forbidden):
    code = "not_trusted"


def consent(session: WriteSession, who: Principal, upload_id: UUID, accept_unfit: str | None) -> BenchmarkUpload:
    """Let an upload be published. It is on record.

    Raises NotFound, NotTrusted, UploadClosed, or BadInput if a reason for an unfit benchmark is missing or needless.
    """
    row = _waiting(session, who, upload_id)
    found = row.found or {}
    unfit = bool(found.get("problems")) and found.get("accepted_unfit") is None
    if unfit and accept_unfit is None:
        raise BadInput(
            f"{found['name']} is unfit: {' '.join(found['problems'])} Refuse it, or say why you publish it anyway."
        )
    if accept_unfit is not None and not unfit:
        raise BadInput(f"{found['name']} is fit, or was accepted before. Leave out the reason.")
    move(session, row, BenchmarkUploadState.PUBLISHING)
    row.accept_unfit, row.attempts = accept_unfit, 0
    _decide(session, who, row, Act.BENCHMARK_CONSENTED, {"accept_unfit": accept_unfit} if accept_unfit else {})
    return row


def refuse(session: WriteSession, who: Principal, upload_id: UUID, reason: str) -> BenchmarkUpload:
    """Refuse an upload, with a reason that its uploader sees. It is on record. Raises as `consent`."""
    row = _waiting(session, who, upload_id)
    end(session, row, reason)
    _decide(session, who, row, Act.BENCHMARK_REFUSED, {"reason": reason})
    return row


def give_up(session: WriteSession, who: Principal, upload_id: UUID) -> BenchmarkUpload:
    """End an upload; somebody else's on record, as who may publish it. Raises NotFound or UploadClosed."""
    row = find_upload(session, who, upload_id, lock=True)
    if row.state not in OPEN or row.state is BenchmarkUploadState.PUBLISHING:
        raise UploadClosed(f"The upload is {row.state}; nothing is left to give up.", state=row.state)
    end(session, row, "It was given up. Upload the file again if you need it.")
    row.decided_by = who.account_id
    if row.account_id != who.account_id:
        told = {"uploaded_by": str(row.account_id), "reason": row.reason}
        _record(session, who, row, Act.BENCHMARK_REFUSED, told)
    session.flush()
    return row


def _waiting(session: WriteSession, who: Principal, upload_id: UUID) -> BenchmarkUpload:
    row = find_upload(session, who, upload_id, lock=True)
    if not may_publish(session, who):
        raise NotTrusted("An operator, or an organiser whom an operator trusts with it, publishes benchmarks. Ask one.")
    if row.state is not BenchmarkUploadState.WAITING:
        raise UploadClosed(f"The upload is {row.state}; only one that waits can be decided on.", state=row.state)
    return row


def _decide(session: WriteSession, who: Principal, row: BenchmarkUpload, act: Act, details: dict[str, object]) -> None:
    found = row.found or {}
    row.decided_by = who.account_id
    told = {"benchmark": found["name"], "digest": found["digest"], "uploaded_by": str(row.account_id), **details}
    _record(session, who, row, act, told)
    session.flush()


def _record(session: WriteSession, who: Principal, row: BenchmarkUpload, act: Act, told: Mapping[str, object]) -> None:
    record(session, act, competition_id=None, account_id=who.account_id, subject_id=row.id, details=told)
