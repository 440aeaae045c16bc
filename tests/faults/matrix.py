"""The fault matrix: evaluations run on Postgres, Redis and S3 while parts of the installation break at random.

    python -m tests.faults.matrix --evaluations 200 --sandbox docker --seed 1

Some evaluations run undisturbed first. All run under faults, each with the secret key of one that ran undisturbed.
Nothing may be lost, counted twice or failed, every measurement and score must be equal to the bit, and what broke must
be back within a minute. Only processes and containers of this installation are broken; its Docker engine is its own.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import docker
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import OperationalError

from services.core.models import Evaluation, MeasurementRow, Score, State, Submission
from services.core.queue.lifecycle import ENDED, SEED_KEY_BYTES
from services.core.settings import SandboxKind
from services.core.store.database import ReadSession
from services.worker.backends import default_image, worker_name
from services.worker.sandbox.docker import LABEL_LEASE, LABEL_WORKER
from tests.databases import migrate_postgres_template, postgres_copy
from tests.entries import slow_noise
from tests.faults.engine import OwnEngine, own_engine
from tests.faults.proxy import Mode, Proxy
from tests.installation import Installation, phase_of, running_installation
from tests.real_services import Server, postgres_to_kill, redis_to_kill, s3_environment, s3_server

RECOVERY_LIMIT_S = 60.0
SEEDS, SHARD_SEEDS = 8, 4
UNDISTURBED = 20  # evaluations at most; more would show nothing new
BETWEEN_FAULTS_S = (2.0, 6.0)
CLOCK_READ_S = 1.5  # until every service has read its new clock
DISTURBED_S = (1.0, 5.0)
DISK_BYTES = 1280 * 1024**2  # a worker begins no shard with less than 1 GiB free
COMPARED = (
    "metric",
    "forgetting_quality",
    "forgetting_quality_low",
    "forgetting_quality_high",
    "utility",
    "final_score",
    "ci_low",
    "ci_high",
    "distinct_models",
    "effective_models",
    "epsilons",
    "halves",
)
ENTRY = slow_noise(0.1)


@dataclass
class Site:
    """An installation and the servers below it."""

    installation: Installation
    postgres: Server
    redis: Server
    blobs: Proxy
    sandbox: SandboxKind
    engine: OwnEngine | None
    clock: Path | None  # the file that moves the clocks of the services

    def stop(self, part: str) -> Iterator[int]:
        """Yield the process ids of a part: its process and, for Postgres, those of its connections."""
        pid = self._server(part).pid if part in ("postgres", "redis") else self.installation.stack.pid(part)
        yield pid
        if part == "postgres":
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            yield from map(int, children)

    def _server(self, part: str) -> Server:
        return self.postgres if part == "postgres" else self.redis


Fault = Callable[[Site, random.Random], None]


def killed(part: str) -> Fault:
    """Kill a service; the supervisor starts it again."""

    def strike(site: Site, _: random.Random) -> None:
        stack = site.installation.stack
        os.kill(stack.pid(part), signal.SIGKILL)
        while part not in stack.restart_dead():
            time.sleep(0.05)

    return strike


def server_killed(part: str) -> Fault:
    """Kill a server, and start it again after a moment."""

    def strike(site: Site, chance: random.Random) -> None:
        server: Server = getattr(site, part)
        server.kill()
        time.sleep(chance.uniform(*DISTURBED_S))
        server.start()

    return strike


def stopped(part: str) -> Fault:
    """Stop a part's processes for some seconds."""

    def strike(site: Site, chance: random.Random) -> None:
        pids = list(site.stop(part))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(chance.uniform(2, 10))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    return strike


def worker_restarted(site: Site, _: random.Random) -> None:
    """Ask the worker to end, as an update does."""
    stack = site.installation.stack
    os.kill(stack.pid("worker"), signal.SIGTERM)
    while "worker" not in stack.restart_dead():
        time.sleep(0.05)


def container_killed(prefix: str, *, measurer: bool) -> Fault:
    """Kill a random container of this installation's worker."""

    def strike(site: Site, chance: random.Random) -> None:
        engine = docker.from_env()
        with contextlib.closing(engine):
            name = worker_label(site)
            found = [
                container
                for container in engine.containers.list(filters={"label": LABEL_WORKER}, ignore_removed=True)
                if container.labels[LABEL_WORKER] == name
                and container.labels.get(LABEL_LEASE, "").startswith(prefix) is measurer
            ]
            if not found:
                raise NothingToBreak
            with contextlib.suppress(docker.errors.APIError):
                chance.choice(found).kill()

    return strike


