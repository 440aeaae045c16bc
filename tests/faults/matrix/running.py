"""Evaluations undisturbed, then the same under faults."""

import itertools
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select, update

from services.cli.client import Client, ServerProblem
from services.core.models import Evaluation, State, Submission
from services.core.queue.lifecycle import SEED_KEY_BYTES
from tests.entries import slow_noise
from tests.faults.matrix.breaking import Fault, NothingToBreak
from tests.faults.matrix.outcome import Outcome, Row, compare
from tests.faults.matrix.site import Site
from tests.faults.matrix.watching import (
    all_ended,
    anything_runs,
    api_answers,
    nothing_waits_for_a_score,
    progress,
    seeds_done,
)
from tests.installation import Installation

BETWEEN_FAULTS_S = (2.0, 6.0)
PATIENCE_S = 600.0  # without progress; a machine with other work may need long, and the table says how long
ENTRY = slow_noise(0.1)


@dataclass(frozen=True)
class Plan:
    """What to run."""

    undisturbed: int  # evaluations
    evaluations: int  # under faults
    minutes: float | None  # for those under faults; None for as long as they take
    seed: int


def run_matrix(place: Site, plan: Plan, faults: dict[str, Fault], *, say: Callable[[str], None]) -> Outcome:
    """Run some evaluations undisturbed, and then others under faults until they have ended."""
    chance = random.Random(plan.seed)
    keys = [chance.randbytes(SEED_KEY_BYTES) for _ in range(plan.undisturbed)]
    began = time.monotonic()
    calm = submit_all(place, keys, "calm")
    say(f"{len(calm)} evaluations are queued, undisturbed")
    await_scores(place, calm, say)
    undisturbed_s = time.monotonic() - began
    shaken = submit_all(place, [keys[number % len(keys)] for number in range(plan.evaluations)], "shaken")
    twins = dict(zip(shaken, itertools.cycle(calm), strict=False))
    began = time.monotonic()
    say(f"undisturbed in {undisturbed_s:.0f} s; now {len(shaken)} under faults")
    rows = {name: Row() for name in faults}
    has_time = True
    while not all_ended(place, shaken):
        time.sleep(chance.uniform(*BETWEEN_FAULTS_S))
        name = min(faults, key=lambda fault: (rows[fault].times, chance.random()))
        strike(place, name, faults[name], chance, rows[name], shaken)
        took_s = rows[name].recovered_s[-1:]
        say(f"{time.monotonic() - began:5.0f} s  {name}, back after {took_s} s  {progress(place, shaken)}")
        if has_time and plan.minutes is not None and time.monotonic() - began > 60 * plan.minutes:
            has_time, shaken = False, begun(place, shaken)
    await_scores(place, shaken, say)
    return compare(place, twins, shaken, rows, undisturbed_s, time.monotonic() - began)


def begun(place: Site, evaluations: list[UUID]) -> list[UUID]:
    """Cancel the evaluations that no worker has begun; return the others."""
    with place.installation.database.read() as session:
        waits = select(Submission).join(Evaluation, Submission.evaluation_id == Evaluation.id)
        queued = session.scalars(waits.where(Evaluation.id.in_(evaluations), Evaluation.state == State.QUEUED))
        waiting = {row.evaluation_id: row.id for row in queued}
    for submission in waiting.values():
        place.installation.client.post(f"/api/submissions/{submission}/cancel")
    return [one for one in evaluations if one not in waiting]


def strike(place: Site, name: str, fault: Fault, chance: random.Random, row: Row, evaluations: list[UUID]) -> None:
    """Let a fault strike; measure how long after its end the API answers, seeds are recorded and scores written."""
    try:
        fault(place, chance)
    except NothingToBreak:
        return
    row.times += 1
    ended = time.monotonic()
    before = None  # until the database answers
    while time.monotonic() - ended < PATIENCE_S:
        place.installation.stack.restart_dead()
        done = seeds_done(place, evaluations)
        before = done if before is None else before
        runs = (done or 0) > (before or 0) or not anything_runs(place, evaluations)
        if api_answers(place) and runs and nothing_waits_for_a_score(place, evaluations):
            break
        time.sleep(0.2)
    row.recovered_s.append(round(time.monotonic() - ended, 1))


def submit_all(place: Site, keys: list[bytes], label: str) -> list[UUID]:
    """Queue one evaluation for each seed key; no worker may see one before it has its key."""
    running = place.installation
    os.kill(running.stack.pid("worker"), signal.SIGKILL)  # one that is stopped may hold a lock of the database
    ids = []
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "entry.py"
        for number, key in enumerate(keys):
            file.write_text(f"{ENTRY}\nNUMBER = {label!r}, {number}\n")
            path = "/api/competitions/cup/phases/feedback/submissions"
            submission = upload(running.client, path, file)
            ids.append(give_key(running, UUID(submission["id"]), key))
    while "worker" not in running.stack.restart_dead():
        time.sleep(0.05)
    return ids


def upload(client: Client, path: str, file: Path) -> dict[str, Any]:
    """Upload a file, once the account may: it has so many uploads a minute."""
    while True:
        try:
            return cast(dict[str, Any], client.upload(path, file, filename=file.name))
        except ServerProblem as refused:
            if refused.problem.get("code") != "rate_limited":
                raise
            time.sleep(refused.problem["retry_after_s"])


def give_key(running: Installation, submission: UUID, key: bytes) -> UUID:
    """Set the seed key of a submission's evaluation; return the evaluation."""
    with running.database.write() as session:
        evaluation = session.get_one(Submission, submission).evaluation_id
        session.execute(update(Evaluation).where(Evaluation.id == evaluation).values(seed_key=key))
    return evaluation


def await_scores(place: Site, evaluations: list[UUID], say: Callable[[str], None]) -> None:
    """Wait until all have ended; give up if nothing happens for long."""
    seen, since = "", time.monotonic()
    while not all_ended(place, evaluations):
        done = progress(place, evaluations)
        if done != seen:
            seen, since = done, time.monotonic()
        if time.monotonic() - since > PATIENCE_S:
            say("nothing happens any more")
            return
        place.installation.stack.restart_dead()
        time.sleep(0.5)
