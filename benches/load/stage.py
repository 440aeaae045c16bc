"""One stage: so many users for so long, and afterwards what became of the submissions that were accepted."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy import select

from benches.load.site import PASSWORD, Site, User
from benches.processes import cpu_seconds, resident_mb
from services.core.models import Evaluation, FailureKind, Submission

__all__ = ["Asked", "Stage", "play"]

USERS = Path(__file__).with_name("users.py")
SIGN_IN_EVERY_S = 300
TELL_EVERY_S = 15
RAMP_S = 10  # in which users arrive


@dataclass
class Asked:
    """What was asked for, how often, and how the answers were."""

    name: str
    answers: int
    refused: int  # with 429 or 503
    errors: int  # other statuses from 500 on, or no answer
    p50_ms: float
    p95_ms: float


@dataclass
class Stage:
    """What a stage found."""

    users: int
    seconds: float
    asked: list[Asked]
    without_retry: int  # refusals that did not say when to come back
    accepted: int
    scored: int
    failed: int  # with a typed failure
    lost: int
    drained_s: float  # until the last of them had ended
    cpu_s: dict[str, float]  # processor time while the users were there
    api_mb: float


def play(
    running: Site,
    users: list[User],
    seconds: float,
    *,
    upload_every_s: float,
    drain_s: float,
    tell: Callable[[str], None],
) -> Stage:
    """Let users come, and wait until what they submitted has ended, or for `drain_s`."""
    plan, out = running.logs / "plan.json", running.logs / "out.json"
    plan.write_text(
        json.dumps(
            {
                "urls": running.urls,
                "users": [asdict(user) for user in users],
                "password": PASSWORD,
                "upload_every_s": upload_every_s,
                "sign_in_every_s": SIGN_IN_EVERY_S,
                "stage": len(users),
                "out": str(out),
            }
        )
    )
    tell(f"{len(users)} users for {seconds:.0f} s")
    before = _cpu(running)
    _locust(len(users), seconds, plan, running.logs)
    used = {part: spent - before[part] for part, spent in _cpu(running).items()}
    megabytes = max(resident_mb(running.pid(part)) for part in used if part.startswith("api"))
    found = json.loads(out.read_text())
    start = time.monotonic()
    ended = _drain(running, found["accepted"], drain_s, tell)
    return Stage(
        users=len(users),
        seconds=seconds,
        asked=[_asked(name, found["statuses"][name], found["taken_ms"].get(name, [])) for name in found["statuses"]],
        without_retry=len(found["without_retry"]),
        accepted=len(found["accepted"]),
        scored=sum(kind is None for kind in ended.values()),
        failed=sum(kind is not None for kind in ended.values()),
        lost=len(found["accepted"]) - len(ended),
        drained_s=time.monotonic() - start,
        cpu_s=used,
        api_mb=megabytes,
    )


def _locust(users: int, seconds: float, plan: Path, logs: Path) -> None:
    words = ["-f", str(USERS), "--headless", "-u", str(users), "-r", str(max(1.0, users / RAMP_S))]
    with (logs / "locust.log").open("ab") as log:
        subprocess.run(
            [sys.executable, "-m", "locust", *words, "-t", f"{seconds:.0f}s", "--stop-timeout", "20"],
            env=os.environ | {"LETHE_LOAD_PLAN": str(plan)},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=True,
        )


def _cpu(running: Site) -> dict[str, float]:
    return {part: cpu_seconds(process.pid) for part, process in running.processes.items()}


def _asked(name: str, statuses: dict[str, int], taken_ms: list[float]) -> Asked:
    counts = {int(status): count for status, count in statuses.items()}
    p50, p95 = np.percentile(taken_ms, [50, 95]) if taken_ms else (float("nan"), float("nan"))
    return Asked(
        name=name,
        answers=len(taken_ms),
        refused=counts.get(429, 0) + counts.get(503, 0),
        errors=sum(count for status, count in counts.items() if status == 0 or (status >= 500 and status != 503)),
        p50_ms=float(p50),
        p95_ms=float(p95),
    )


def _drain(
    running: Site, accepted: list[str], drain_s: float, tell: Callable[[str], None]
) -> dict[UUID, FailureKind | None]:
    """Wait for the end of the accepted submissions; return those that ended, each with its kind of failure if any."""
    tell_at = time.monotonic()
    deadline = tell_at + drain_s
    wanted = {UUID(one) for one in accepted}
    while True:
        ended = _ended(running, wanted)
        if len(ended) == len(wanted) or time.monotonic() > deadline:
            return ended
        if time.monotonic() > tell_at:
            tell_at += TELL_EVERY_S
            tell(f"{len(wanted) - len(ended)} of {len(wanted)} accepted submissions still run or wait")
        time.sleep(1)


def _ended(running: Site, wanted: set[UUID]) -> dict[UUID, FailureKind | None]:
    statement = select(Submission.id, Evaluation.failure_kind).join(
        Evaluation, Evaluation.id == Submission.evaluation_id
    )
    with running.database.read() as session:
        rows = session.execute(statement.where(Evaluation.has_ended)).all()
    return {one: kind for one, kind in rows if one in wanted}