def engine_ended(how: signal.Signals) -> Fault:
    """End the Docker engine, and start it again after a moment. Its containers end, too."""

    def strike(site: Site, chance: random.Random) -> None:
        assert site.engine is not None
        site.engine.end(how)
        time.sleep(chance.uniform(*DISTURBED_S))
        site.engine.start()

    return strike


def clock_jumps(site: Site, chance: random.Random) -> None:
    """Set the clocks of API, worker and scorer to another time within a day; the database's stays."""
    assert site.clock is not None
    site.clock.write_text(f"{chance.randint(-86400, 86400):+d}\n")
    time.sleep(CLOCK_READ_S)


def disk_full(site: Site, chance: random.Random) -> None:
    """Take all free space of the data directory, which is a small file system of its own."""
    ballast = site.installation.settings.data_dir / "ballast"
    free = shutil.disk_usage(site.installation.settings.data_dir).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(4096, free - 4096))
    time.sleep(chance.uniform(*DISTURBED_S))
    ballast.unlink()


def blobs(mode: Mode) -> Fault:
    """Let the blob store answer late, with errors, or not at all, for some seconds."""

    def strike(site: Site, chance: random.Random) -> None:
        site.blobs.mode = mode
        time.sleep(chance.uniform(*DISTURBED_S))
        site.blobs.mode = Mode.PASS

    return strike


class NothingToBreak(Exception):
    """There is nothing of the kind at the moment."""


FAULTS: dict[str, Fault] = {
    **{f"{part} killed": killed(part) for part in ("worker", "scorer", "api")},
    **{f"{part} killed": server_killed(part) for part in ("postgres", "redis")},
    **{f"{part} stopped": stopped(part) for part in ("worker", "scorer", "api", "postgres", "redis")},
    "worker restarted": worker_restarted,
    "blobs slow": blobs(Mode.SLOW),
    "blobs with errors": blobs(Mode.ERRORS),
    "blobs away": blobs(Mode.AWAY),
}
DOCKER_FAULTS: dict[str, Fault] = {
    "sandbox killed": container_killed("measurer-", measurer=False),
    "measurer killed": container_killed("measurer-", measurer=True),
}
ENGINE_FAULTS: dict[str, Fault] = {
    "engine killed": engine_ended(signal.SIGKILL),
    "engine restarted": engine_ended(signal.SIGTERM),
}
DISK_FAULTS: dict[str, Fault] = {"disk full": disk_full}
CLOCK_FAULTS: dict[str, Fault] = {"clocks jump": clock_jumps}


@dataclass
class Row:
    """How often a fault struck, and how long after its end work went on."""

    times: int = 0
    recovered_s: list[float] = field(default_factory=list)


@dataclass
class Outcome:
    """What a run of the matrix found."""

    evaluations: int
    rows: dict[str, Row]
    lost: int
    failed: list[str]
    twice: int
    different: int
    undisturbed_s: float
    disturbed_s: float

    @property
    def is_good(self) -> bool:
        """Tell whether every requirement holds."""
        slowest = max((s for row in self.rows.values() for s in row.recovered_s), default=0.0)
        return not (self.lost or self.failed or self.twice or self.different) and slowest <= RECOVERY_LIMIT_S

    def as_json(self) -> dict[str, Any]:
        """Return the outcome for machines."""
        return {
            "evaluations": self.evaluations,
            "lost": self.lost,
            "failed": self.failed,
            "counted_twice": self.twice,
            "different": self.different,
            "undisturbed_s": round(self.undisturbed_s, 1),
            "disturbed_s": round(self.disturbed_s, 1),
            "faults": {name: {"times": r.times, "recovered_s": r.recovered_s} for name, r in self.rows.items()},
        }

    def as_table(self) -> str:
        """Return the outcome as Markdown."""
        lines = ["| fault | times | seconds until work went on: median, most |", "|---|---:|---:|"]
        for name, row in self.rows.items():
            ordered = sorted(row.recovered_s)
            took = f"{ordered[len(ordered) // 2]:.1f}, {ordered[-1]:.1f}" if ordered else "-"
            lines.append(f"| {name} | {row.times} | {took} |")
        return "\n".join(lines) + (
            f"\n\n{self.evaluations} evaluations of {SEEDS} seeds: {self.lost} lost, {len(self.failed)} failed, "
            f"{self.twice} seeds counted twice, {self.different} different from the undisturbed run. "
            f"Undisturbed {self.undisturbed_s:.0f} s, disturbed {self.disturbed_s:.0f} s."
        )


