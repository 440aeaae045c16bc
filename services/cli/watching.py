"""Following submissions until they end, through restarts of the server and failures of the network."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import typer

from services.cli.client import Client
from services.cli.console import milestone, progress, say
from services.cli.endings import Ending
from services.cli.patience import Patience

__all__ = ["follow", "goes_on"]

POLL_S, LONGEST_POLL_S = 0.5, 5.0
GROWTH = 1.2  # of the pause between two looks, while nothing changes
GIVE_UP_AFTER_S = 60.0
MEANWHILE = "The submission goes on."


def follow(
    client: Client,
    ids: Sequence[str],
    on_change: Callable[[dict[str, Any]], None] = lambda _: None,
    *,
    patience: Patience | None = None,
) -> list[Any]:
    """Watch submissions until all have ended, with a bar for each; return them in order.

    Without a patience of its own, it gives up when the server has not answered for a minute.
    """
    patience = patience or Patience(GIVE_UP_AFTER_S)
    latest: dict[str, dict[str, Any]] = {}
    pause = POLL_S
    with progress() as bars:
        tasks: dict[str, Any] = {}
        while under_way := [one for one in ids if not latest.get(one, {}).get("ended")]:
            before = [_progress_of(one) for one in latest.values()]
            for one in under_way:
                submission = patience.ask(partial(client.get, f"/api/submissions/{one}"), MEANWHILE)
                if one not in tasks:
                    tasks[one] = bars.add_task(submission["name"], total=submission["seeds"])
                doing, completed = _progress_of(submission)
                bars.update(tasks[one], completed=completed, description=f"{submission['name']:<18}{doing:<10}")
                if submission["state"] != latest.get(one, {}).get("state"):
                    milestone(f"{submission['name']}: {submission['state']}")
                latest[one] = submission
                on_change(submission)
            moved = before != [_progress_of(one) for one in latest.values()]
            pause = POLL_S if moved else min(pause * GROWTH, LONGEST_POLL_S)
            if not all(one["ended"] for one in latest.values()):
                time.sleep(pause)
    return [latest[one] for one in ids]


@contextmanager
def goes_on(submission: str) -> Iterator[None]:
    """After Ctrl-C say that the submission goes on, and how to look at it again."""
    try:
        yield
    except KeyboardInterrupt:
        say(
            f"Stopped watching; the submission goes on. Look again with `lethe status {submission} --watch`, "
            f"or stop it with `lethe cancel {submission}`."
        )
        raise typer.Exit(Ending.INTERRUPTED) from None


def _progress_of(submission: dict[str, Any]) -> tuple[str, int]:
    """Return what a submission does, and its progress in runs. A notebook first writes all checkpoints."""
    written, measured = submission["checkpoints_written"], submission["seeds_done"]
    if written and not measured:
        return "writing" if submission["state"] == "running" else submission["state"], min(written, submission["seeds"])
    return submission["state"], measured
