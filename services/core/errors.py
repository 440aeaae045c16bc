"""The root of every error that Lethe raises on purpose. Subclasses live beside the feature that raises them.

LetheError              a code, an HTTP status, and a message with a remedy
├── BadInput            input from outside is wrong: a file, an array, a request
├── NotFound            the thing does not exist, or the reader may not know that it does
├── Conflict            the thing already exists, or its state does not allow this
└── Unavailable         Lethe lacks something it needs: Docker, a database, disk space
"""

from typing import ClassVar

__all__ = ["BadInput", "Conflict", "LetheError", "NotFound", "Unavailable"]


class LetheError(Exception):
    """An error with a stable code and a message that says what happened, where, and what to do next."""

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
