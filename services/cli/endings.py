"""The exit status of a command, for scripts and CI. docs/reference/commands.md lists them."""

from enum import IntEnum

from services.core.errors import LetheError

__all__ = ["Ending", "ending_of"]


class Ending(IntEnum):
    DONE = 0  # scored, if it was to wait for that
    FAILED = 1  # the submission failed or was cancelled; also every error that has no status of its own
    USAGE = 2  # wrong arguments, or no such file
    SIGNED_OUT = 3  # no token for the server, or one that it does not know
    UNREACHABLE = 4  # no answer, or one that says: later
    REFUSED = 5  # the server refused it and says why
    INTERRUPTED = 130  # Ctrl-C


def ending_of(error: LetheError) -> Ending:
    """Return the status with which a command ends that raised this error."""
    ending: Ending = getattr(error, "ending", Ending.FAILED)
    return ending