@contextlib.contextmanager
def site(root: Path, sandbox: SandboxKind) -> Iterator[Site]:
    """Start Postgres, Redis, S3 behind a proxy, a Docker engine if need be, and a whole installation on them."""
    durable = {"synchronous_commit": "on"}  # or Postgres itself may forget a commit when it is killed
    with (
        postgres_to_kill(**durable) as (server_url, postgres),
        redis_to_kill() as (redis_url, redis),
        s3_server() as s3_url,
        Proxy(s3_url) as proxy,
        own_engine(root / "engine", default_image()) if sandbox is SandboxKind.DOCKER else nullcontext() as engine,
    ):
        migrate_postgres_template(server_url)
        with postgres_copy(server_url) as database_url:
            os.environ |= s3_environment(proxy.url) | {
                "LETHE_DATABASE_URL": database_url,
                "LETHE_REDIS_URL": redis_url,
                "LETHE_BLOB_URL": f"s3://lethe/{uuid.uuid4().hex}",
                "LETHE_LEASE_S": "6",
                "LETHE_RENEW_EVERY_S": "0.5",
                "LETHE_SWEEP_EVERY_S": "1",
            }
            clock = movable_clock(root / "clock")
            with running_installation(root, sandbox) as running:
                running.client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
                phase = phase_of("tiny", seeds=SEEDS, shard_seeds=SHARD_SEEDS, quota_per_day=1000)
                running.client.post("/api/competitions/cup/phases", phase)
                yield Site(running, postgres, redis, proxy, sandbox, engine, clock)


def movable_clock(file: Path) -> Path | None:
    """Let services that start from now on read their clock's offset from a file; None without libfaketime."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is not None:
        file.write_text("+0\n")
        os.environ |= {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    return file if library else None


def run_matrix(
    place: Site, evaluations: int, faults: dict[str, Fault], seed: int, *, say: Callable[[str], None]
) -> Outcome:
    """Run some evaluations undisturbed, and then all under faults until they have ended."""
    chance = random.Random(seed)
    keys = [chance.randbytes(SEED_KEY_BYTES) for _ in range(min(evaluations, UNDISTURBED))]
    began = time.monotonic()
    calm = submit_all(place, keys, "calm")
    say(f"{len(calm)} evaluations are queued, undisturbed")
    await_scores(place, calm, say)
    undisturbed_s = time.monotonic() - began
    began = time.monotonic()
    shaken = submit_all(place, [keys[number % len(keys)] for number in range(evaluations)], "shaken")
    say(f"undisturbed in {undisturbed_s:.0f} s; now {evaluations} under faults")
    rows = {name: Row() for name in faults}
    while not all_ended(place, shaken):
        time.sleep(chance.uniform(*BETWEEN_FAULTS_S))
        name = min(faults, key=lambda fault: (rows[fault].times, chance.random()))
        strike(place, name, faults[name], chance, rows[name], shaken)
        say(f"{time.monotonic() - began:5.0f} s  {name}  {progress(place, shaken)}")
    await_scores(place, shaken, say)
    return compare(place, calm, shaken, rows, undisturbed_s, time.monotonic() - began)


def strike(place: Site, name: str, fault: Fault, chance: random.Random, row: Row, evaluations: list[UUID]) -> None:
    """Let a fault strike; measure how long after its end the API answers, seeds are recorded and scores written."""
    try:
        fault(place, chance)
    except NothingToBreak:
        return
    row.times += 1
    ended = time.monotonic()
    before = None  # until the database answers
    while time.monotonic() - ended < 2 * RECOVERY_LIMIT_S:
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
            submission = running.client.upload(path, file, filename=file.name)
            ids.append(give_key(running, UUID(submission["id"]), key))
    while "worker" not in running.stack.restart_dead():
        time.sleep(0.05)
    return ids


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
        if time.monotonic() - since > 2 * RECOVERY_LIMIT_S:
            say("nothing happens any more")
            return
        place.installation.stack.restart_dead()
        time.sleep(0.5)


def counted(place: Site, what: ColumnElement[bool]) -> int | None:
    """Count evaluations; None if the database does not answer."""
    with contextlib.suppress(OperationalError), place.installation.database.read() as session:
        return session.scalars(select(func.count()).select_from(Evaluation).where(what)).one()
    return None


def seeds_done(place: Site, evaluations: list[UUID]) -> int | None:
    """Count recorded seeds; None if the database does not answer."""
    with contextlib.suppress(OperationalError), place.installation.database.read() as session:
        seeds = select(func.count()).where(MeasurementRow.evaluation_id.in_(evaluations))
        return session.scalars(seeds).one()
    return None


def anything_runs(place: Site, evaluations: list[UUID]) -> bool:
    """Tell whether seeds remain to be run."""
    return counted(place, Evaluation.id.in_(evaluations) & Evaluation.state.in_([State.QUEUED, State.RUNNING])) != 0


def nothing_waits_for_a_score(place: Site, evaluations: list[UUID]) -> bool:
    """Tell whether every measured evaluation is scored."""
    is_measured = Evaluation.id.in_(evaluations) & (Evaluation.state == State.MEASURED)
    return counted(place, is_measured & ~Evaluation.is_scored) == 0


def all_ended(place: Site, evaluations: list[UUID]) -> bool:
    """Tell whether every evaluation has failed or is scored."""
    return not anything_runs(place, evaluations) and nothing_waits_for_a_score(place, evaluations)


def progress(place: Site, evaluations: list[UUID]) -> str:
    """Say how far the evaluations are."""
    ended = Evaluation.id.in_(evaluations) & Evaluation.state.in_(ENDED)
    return f"{seeds_done(place, evaluations)} seeds, {counted(place, ended)} of {len(evaluations)} evaluations ended"


def api_answers(place: Site) -> bool:
    """Tell whether the API answers."""
    try:
        urllib.request.urlopen(f"{place.installation.stack.url}/api/health", timeout=5).close()
    except OSError:
        return False
    return True


def worker_label(place: Site) -> str:
    """Return the label of this installation's containers."""
    return worker_name(place.installation.settings.data_dir.resolve() / "work")


