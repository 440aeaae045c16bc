"""Renders every error as problem+json (RFC 9457): a stable code, a message with a remedy, and further members."""

import json
from typing import Any
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DataError, OperationalError, TimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.core.errors import LetheError
from services.core.mistakes import mistake_in_words

__all__ = ["MEDIA_TYPE", "PROBLEMS", "Problem", "install_problems", "problem"]

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
_CODES = {404: "not_found", 405: "method_not_allowed", 400: "bad_request"}


class Problem(BaseModel):
    """An error. Some errors have more members, such as `remedy`, `errors` or `next_slot_at`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem", "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
}


class _ProblemResponse(JSONResponse):
    """Says anything, even what a request holds and UTF-8 does not: a lone surrogate stays a JSON escape."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def problem(status: int, code: str, detail: str, **details: object) -> Response:
    """Render a problem. If the details contain `retry_after_s`, it also becomes the header."""
    body = {
        "type": f"urn:lethe:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        **jsonable_encoder(details),
    }
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_s" in details:
        headers["Retry-After"] = str(details["retry_after_s"])
    return _ProblemResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install_problems(app: FastAPI) -> None:
    """Render every error of the app as a problem."""
    app.add_exception_handler(LetheError, _lethe_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(OperationalError, _database_unavailable)
    app.add_exception_handler(TimeoutError, _database_unavailable)
    app.add_exception_handler(Exception, _unexpected)


def _lethe_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, LetheError)
    return problem(error.status, error.code, error.message, **error.details)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "http_error")
    detail = str(error.detail)
    if error.status_code in (404, 405):
        detail = f"There is no route {request.method} {request.url.path}. See /api/docs for all routes."
    response = problem(error.status_code, code, detail)
    response.headers.update(error.headers or {})
    return response


def _invalid(_request: Request, error: Exception) -> Response:
    """Name each invalid field, but do not repeat its value, because it may be a password."""
    assert isinstance(error, RequestValidationError)
    errors = [{"field": ".".join(map(str, one["loc"])), "problem": one["msg"]} for one in error.errors()]
    named = "; ".join(mistake_in_words(one) for one in error.errors()[:3])
    return problem(422, "invalid_request", f"{named}.", errors=errors)


def _unstorable(_request: Request, _error: Exception) -> Response:
    return problem(
        422, "invalid_request", "The request contains a value that cannot be stored, such as a null byte. Remove it."
    )


def _gone(_request: Request, _error: Exception) -> Response:
    return problem(400, "client_disconnected", "The client disconnected before it had sent the whole request.")


def _database_unavailable(request: Request, error: Exception) -> Response:
    log.error("database_unavailable", path=request.url.path, error=str(getattr(error, "orig", error)))
    return problem(
        503, "database_unavailable", "The database does not answer. Try again in a few seconds.", retry_after_s=5
    )


def _unexpected(request: Request, error: Exception) -> Response:
    incident = uuid4().hex
    log.error("unexpected_error", incident=incident, path=request.url.path, exc_info=error)
    return problem(
        500,
        "internal",
        f"Something went wrong on our side and nothing was saved. Please give the operator incident ID {incident}.",
        incident=incident,
    )
