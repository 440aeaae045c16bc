"""Takes all steps of a computation."""

from collections.abc import Generator
from typing import TypeVar

__all__ = ["finish"]

Result = TypeVar("Result")


def finish(steps: Generator[None, None, Result]) -> tuple[Result, int]:
    """Take all steps; return the result and their number."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value, count
        count += 1