def compare(
    place: Site, calm: list[UUID], shaken: list[UUID], rows: dict[str, Row], calm_s: float, shaken_s: float
) -> Outcome:
    """Hold the disturbed evaluations against the undisturbed ones."""
    with place.installation.database.read() as session:
        found = {row.id: row for row in session.scalars(select(Evaluation).where(Evaluation.id.in_(calm + shaken)))}
        failed = [f"{row.failure_kind}: {row.failure_message}" for row in found.values() if row.failure_kind]
        lost = sum(not (key in found and (found[key].is_scored or found[key].failure_kind)) for key in shaken)
        twice = sum(abs(found[key].seeds_done - len(measured(session, key))) for key in shaken if key in found)
        different = sum(
            measured(session, one) != measured(session, other) or scores(session, one) != scores(session, other)
            for one, other in zip(itertools.cycle(calm), shaken, strict=False)
        )
    return Outcome(len(shaken), rows, lost, failed, twice, different, calm_s, shaken_s)


def measured(session: ReadSession, evaluation: UUID) -> list[tuple[int, str | None, str]]:
    """Return seed, digest of all readings together and digest of the checkpoint of every row."""
    columns = select(MeasurementRow.seed, Evaluation.measurements_blob, MeasurementRow.checkpoint_sha256)
    ordered = columns.join(Evaluation).where(Evaluation.id == evaluation).order_by(MeasurementRow.seed)
    return [row._tuple() for row in session.execute(ordered)]


def scores(session: ReadSession, evaluation: UUID) -> list[list[Any]]:
    """Return every score by every metric, without times."""
    rows = session.scalars(select(Score).where(Score.evaluation_id == evaluation).order_by(Score.metric))
    return [[getattr(row, name) for name in COMPARED] for row in rows]


def main() -> int:
    """Run the matrix; print its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--sandbox", choices=[kind.value for kind in SandboxKind], default=SandboxKind.DOCKER.value)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default="", help="only faults of these names, with commas between them")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    sandbox = SandboxKind(chosen.sandbox)
    faults = FAULTS | (DOCKER_FAULTS | ENGINE_FAULTS if sandbox is SandboxKind.DOCKER else {})
    with tempfile.TemporaryDirectory(prefix="lethe-faults-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        with small_disk(root / "var") as is_small, site(root, sandbox) as place:
            faults |= (DISK_FAULTS if is_small else {}) | (CLOCK_FAULTS if place.clock else {})
            wanted = chosen.faults.split(",") if chosen.faults else list(faults)
            outcome = run_matrix(
                place,
                chosen.evaluations,
                {name: faults[name] for name in wanted},
                chosen.seed,
                say=lambda line: tell(line, sys.stderr),
            )
    tell(json.dumps(outcome.as_json(), indent=2) if chosen.json else outcome.as_table(), sys.stdout)
    for reason in outcome.failed:
        tell(reason, sys.stderr)
    return 0 if outcome.is_good else 1


def tell(line: str, stream: TextIO) -> None:
    """Write a line at once."""
    stream.write(line + "\n")
    stream.flush()


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[bool]:
    """Mount a small file system at a directory, which only root may do; yield whether there is one."""
    directory.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(directory)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(directory)], check=False)


if __name__ == "__main__":
    sys.exit(main())
