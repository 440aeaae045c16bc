"""`lethe demo`: a whole competition on this machine, from its benchmark to its leaderboard, through the public API."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.client import Client
from services.cli.console import leaderboard_table, say
from services.core.errors import LetheError

if TYPE_CHECKING:
    from services.core.settings import Settings

__all__ = ["EntryRefused", "baseline_files", "demo", "plan", "publish", "submit_file", "team_of"]

COMPETITION, PHASE, BENCHMARK = "demo", "feedback", "digits"
MAX_TIME_RATIO = 0.5  # retraining takes a sixth of a second here, of which the start of a run alone is a fifth
CERTIFIED = {
    "certified-digits": ("retrain", "langevin"),
    "certified-digits-batches": ("stochastic_langevin",),
    "certified-digits-d2d": ("d2d",),
}
BASELINES = Path(__file__).parents[2] / "baselines"
REFERENCES = ("retrain", "identity")
ENTRIES = ("identity", "finetune", "finetune_noise", "perturb_repair", "retrain")
BOARD_FIELDS = (
    "entry",
    "forgetting_quality",
    "utility",
    "final_score",
    "ci_low",
    "ci_high",
    "seeds",
    "wall_s",
)


@dataclass(frozen=True, slots=True)
class Contest:
    """A phase of the demo, and the files that are submitted to it."""

    phase: str
    benchmark: str
    files: Sequence[Path]
    max_time_ratio: float


class DemoFailed(LetheError):
    code = "demo_failed"


class EntryRefused(LetheError):
    """An upload that the server refused, in the words of `lethe submit`."""

    code = "entry_refused"


def demo(
    seeds: Annotated[int, typer.Option(min=8, help="Runs of each submission.")] = 512,
    port: Annotated[int, typer.Option(help="The port to serve on during the demo.")] = 8765,
    all_baselines: Annotated[
        bool,
        typer.Option(
            "--all-baselines",
            help="Submit every file of baselines/, certified ones to phases of their own. About 25 minutes on 2 cores.",
        ),
    ] = False,
) -> None:
    """Hold a whole competition on this machine and print its leaderboard.

    Builds the benchmark on first use, starts all services, submits the baselines through the HTTP API, waits for
    their scores, writes var/demo/leaderboard.json, and stops what it started. About 3 minutes on 2 idle cores the first
    time.
    """
    from services.cli.building import find_or_build
    from services.cli.operator import prepare, setup
    from services.cli.stack import Stack
    from services.core.settings import load_settings

    started = time.monotonic()
    contests = plan(all_baselines=all_baselines)
    settings = load_settings()
    if settings.sandbox is None:
        setup(again=False)
        settings = load_settings()
    bundles = {contest.benchmark: find_or_build(settings, contest.benchmark) for contest in contests}
    directory = settings.data_dir / "demo"
    demo_settings = _fresh_installation(settings, directory, port)
    credentials = prepare(demo_settings)
    for bundle in bundles.values():
        publish(demo_settings, bundle.root)
    with Stack(demo_settings) as stack:
        say(f"Lethe serves at {stack.url} until the demo ends.")
        client = Client(stack.url, credentials["token"])
        _create_competition(client, seeds, contests)
        ids = [
            _submit(stack.url, credentials["token"], file, contest.phase)
            for contest in contests
            for file in contest.files
        ]
        _watch(client, ids)
        boards = {
            contest.benchmark: client.board(f"/api/competitions/{COMPETITION}/phases/{contest.phase}/leaderboard")
            for contest in contests
        }
    board = directory / "leaderboard.json"
    main_board = [{name: entry[name] for name in BOARD_FIELDS} for entry in boards[BENCHMARK]]
    board.write_text(json.dumps(main_board, indent=2) + "\n")
    for benchmark, entries in boards.items():
        leaderboard_table(entries, f"Leaderboard: {bundles[benchmark].manifest.title}, N = {seeds}")
    say(f"Wrote {board}. The demo took {time.monotonic() - started:.0f} s.")


def plan(*, all_baselines: bool) -> list[Contest]:
    """List the phases of the demo, each with its benchmark and its files."""
    if not all_baselines:
        entries = [BASELINES / f"{entry}.py" for entry in ENTRIES]
        return [Contest(PHASE, BENCHMARK, entries, max_time_ratio=MAX_TIME_RATIO)]
    certified = [
        Contest(
            benchmark, benchmark, [BASELINES / "certified" / f"{entry}.py" for entry in entries], max_time_ratio=1.0
        )
        for benchmark, entries in CERTIFIED.items()
    ]
    return [Contest(PHASE, BENCHMARK, baseline_files(), max_time_ratio=MAX_TIME_RATIO), *certified]


def _fresh_installation(settings: "Settings", directory: Path, port: int) -> "Settings":
    """Make an installation of its own, so that the demo touches nothing else and every submission runs again."""
    from services.core.settings import Settings

    shutil.rmtree(directory, ignore_errors=True)
    settings.make_data_dir()
    directory.mkdir()
    return Settings(data_dir=directory, sandbox=settings.resolved_sandbox, port=port)


def publish(settings: "Settings", bundle_root: Path) -> None:
    """Put a benchmark into an installation. Raises UnfitBenchmark."""
    from services.core.bundle import store as bundle_store
    from services.core.bundle.directory import Bundle
    from services.core.store.blobs import Blobs
    from services.core.store.database import Database

    database = Database(settings.resolved_database_url)
    with database.write() as session:
        bundle_store.publish(session, Blobs.from_settings(settings), Bundle(bundle_root))
    database.dispose()


def baseline_files() -> list[Path]:
    """List the modules of baselines/: first the references, retraining and identity."""
    others = sorted(path.stem for path in BASELINES.glob("*.py") if path.stem not in {"__init__", *REFERENCES})
    return [BASELINES / f"{name}.py" for name in (*REFERENCES, *others)]


def team_of(entry: str) -> str:
    """Name the team that submits a baseline; each has its own, because a leaderboard has one entry per team."""
    return entry.replace("_", "-")


def submit_file(url: str, token: str, file: Path, *, competition: str, phase: str) -> dict[str, Any]:
    """Submit a baseline with the `lethe` command, as a participant would; return what it printed.

    The two references are submitted as such. Raises EntryRefused.
    """
    command = [sys.executable, "-m", "services.cli.main", "submit", str(file), "--json"]
    command += ["--competition", competition, "--phase", phase, "--team", team_of(file.stem)]
    command += ["--reference", file.stem] if file.stem in REFERENCES else []
    environment = os.environ | {"LETHE_URL": url, "LETHE_TOKEN": token}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise EntryRefused(f"Submitting {file.name} failed: {answer.stderr.strip()}")
    submission: dict[str, Any] = json.loads(answer.stdout)
    return submission


def _create_competition(client: Client, seeds: int, contests: Sequence[Contest]) -> None:
    from services.core.store.database import utc_now

    client.post("/api/competitions", {"slug": COMPETITION, "title": "Forgetting digits"})
    for contest in contests:
        phase = {
            "slug": contest.phase,
            "kind": "feedback",
            "benchmark": contest.benchmark,
            "closes_at": (utc_now() + timedelta(days=1)).isoformat(),
            "seeds": seeds,
            "shard_seeds": max(1, seeds // 2),
            "data_hidden": False,
            "max_time_ratio": contest.max_time_ratio,
            "references": False,  # the demo submits its own, and ends when they are scored
        }
        client.post(f"/api/competitions/{COMPETITION}/phases", phase)
    for name in sorted({team_of(file.stem) for contest in contests for file in contest.files}):
        client.post("/api/teams", {"name": name})
    phases = ", ".join(contest.phase for contest in contests)
    say(f"Created the competition: {seeds} runs per submission in {phases}.")


def _submit(url: str, token: str, file: Path, phase: str) -> str:
    return str(submit_file(url, token, file, competition=COMPETITION, phase=phase)["id"])


def _watch(client: Client, ids: list[str]) -> None:
    from services.cli.watching import follow

    submissions: list[dict[str, Any]] = follow(client, ids)
    failed = [one for one in submissions if not one["succeeded"]]
    if failed:
        reasons = "; ".join(f"{one['name']} {one['state']}: {one['failure']}" for one in failed)
        raise DemoFailed(f"Not every submission was scored: {reasons}")
