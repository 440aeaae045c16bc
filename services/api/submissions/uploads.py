"""Receives the body of an upload under the size limit and checks it without running or storing it."""

import shlex
from urllib.parse import urlencode
from uuid import UUID

import anyio.to_thread
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select

from services.api.competitions.finding import find_phase
from services.api.competitions.rights import organises
from services.api.kit.auth import Principal
from services.api.state import ApiState
from services.api.submissions import repeats
from services.api.submissions.admission import SubmitRequest, require_kind, require_uploads
from services.api.submissions.forecast import CheckOut, forecast
from services.api.teams.seats import teams_of
from services.core.environments import python_of
from services.core.errors import BadInput, Conflict
from services.core.models import EnvironmentRow, Phase, Submission
from services.core.store.blobs import TooLarge, receive, sha256_hex
from services.core.store.database import ReadSession
from services.core.submission import packages
from services.core.submission.cautions import warnings_for
from services.core.submission.file import CheckedSubmission, check
from services.core.submission.form import Form, form_of

__all__ = ["FormUpload", "answer_again", "describe", "read", "refuse_forms", "require_phase_takes", "warnings_in"]

MAX_DIGITS = 20  # of a size, because Python refuses to read thousands


class FormUpload(BadInput):
    code = "form_upload"


def refuse_forms(request: Request) -> None:
    """Refuse a file that comes in a form, as from `curl -F`, with the command that sends it."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        return
    query = {"filename": "entry.py", **request.query_params}
    url = f"{request.url.replace(query='')}".rstrip("?") + f"?{urlencode(query)}"
    remedy = (
        "Send the file itself as the body: "
        f"curl --data-binary {shlex.quote('@' + query['filename'])} "
        f'-H "Authorization: Bearer $LETHE_TOKEN" {shlex.quote(url)}'
    )
    raise FormUpload(f"The file came in a form. {remedy}", remedy=remedy)


async def answer_again(state: ApiState, body: Request, request: SubmitRequest, key: str) -> Response:
    """Answer an upload whose key is known as it was answered before. Raises IdempotencyKeyReused if it is another."""
    data = await receive(body.stream(), limit_bytes=_limit(state, body))
    return await anyio.to_thread.run_sync(_kept_answer, state, request, key, sha256_hex(data))


def _kept_answer(state: ApiState, request: SubmitRequest, key: str, body_sha256: str) -> Response:
    with state.database.read() as session:
        kept = repeats.find(session, request, key)
    if kept is None:
        raise Conflict("The Idempotency-Key expired while the file was sent. Send it again.")
    repeats.Once(key, repeats.digest_of(request, body_sha256)).require_same(kept)
    return JSONResponse(kept.answer, status_code=201, headers={"Location": f"/api/submissions/{kept.answer['id']}"})


async def read(state: ApiState, body: Request, filename: str, phase: Phase) -> tuple[bytes, CheckedSubmission, Form]:
    """Receive an upload, tell its kind and its code's normal form; store nothing. Raises TooLarge or Rejected."""
    data = await receive(body.stream(), limit_bytes=_limit(state, body))
    return data, *(await anyio.to_thread.run_sync(_check, state, filename, data, phase))


def _check(state: ApiState, filename: str, data: bytes, phase: Phase) -> tuple[CheckedSubmission, Form]:
    """Check a file for the Python of the phase's environment."""
    with state.database.read() as session:
        python = python_of(session.get(EnvironmentRow, phase.environment))
    checked = check(filename, data, python)
    return checked, form_of(filename, checked.kind, data, python)


def require_phase_takes(state: ApiState, who: Principal, competition: str, phase: str, filename: str) -> Phase:
    """Find the phase for which a file is checked. Raises NotFound, EntersBySelection, UnsupportedFile or NoNotebooks.

    An organiser may check a reference entry of a final.
    """
    with state.database.read() as session:
        found = find_phase(session, competition, phase, who=who)
        if not organises(who, found.competition):
            require_uploads(found)
    require_kind(found, filename)
    return found


def describe(
    state: ApiState,
    who: Principal,
    phase: Phase,
    data: bytes,
    *,
    found: CheckedSubmission,
    form: Form,
    team: str | None,
) -> CheckOut:
    """Describe a submission of these bytes: the caller's earlier one of the same code, and what it is likely to take.

    Raises MissingPackage and NotInTeam.
    """
    digest = sha256_hex(data)
    with state.database.read() as session:
        here = session.get_one(Phase, phase.id)
        before = _submitted_as(session, who, phase, form.sha256)
        warnings = _warnings(session, phase, found)
        expected = forecast(session, who, here, form.sha256, kind=found.kind, team=team)
    return CheckOut(
        kind=found.kind,
        sha256=digest,
        size_bytes=len(data),
        claim=found.claim,
        submitted_as=before,
        warnings=warnings,
        forecast=expected,
    )


def warnings_in(state: ApiState, phase: Phase, found: CheckedSubmission) -> list[str]:
    """Return what may make a submission's runs fail in a phase. Raises MissingPackage for what must."""
    with state.database.read() as session:
        return _warnings(session, phase, found)


def _warnings(session: ReadSession, phase: Phase, found: CheckedSubmission) -> list[str]:
    """Warn of GPUs, compilers and, once a worker told what the environment holds, packages. Raises MissingPackage."""
    environment = session.get(EnvironmentRow, phase.environment)
    missing = packages.require_packages(found.imports, environment) if environment else []
    return warnings_for(found.gpu_calls, found.compiled, phase.device) + missing


def _submitted_as(session: ReadSession, who: Principal, phase: Phase, digest: str) -> UUID | None:
    """Find the newest submission of the same code to this phase by the caller's teams."""
    return session.scalar(
        select(Submission.id)
        .where(
            Submission.team_id.in_(teams_of(who.account_id)),
            Submission.phase_id == phase.id,
            Submission.code_sha256 == digest,
        )
        .order_by(Submission.created_at.desc())
        .limit(1)
    )


def _limit(state: ApiState, body: Request) -> int:
    """Return the size limit; refuse a body that announces a larger size before reading any of it."""
    limit_bytes = state.settings.max_upload_bytes
    announced = body.headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > MAX_DIGITS or int(announced) > limit_bytes:
        raise TooLarge(f"The upload is larger than the limit of {limit_bytes:,} bytes. Upload a smaller file.")
    return limit_bytes
