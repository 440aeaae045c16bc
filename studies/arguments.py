"""Arguments that commands of several studies take."""

import argparse
from collections.abc import Callable

__all__ = ["at_least"]


def at_least(least: int) -> Callable[[str], int]:
    """Return a type of argument: a whole number that is not below the least."""

    def number(text: str) -> int:
        count = int(text)
        if count < least:
            raise argparse.ArgumentTypeError(f"expected at least {least}")
        return count

    return number
