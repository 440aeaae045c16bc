"""Asking a server that restarts, or that the network cuts off, until it answers again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from services.cli.client import ServerProblem, Unreachable
from services.cli.console import say
from services.cli.endings import Ending

__all__ = ["Patience"]

FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 30.0
SPREAD = 0.2  # of a delay, so that all who wait do not come back at one moment
PASSES = {"rate_limited"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on asking a server that does not answer: for ever, unless told otherwise."""

    give_up_after_s: float | None = None

    def ask(self, ask: Callable[[], T], meanwhile: str) -> T:
        """Ask until there is an answer, ever more rarely, and say so. Raises what was raised last if it gives up.

        `meanwhile` says what becomes of the user's work until then.
        """
        began = time.monotonic()
        delay = 0.0
        while True:
            try:
                answer = ask()
            except (Unreachable, ServerProblem) as error:
                if not _passes(error):
                    raise
                delay = min(2 * delay or FIRST_DELAY_S, LONGEST_DELAY_S)
                if self.give_up_after_s is not None and time.monotonic() - began + delay > self.give_up_after_s:
                    raise
                say(f"No answer: {error.reason}. {meanwhile} Trying again in {delay:.0f} s.")
                time.sleep(delay * random.uniform(1 - SPREAD, 1 + SPREAD))  # noqa: S311
                continue
            if delay:
                say("The server answers again.")
            return answer


def _passes(error: Unreachable | ServerProblem) -> bool:
    """Whether another try may do better."""
    return error.ending is Ending.UNREACHABLE or (
        isinstance(error, ServerProblem) and error.problem.get("code") in PASSES
    )
