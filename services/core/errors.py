"""The root of every error that Lethe raises on purpose. Subclasses live beside the feature that raises them.

LetheError              code, HTTP status, a message that says what to do
├── BadInput            what came from outside is wrong: a file, an array, a request
├── NotFound            it does not exist, or the reader may not know that it does
├── Conflict            it exists already, or its state does not allow this
└── Unavailable         something Lethe needs is not there: Docker, a database, disk
"""

from typing import ClassVar

__all__ = ["BadInput", "Conflict", "LetheError", "NotFound", "Unavailable"]


class LetheError(Exception):
    """An error with a stable code, whose message says what happened, where, and what to do next."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadInput(LetheError):
    code = "bad_input"
    status = 422


class NotFound(LetheError):
    code = "not_found"
    status = 404


class Conflict(LetheError):
    code = "conflict"
    status = 409


class Unavailable(LetheError):
    code = "unavailable"
    status = 503
