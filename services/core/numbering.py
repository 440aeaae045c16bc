"""How the runs of an evaluation are numbered in messages: "Run 3 of 64" is the run of seed index 2.

Nobody but the platform writes the beginning of a failure's message, so the number in it can be read back.
"""

import re

__all__ = ["failed_run", "run_in_words"]

BEGINNING = re.compile(r"(?:Run|The model of run) (\d{1,9}) of (\d{1,9}) ")


def run_in_words(seed: int, seeds: int) -> str:
    """Name a run by the index of its seed."""
    return f"run {seed + 1} of {seeds}"


def failed_run(message: str) -> int | None:
    """Return the number, from 1, of the run that a failure's message is about; None if it names no run."""
    found = BEGINNING.match(message)
    return int(found[1]) if found else None
