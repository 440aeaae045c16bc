"""One lasting competition on this machine, with a phase for each benchmark: results stay, and nothing runs twice.

The digest of its source identifies an entry; a phase is identified by the digest of its benchmark and by N. If the
command is killed and started again, the queue continues. A changed baseline is submitted again, and the table shows
only its newest version.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import undefer

from services.cli.client import Client
from services.cli.console import say
from services.cli.demo import publish, submit_file, team_of
from services.cli.operator import prepare
from services.cli.stack import Stack
from services.cli.watching import follow
from services.core.board.order import Submitted
from services.core.bundle.directory import Bundle
from services.core.models import Device, Evaluation, Reference, Score
from services.core.settings import Settings
from services.core.store.database import Database, utc_now
from services.scorer.standings.ranking import BoardLine, Standing, standings
from studies.baselines.entries import Entry
from studies.baselines.tables import BoardRow

__all__ = ["Contest", "Site", "installation", "open_site"]

COMPETITION = "baselines"
METRIC, RELATIVE = "neurips-2023", "lethe-1"
MAX_TIME_RATIO = 1.0  # unlearning that costs more than retraining does not rank; the platform's default is 0.2
SEED_TIMEOUT_S = 120.0
SHARD_SEEDS = 64
QUOTA = 1000
OPEN_FOR = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Contest:
    """A benchmark, the number of runs of every entry on it, and the device."""

    bundle: Bundle
    seeds: int
    device: Device = Device.CPU

    @property
    def phase(self) -> str:
        manifest = self.bundle.manifest
        on_gpu = "-gpu" if self.device is Device.GPU else ""
        return f"{manifest.name[:40]}-{manifest.digest[:8]}-{self.seeds}{on_gpu}"


@contextmanager
def open_site(settings: Settings) -> Iterator["Site"]:
    """Serve the installation while the block lasts."""
    credentials = prepare(settings)
    database = Database(settings.resolved_database_url)
    try:
        with Stack(settings) as stack:
            client = Client(stack.url, credentials["token"])
            yield Site(settings, stack, client, credentials["token"], database)
            client.close()
    finally:
        database.dispose()


@dataclass(slots=True)
class Site:
    """The installation while it serves."""

    settings: Settings
    stack: Stack
    client: Client
    token: str
    database: Database

    def submit(self, contest: Contest, entries: Sequence[Entry]) -> list[str]:
        """Submit missing entries and those that failed through the platform's fault; return the ids of all entries."""
        self._prepare(contest)
        there = self._submissions(contest)
        self._make_teams([team_of(entry.name) for entry in entries])
        ids = []
        for entry in entries:
            found = there.get((team_of(entry.name), entry.digest))
            if found is None or _deserves_another_try(found):
                found = self._submit(contest, entry)
                say(f"Submitted {entry.name} to {contest.phase}.")
            ids.append(str(found["id"]))
        return ids

    def watch(self, ids: list[str]) -> None:
        """Wait until all submissions have ended, and show progress."""
        follow(self.client, ids, lambda _: self._keep_alive())

    def rows(self, contest: Contest, entries: Sequence[Entry]) -> list[BoardRow]:
        """Read the result of every entry in its current version: the best first, the failed last."""
        there = self._submissions(contest)
        found = [there.get((team_of(entry.name), entry.digest)) for entry in entries]
        submissions = [one for one in found if one is not None and one["ended"]]
        scored = [one for one in submissions if one["succeeded"]]
        stored = self._stored({one["evaluation_id"] for one in scored})
        lined = [(one, _line(one, stored[one["evaluation_id"], METRIC])) for one in scored]
        lined.sort(key=lambda pair: pair[1].place)
        rows = [
            _scored(one, standing, stored.get((one["evaluation_id"], RELATIVE)))
            for (one, _), standing in zip(lined, standings([line for _, line in lined], MAX_TIME_RATIO), strict=True)
        ]
        return rows + [_failed(one) for one in submissions if not one["succeeded"]]

    def torch(self) -> str | None:
        """Return the version of torch in the newest run's sandbox; None if no version is recorded."""
        newest_first = select(Evaluation.provenance).order_by(Evaluation.finished_at.desc())
        with self.database.read() as session:
            return next((known["torch"] for known in session.scalars(newest_first) if "torch" in known), None)

    def _prepare(self, contest: Contest) -> None:
        publish(self.settings, contest.bundle.root)
        existing = {one["slug"] for one in self.client.pages("/api/competitions")}
        if COMPETITION not in existing:
            self.client.post("/api/competitions", {"slug": COMPETITION, "title": "Baselines"})
        phases = {one["slug"] for one in self.client.get(f"/api/competitions/{COMPETITION}")["phases"]}
        if contest.phase in phases:
            return
        phase = {
            "slug": contest.phase,
            "kind": "feedback",
            "device": contest.device.value,
            "benchmark": contest.bundle.manifest.digest,
            "closes_at": (utc_now() + OPEN_FOR).isoformat(),
            "seeds": contest.seeds,
            "shard_seeds": max(1, min(SHARD_SEEDS, contest.seeds // 8)),
            "quota_per_day": QUOTA,
            "seed_timeout_s": SEED_TIMEOUT_S,
            "memory_bytes": self.settings.slot_memory_bytes,
            "metric": METRIC,
            "max_time_ratio": MAX_TIME_RATIO,
            "data_hidden": False,
            "references": False,  # it submits its own
        }
        self.client.post(f"/api/competitions/{COMPETITION}/phases", phase)

    def _make_teams(self, names: Collection[str]) -> None:
        existing = {team["name"] for team in self.client.get("/api/me")["teams"]}
        for name in names:
            if name not in existing:
                self.client.post("/api/teams", {"name": name})

    def _submit(self, contest: Contest, entry: Entry) -> dict[str, Any]:
        file = self.settings.data_dir / "sources" / contest.phase / f"{entry.name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(entry.source)
        return submit_file(self.stack.url, self.token, file, competition=COMPETITION, phase=contest.phase)

    def _submissions(self, contest: Contest) -> dict[tuple[str, str], dict[str, Any]]:
        """List the newest submission of each team and source."""
        newest_first = self.client.pages("/api/submissions", competition=COMPETITION, phase=contest.phase)
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for one in newest_first:
            found.setdefault((one["team"], one["sha256"]), one)
        return found

    def _stored(self, evaluations: Collection[str]) -> dict[tuple[str, str], Score]:
        """Read the scores' rows, because no endpoint shows halves and audits."""
        wanted = select(Score).options(undefer(Score.gaps), undefer(Score.audit))
        with self.database.read() as session:
            rows = session.scalars(wanted.where(Score.evaluation_id.in_([UUID(one) for one in evaluations])))
            return {(str(row.evaluation_id), row.metric): row for row in rows}

    def _keep_alive(self) -> None:
        for part in self.stack.restart_dead():
            say(f"The {part} died and was started again; see {self.stack.log_file(part)}.")


def _deserves_another_try(submission: dict[str, Any]) -> bool:
    failure = submission["failure"]
    return submission["state"] == "cancelled" or bool(failure and failure["kind"] == "platform")


def _line(submission: dict[str, Any], row: Score) -> BoardLine:
    return BoardLine(
        reference=Reference(submission["reference"]),
        final_score=row.final_score,
        gaps=array("d", row.gaps),
        run_s=row.run_s,
        submitted=Submitted(datetime.fromisoformat(submission["submitted_at"]), UUID(submission["id"])),
        flags=row.flags,
        cost=row.cost,
    )


def _scored(submission: dict[str, Any], standing: Standing, relative: Score | None) -> BoardRow:
    score, audit = submission["score"], relative.audit if relative else None
    return BoardRow(
        entry=submission["name"],
        reference=submission["reference"] != "none",
        rank=standing.rank,
        unranked=standing.unranked and standing.unranked.value,
        tie_group=standing.tie_group,
        forgetting_quality=score["forgetting_quality"],
        relative_quality=relative.forgetting_quality if relative else None,
        bound=max(audit.bounds) if audit else None,
        largest_bound=audit.largest_certifiable if audit else None,
        utility=score["utility"],
        final_score=score["final_score"],
        low=score["ci_low"],
        high=score["ci_high"],
        models=score["distinct_models"],
        run_s=score["run_s"],
        time_ratio=standing.time_ratio.value,
    )


def _failed(submission: dict[str, Any]) -> BoardRow:
    failure = submission["failure"] or {"kind": submission["state"], "message": ""}
    return BoardRow(
        entry=submission["name"],
        reference=submission["reference"] != "none",
        failure=failure["kind"],
        message=failure["message"],
    )


def installation(settings: Settings, port: int) -> Settings:
    """Return settings of a separate installation, so that the competition touches no other data."""
    return Settings(data_dir=settings.data_dir / "baselines", sandbox=settings.resolved_sandbox, port=port)
